/** A memo decodes whatever comes as the decoder without memory does, and remembers what comes again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeCommand, encodeBinary, encodeRequest, encodeResponse } from './codec.js';
import { clientIdentity, FrameWriter, requestHead } from './frame-writer.js';
import { HeaderMemo } from './header-memo.js';

const LENGTH_WORD = 4;

/** A frame around this header, as it stands after its length word. */
function frameOf(header: string, body = ''): Buffer {
  const text = Buffer.from(header);
  const frame = Buffer.alloc(4 + text.length + body.length);
  frame.writeUInt32BE(text.length);
  text.copy(frame, 4);
  frame.write(body, 4 + text.length);
  return frame;
}

const rest = ',"serializeTypeCurrentRPC":"JSON","version":493}';
const beat = (opaque: string, name = 'b'): string =>
  `{"code":904,"extFields":{"brokerName":"${name}"},"flag":2,"language":"JAVA","opaque":${opaque}${rest}`;

function outcomeOf(decode: () => unknown): unknown {
  try {
    return { command: decode() };
  } catch (error) {
    return { error: String(error) };
  }
}

test('what comes again is not parsed again, and has its own opaque and body', () => {
  const memo = new HeaderMemo();
  const frames = [frameOf(beat('17'), 'one'), frameOf(beat('18'), 'two')] as const;
  const first = decodeCommand(frames[0], 0, frames[0].length, memo);
  const second = decodeCommand(frames[1], 0, frames[1].length, memo);
  assert.equal(second.extFields, first.extFields);
  assert.deepEqual([first.opaque, String(first.body)], [17, 'one']);
  assert.deepEqual([second.opaque, String(second.body)], [18, 'two']);
});

test('the frames that are written again and again are those that are remembered', () => {
  const writer = new FrameWriter(clientIdentity);
  const memo = new HeaderMemo();
  const head = requestHead(904, '{"brokerName":"ü"}');
  const seen = [41, 42].map((opaque) => {
    writer.clear();
    writer.again(head, 2, opaque);
    const frame = Buffer.from(writer.bytes());
    const request = { code: 904, opaque, flag: 2, extFields: '{"brokerName":"ü"}', body: null };
    assert.deepEqual(frame, encodeRequest(request, clientIdentity));
    return decodeCommand(frame, LENGTH_WORD, frame.length, memo);
  });
  assert.equal(seen[1]?.extFields, seen[0]?.extFields);
  assert.equal(seen[1]?.opaque, 42);
});

test('a sender that never repeats itself is not remembered for long', () => {
  const memo = new HeaderMemo();
  for (let i = 100; i < 200; i += 1) {
    const frame = frameOf(beat('1', `\\u0${i}`));
    decodeCommand(frame, 0, frame.length, memo);
  }
  const frame = frameOf(beat('1'));
  const [one, other] = [0, 1].map(() => decodeCommand(frame, 0, frame.length, memo));
  assert.notEqual(one?.extFields, other?.extFields);
  assert.deepEqual(one, other);
});

test('what has other values in the same places is read without a parser', (t) => {
  const memo = new HeaderMemo();
  const parse = t.mock.method(JSON, 'parse');
  for (let i = 0; i < 100; i += 1) {
    const frame = frameOf(beat(`${i}`, 'x'.repeat(i)), 'body');
    const { extFields, opaque } = decodeCommand(frame, 0, frame.length, memo);
    assert.deepEqual([opaque, extFields], [i, { brokerName: 'x'.repeat(i) }]);
  }
  assert.equal(parse.mock.callCount(), 1);
});

const answer = (version: string, remark = ''): string =>
  `{"code":0,"extFields":{"newSyncStateSetEpoch":"${version}","a":""},"flag":1,"language":"OTHER","opaque":${version}${remark}${rest}`;

/** Headers that are nearly the same, in pairs of which one may be taken for the other. */
const headers = [
  beat('7'),
  beat('8'),
  beat('07'),
  beat('-7'),
  beat('70'),
  beat('7e'),
  beat('"'),
  beat('2147483647'),
  beat('2147483648'),
  beat('999999999'),
  beat('7', 'c'),
  beat('7', 'é'),
  beat('7').replace('904', '905'),
  beat('7').replace('"flag":2', '"flag":0'),
  beat('7').replace('493', '494'),
  beat('7').replace('}', ',}'),
  beat('7', 'c","clusterName":"d'),
  beat('7', 'c","brokerName":"d'),
  beat('7', 'c","__proto__":"d'),
  beat('7', '\\u0041'),
  beat('7', '\u007f'),
  beat('7', '\t'),
  beat('7', '}'),
  beat('7').replace('brokerName', 'bröker'),
  beat('7').replace('"b"', 'null'),
  beat('7').replace('JAVA', 'KLINGON'),
  beat('1234567890'),
  answer('1'),
  answer('22'),
  answer('-1'),
  answer('3', ',"remark":"no"'),
  answer('4', ',"remark":null'),
  `{"opaque":5,"of":{"opaque":7${rest}`,
  `{"opaque":5,"of":{"opaque":7${rest}}`,
  `{"opaque":5,"of":{"opaque":8${rest}}`,
  `{"opaque":7,"of":{"opaque":7${rest}}`,
  `{"opaque":7,"of":{"opaque":8${rest}}`,
  `{'code':1,"opaque":7,"opaque":1${rest}`,
  `{'code':1,"opaque":8,"opaque":1${rest}`,
  `{"code":1,"extFields":{"a\\"opaque":7${rest}`,
  `{"code":1,"extFields":{"a\\"opaque":8${rest}}`,
  `{"code":1,"remark":"\\"opaque\\":7","opaque":1${rest}`,
  `{"code":1,"opaque":7,"opaque":1${rest}`,
  `{"code":1,"opaque":8,"opaque":1${rest}`,
  '{"code":1,"opaque":7}',
  '{}',
  '',
  'null',
];

test('whatever comes, in whatever order, is decoded as without memory', () => {
  const extFields = '{"x":"1"}';
  const request = { code: 1_002, opaque: 0, flag: 2, extFields, body: Buffer.from('b') };
  const others = [
    encodeRequest(request, clientIdentity),
    encodeResponse({ ...request, remark: 'no' }, clientIdentity),
    encodeBinary(decodeCommand(encodeRequest(request, clientIdentity), LENGTH_WORD)),
  ].map((frame) => frame.subarray(LENGTH_WORD));
  const frames = [...headers.map((header) => frameOf(header, 'body')), ...others];
  const change = fc.option(fc.record({ at: fc.nat(400), to: fc.nat(255), cut: fc.nat(3) }), {
    freq: 2,
  });
  const step = fc.record({ frame: fc.nat(frames.length - 1), change });
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 60 }), (steps) => {
      const memo = new HeaderMemo();
      for (const { change: changed, frame: which } of steps) {
        const frame = Buffer.from(frames[which] as Buffer);
        if (changed !== null && changed.at < frame.length) frame[changed.at] = changed.to;
        const end = frame.length - (changed?.cut ?? 0);
        assert.deepEqual(
          outcomeOf(() => decodeCommand(frame, 0, end, memo)),
          outcomeOf(() => decodeCommand(frame, 0, end)),
        );
      }
    }),
    { seed: 20_261_127, numRuns: 2_000 },
  );
});
