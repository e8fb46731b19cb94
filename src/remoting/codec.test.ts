/** Round trips, arbitrary bytes and arbitrary chunking; then the faults, by name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeCommand, encodeBinary, encodeRequest, encodeResponse } from './codec.js';
import type { RemotingCommand } from './command.js';
import { FrameError, type FrameFault } from './errors.js';
import { FrameDecoder } from './frame-decoder.js';
import { clientIdentity, FrameWriter, serverIdentity } from './frame-writer.js';
import { extFieldsJson } from './json-text.js';
import { languages } from './languages.js';

const seed = 20_251_122;
const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const int16 = fc.integer({ min: -0x8000, max: 0x7fff });
const text = fc.string({ unit: 'binary' });
const fullText = fc.string({ unit: 'binary', minLength: 1 });
const fields = fc.dictionary(fullText, text, { noNullPrototype: true });
const body = fc.option(fc.uint8Array({ minLength: 1, maxLength: 200 }).map(Buffer.from));

test('a request survives the JSON header', () => {
  const request = fc.record({
    code: int32,
    opaque: int32,
    flag: int32,
    extFields: fc.option(fields),
    body,
  });
  fc.assert(
    fc.property(request, ({ extFields, ...frame }) => {
      const json = extFields === null ? null : extFieldsJson(extFields);
      const bytes = encodeRequest({ ...frame, extFields: json }, clientIdentity);
      const expected = { ...frame, extFields, remark: null, ...clientIdentity };
      assert.deepEqual(decodeCommand(bytes, 4), expected);
    }),
    { seed },
  );
});

test('a response survives the JSON header, text bodies and any remark included', () => {
  const response = fc.record({
    code: int32,
    opaque: int32,
    extFields: fc.option(fields),
    remark: fc.option(text),
    body: fc.option(fullText),
  });
  fc.assert(
    fc.property(response, ({ extFields, ...frame }) => {
      const json = extFields === null ? null : extFieldsJson(extFields);
      const bytes = encodeResponse({ ...frame, extFields: json }, serverIdentity);
      const expectedBody = frame.body === null ? null : Buffer.from(frame.body);
      assert.deepEqual(decodeCommand(bytes, 4), {
        ...frame,
        body: expectedBody,
        extFields,
        flag: 1,
        ...serverIdentity,
      });
    }),
    { seed },
  );
});

test('a command survives the binary header, where empty means absent', () => {
  const command: fc.Arbitrary<RemotingCommand> = fc.record({
    code: int16,
    language: fc.constantFrom(...languages),
    version: int16,
    opaque: int32,
    flag: int32,
    remark: fc.option(fullText),
    extFields: fc.option(fc.dictionary(fullText, fullText, { minKeys: 1, noNullPrototype: true })),
    body,
  });
  fc.assert(
    fc.property(command, (drawn) => {
      const sent = { ...drawn };
      assert.deepEqual(decodeCommand(encodeBinary(sent), 4), sent);
    }),
    { seed },
  );
});

test('any bytes decode or are refused with a FrameError', () => {
  const headers = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.json().map((json) => Buffer.from(json)),
    fc
      .dictionary(
        fc.constantFrom('code', 'flag', 'opaque', 'version', 'language', 'remark', 'extFields'),
        fc.jsonValue(),
      )
      .map((header) => Buffer.from(JSON.stringify(header).replaceAll('"', "'"))),
  );
  const frames = fc.tuple(fc.constantFrom(0, 0, 1, 1, 2), headers).map(([type, header]) => {
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32BE((type << 24) | header.length);
    return Buffer.concat([prefix, header]);
  });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 80 }).map(Buffer.from),
    frames,
    damaged(encodeBinary({ ...sample, remark: 'no', body: null }).subarray(4)),
    damaged(encodeRequest({ ...sample, extFields: '{"a":"b"}' }, clientIdentity).subarray(4)),
  );
  fc.assert(
    fc.property(bytes, (frame) => {
      try {
        const command = decodeCommand(frame);
        assert.ok(Number.isInteger(command.code) && Number.isInteger(command.opaque));
        for (const value of Object.values(command.extFields ?? {})) {
          assert.equal(typeof value, 'string');
        }
      } catch (error) {
        assert.ok(error instanceof FrameError, String(error));
      }
    }),
    { seed, numRuns: 5_000 },
  );
});

test('however the stream is cut, the same frames come out', () => {
  const stream = fc
    .array(fc.uint8Array({ maxLength: 300 }).map(Buffer.from), { maxLength: 8 })
    .chain((payloads) =>
      fc.record({
        payloads: fc.constant(payloads),
        cuts: fc.array(fc.nat({ max: payloads.length * 308 + 1 }), { maxLength: 24 }),
      }),
    );
  fc.assert(
    fc.property(stream, ({ payloads, cuts }) => {
      const writer = new FrameWriter();
      for (const [opaque, payload] of payloads.entries()) {
        writer.request({ code: 1, flag: 0, opaque, extFields: null, body: payload });
      }
      const bytes = writer.bytes();
      const ends = [...new Set([...cuts.filter((cut) => cut < bytes.length), bytes.length])];
      ends.sort((a, b) => a - b);
      const decoder = new FrameDecoder();
      const seen: RemotingCommand[] = [];
      let from = 0;
      for (const end of ends) {
        decoder.push(bytes.subarray(from, end), (frame, start, frameEnd) => {
          seen.push(decodeCommand(frame, start, frameEnd));
        });
        from = end;
      }
      assert.deepEqual(
        seen.map(({ opaque, body: received }) => ({ opaque, length: received?.length ?? 0 })),
        payloads.map((payload, opaque) => ({ opaque, length: payload.length })),
      );
      assert.deepEqual(
        seen.map(({ body: received }) => received ?? Buffer.alloc(0)),
        payloads,
      );
      assert.equal(decoder.heldBytes, 0);
    }),
    { seed },
  );
});

test('a frame inside one chunk is handed on in place', () => {
  const bytes = encodeRequest({ ...sample, body: 'abc' }, clientIdentity);
  new FrameDecoder().push(bytes, (frame, start, end) => {
    assert.equal(frame, bytes);
    assert.equal(decodeCommand(frame, start, end).body?.buffer, bytes.buffer);
  });
});

test('a claimed length takes no memory before its bytes arrive', () => {
  const decoder = new FrameDecoder();
  const claim = Buffer.alloc(100);
  claim.writeInt32BE(16 * 1024 * 1024 - 4);
  decoder.push(claim, () => assert.fail('no frame is complete'));
  assert.equal(decoder.heldBytes, 4_096);
  decoder.push(Buffer.alloc(4_000), () => assert.fail('no frame is complete'));
  assert.equal(decoder.heldBytes, 8_192);
});

const framing: readonly {
  readonly name: string;
  readonly hex: string;
  readonly code: FrameFault;
}[] = [
  { name: 'one byte over 16 MiB', hex: '00fffffd', code: 'FRAME_TOO_LARGE' },
  { name: 'a negative length', hex: 'ffffffff', code: 'FRAME_TOO_SHORT' },
  { name: 'an empty frame', hex: '00000000', code: 'FRAME_TOO_SHORT' },
  { name: 'a TLS hello', hex: '16030102', code: 'FRAME_TOO_LARGE' },
];
for (const { name, hex, code } of framing) {
  test(`${name} is refused as ${code}, and so is all that follows`, () => {
    const decoder = new FrameDecoder();
    const fault = { name: 'FrameError', code };
    assert.throws(() => decoder.push(Buffer.from(hex, 'hex'), () => {}), fault);
    assert.throws(() => decoder.push(encodeRequest(sample, clientIdentity), () => {}), fault);
  });
}

test('a frame of exactly 16 MiB is not too large', () => {
  const decoder = new FrameDecoder();
  decoder.push(Buffer.from('00fffffc', 'hex'), () => {});
  assert.ok(decoder.heldBytes > 0, 'its rest is waited for');
});

const headers: readonly {
  readonly name: string;
  readonly hex: string;
  readonly code: FrameFault;
}[] = [
  { name: 'no room for the header length', hex: '000000', code: 'FRAME_TOO_SHORT' },
  { name: 'a header longer than the frame', hex: '0000000100'.slice(0, 8), code: 'HEADER_LENGTH' },
  { name: 'serialize type 2', hex: '02000000', code: 'SERIALIZE_TYPE' },
  { name: 'an empty JSON header', hex: '00000000', code: 'HEADER_JSON' },
  { name: 'a binary header of 20 bytes', hex: `01000014${'00'.repeat(20)}`, code: 'HEADER_BINARY' },
  {
    name: 'a remark longer than the header',
    hex: `01000015${'00'.repeat(13)}00000001${'00'.repeat(4)}`,
    code: 'HEADER_BINARY',
  },
  {
    name: 'a negative remark length',
    hex: `01000015${'00'.repeat(13)}ffffffff${'00'.repeat(4)}`,
    code: 'HEADER_BINARY',
  },
  {
    name: 'extFields longer than the header',
    hex: `01000015${'00'.repeat(17)}00000001`,
    code: 'HEADER_BINARY',
  },
  {
    name: 'a negative key length',
    hex: `0100001b${'00'.repeat(17)}00000006ffff00000000`,
    code: 'HEADER_BINARY',
  },
  {
    name: 'a negative value length',
    hex: `0100001b${'00'.repeat(17)}000000060000ffffffff`,
    code: 'HEADER_BINARY',
  },
  {
    name: 'a key cut short',
    hex: `01000016${'00'.repeat(17)}0000000100`,
    code: 'HEADER_BINARY',
  },
];
for (const { name, hex, code } of headers) {
  test(`${name} is refused as ${code}`, () => {
    assert.throws(() => decodeCommand(Buffer.from(hex, 'hex')), { name: 'FrameError', code });
  });
}

const jsonHeaders: readonly { readonly json: string; readonly means: string }[] = [
  { json: '{"code":1004.5}', means: 'code is not an int32' },
  { json: '{"code":2147483648}', means: 'code is not an int32' },
  { json: '{"opaque":true}', means: 'opaque is not an int32' },
  { json: '{"extFields":[]}', means: 'extFields is not an object' },
  { json: '{"extFields":{"a":{}}}', means: 'extFields.a is neither text, number nor boolean' },
  { json: '{"remark":[1]}', means: 'remark is neither text, number nor boolean' },
  { json: '{"code":1} x', means: 'expected the end at offset 11' },
  { json: `{"x":${'['.repeat(200)}`, means: 'expected at most 128 levels' },
];
for (const { json, means } of jsonHeaders) {
  test(`the header ${json.slice(0, 30)} is refused: ${means}`, () => {
    const header = Buffer.from(json);
    const frame = Buffer.concat([Buffer.from([0, 0, 0, header.length]), header]);
    assert.throws(
      () => decodeCommand(frame),
      (error) => error instanceof FrameError && error.message.includes(means),
    );
  });
}

test('a field named __proto__ is a field like any other', () => {
  const frame = encodeRequest({ ...sample, extFields: '{"__proto__":"x","n":1}' }, clientIdentity);
  const { extFields } = decodeCommand(frame, 4);
  assert.deepEqual(Object.entries(extFields ?? {}), [
    ['__proto__', 'x'],
    ['n', '1'],
  ]);
});

test('a frame over the limit is not written, and the writer goes on', () => {
  const writer = new FrameWriter(serverIdentity, 1_000);
  writer.request({ ...sample, body: 'a'.repeat(100) });
  const before = writer.length;
  for (const tooLong of ['a'.repeat(1_000), 'é'.repeat(500), Buffer.alloc(1_000)]) {
    assert.throws(() => writer.request({ ...sample, body: tooLong }), { code: 'FRAME_TOO_LARGE' });
  }
  assert.equal(writer.length, before);
  writer.request({ ...sample, opaque: 2 });
  const seen: number[] = [];
  new FrameDecoder().push(writer.bytes(), (frame, start, end) => {
    seen.push(decodeCommand(frame, start, end).opaque);
  });
  assert.deepEqual(seen, [1, 2]);
});

test('released bytes are never written again, cleared ones are', () => {
  const writer = new FrameWriter();
  writer.request(sample);
  const released = writer.bytes();
  const copy = Buffer.from(released);
  writer.release();
  writer.request({ ...sample, opaque: 9 });
  assert.deepEqual(released, copy);
  const cleared = writer.bytes();
  writer.clear();
  writer.request({ ...sample, opaque: 8 });
  assert.equal(writer.bytes().buffer, cleared.buffer);
});

const sample = {
  code: 1004,
  language: 'JAVA',
  version: 1,
  opaque: 1,
  flag: 0,
  remark: null,
  extFields: null,
  body: null,
} as const;

/** A good frame with some bytes overwritten. */
function damaged(frame: Buffer): fc.Arbitrary<Buffer> {
  const hits = fc.array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { maxLength: 4 });
  return hits.map((changes) => {
    const bytes = Buffer.from(frame);
    for (const [at, value] of changes) bytes[at] = value;
    return bytes;
  });
}
