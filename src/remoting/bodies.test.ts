/** Bodies that go over the wire in neither capture: bad ones, and the limits of ids. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeElectMasterBody,
  decodeReplicasInfo,
  decodeStringList,
  decodeSyncStateSet,
  encodeElectMasterBody,
  encodeReplicasInfo,
  encodeStringList,
  encodeSyncStateSet,
} from './bodies.js';
import { BodyError } from './errors.js';
import { LenientJsonError, parseLenientJson } from './lenient-json.js';

const refused: readonly { readonly body: string; readonly means: string }[] = [
  { body: '[]', means: 'syncStateSet body is not an object' },
  { body: '"text"', means: 'syncStateSet body is not an object' },
  { body: 'text', means: 'syncStateSet body is not JSON: expected true at offset 0' },
  { body: '{"syncStateSet":1}', means: 'syncStateSet is not an array' },
  { body: '{"syncStateSet":["x"]}', means: 'syncStateSet element is not an integer within 2^53' },
  { body: '{"syncStateSet":[1.5]}', means: 'syncStateSet element is not an integer within 2^53' },
  { body: '{"syncStateSet":[null]}', means: 'syncStateSet element is not an integer within 2^53' },
  {
    body: '{"syncStateSet":[9007199254740993]}',
    means: 'syncStateSet element is not an integer within 2^53',
  },
  {
    body: '{"syncStateSet":[1],"syncStateSetEpoch":2147483648}',
    means: 'syncStateSetEpoch is not an int32',
  },
  {
    body: '{"syncStateSet":[1],"syncStateSetEpoch":"x"}',
    means: 'syncStateSetEpoch is not an int32',
  },
];
for (const { body, means } of refused) {
  test(`the body ${body} is refused: ${means}`, () => {
    assert.throws(() => decodeSyncStateSet(Buffer.from(body)), {
      name: 'BodyError',
      message: means,
    });
  });
}

const accepted: readonly {
  readonly body: string;
  readonly ids: readonly number[];
  readonly epoch: number;
}[] = [
  { body: '{"syncStateSet":[3,1,2,1],"syncStateSetEpoch":7}', ids: [1, 2, 3], epoch: 7 },
  { body: ' { "syncStateSet" : [ 2 ] } ', ids: [2], epoch: 0 },
  { body: '{"x":{1:"a"},"syncStateSet":[-1],"syncStateSetEpoch":-2}', ids: [-1], epoch: -2 },
  { body: '{"syncStateSet":[],"syncStateSetEpoch":0}', ids: [], epoch: 0 },
  {
    body: '{"syncStateSet":[12,345],"syncStateSetEpoch":2147483647}',
    ids: [12, 345],
    epoch: 2147483647,
  },
];
for (const { body, ids, epoch } of accepted) {
  test(`the body ${body} is read`, () => {
    assert.deepEqual(decodeSyncStateSet(Buffer.from(body)), {
      syncStateSet: ids,
      syncStateSetEpoch: epoch,
    });
  });
}

test('the quick reading of a set and the general one agree', () => {
  const digits = fc.oneof(
    fc.nat({ max: 12 }).map(String),
    fc.constantFrom('', '00', '01', '-1', '1.0', '999999999', '1000000000', '9007199254740993'),
  );
  const bodies = fc
    .tuple(fc.array(digits, { maxLength: 4 }), digits, fc.constantFrom('}', '} ', '}x', ',', ''))
    .map(
      ([ids, epoch, end]) =>
        `{"syncStateSet":[${ids.join(',')}],"syncStateSetEpoch":${epoch}${end}`,
    );
  fc.assert(
    fc.property(bodies, (json) => {
      assert.deepEqual(outcome(json), outcome(` ${json}`));
    }),
    { seed: 20_251_122, numRuns: 3_000 },
  );
});

function outcome(json: string): unknown {
  try {
    return decodeSyncStateSet(Buffer.from(json));
  } catch (error) {
    return error instanceof BodyError ? 'refused' : error;
  }
}

test('no body and JSON null are both nothing', () => {
  for (const body of [null, Buffer.from('null')]) {
    assert.equal(decodeSyncStateSet(body), null);
    assert.equal(decodeStringList(body), null);
  }
});

test('an empty text in place of a list is nothing, as upstream reads it', () => {
  assert.equal(decodeStringList(Buffer.from('""')), null);
});

test('ids are written ascending and once', () => {
  assert.equal(encodeSyncStateSet([10, 2, 2], 3), '{"syncStateSet":[2,10],"syncStateSetEpoch":3}');
});

test('names survive the list, and a list of anything else is refused', () => {
  const names = ['b', 'ü"\\', ''];
  assert.deepEqual(decodeStringList(Buffer.from(encodeStringList(names))), names);
  for (const body of ['[1]', '[null]', '"x"', '{}', '[']) {
    assert.throws(() => decodeStringList(Buffer.from(body)), BodyError);
  }
});

test('an elect body survives, with quoted keys', () => {
  const body = {
    brokerMemberGroup: {
      cluster: 'c',
      brokerName: 'b"',
      brokerAddrs: new Map([
        [1, 'y:1'],
        [2, 'y:2'],
      ]),
    },
    syncStateSet: [2],
  };
  const json = encodeElectMasterBody(body);
  assert.ok(json.includes('"brokerAddrs":{"1":"y:1","2":"y:2"}'));
  assert.deepEqual(decodeElectMasterBody(Buffer.from(json)), body);
  assert.equal(decodeElectMasterBody(null), null);
});

test('replicas survive', () => {
  const identity = { brokerName: 'b', brokerId: 2, brokerAddress: 'y:2', alive: false };
  const table = new Map([
    [
      'b',
      {
        masterBrokerId: 1,
        masterAddress: 'y:1',
        masterEpoch: 5,
        syncStateSetEpoch: 4,
        inSyncReplicas: [{ ...identity, brokerId: 1, alive: true }],
        notInSyncReplicas: [identity],
      },
    ],
  ]);
  assert.deepEqual(decodeReplicasInfo(Buffer.from(encodeReplicasInfo(table))), table);
});

test('any bytes are read as a body or refused with a BodyError', () => {
  const texts = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map(Buffer.from),
    fc.json().map((json) => Buffer.from(json.replaceAll('"', "'"))),
    fc
      .dictionary(fc.constantFrom('syncStateSet', 'syncStateSetEpoch'), fc.jsonValue())
      .map((bean) => Buffer.from(JSON.stringify(bean))),
  );
  fc.assert(
    fc.property(texts, (body) => {
      for (const decode of [decodeSyncStateSet, decodeStringList, decodeElectMasterBody]) {
        try {
          decode(body);
        } catch (error) {
          assert.ok(error instanceof BodyError, String(error));
        }
      }
    }),
    { seed: 20_251_122, numRuns: 2_000 },
  );
});

test('the lenient reader agrees with JSON.parse on all JSON', () => {
  fc.assert(
    fc.property(fc.json({ noUnicodeString: false }), (json) => {
      const strict = JSON.stringify(JSON.parse(json), noNegativeZero);
      const lenient = parseLenientJson(json, { numbers: 'value' });
      assert.equal(JSON.stringify(lenient, integersRounded), strict);
    }),
    { seed: 20_251_122, numRuns: 1_000 },
  );
});

const noNegativeZero = (_key: string, value: unknown): unknown => (value === 0 ? 0 : value);
const integersRounded = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? Number(value) : value;

const lenient: readonly { readonly json: string; readonly value: unknown }[] = [
  { json: '{1:"a",-2:"b"}', value: { 1: 'a', '-2': 'b' } },
  { json: `{'it\\'s':'a"b'}`, value: { "it's": 'a"b' } },
  { json: '9007199254740993', value: 9007199254740993n },
  { json: '-9223372036854775808', value: -9223372036854775808n },
  { json: '1.50', value: 1.5 },
  { json: `1${'0'.repeat(60)}`, value: 1e60 },
  { json: '"\\u4e2d\\n"', value: '中\n' },
];
for (const { json, value } of lenient) {
  test(`leniently, ${json.slice(0, 24)} is read`, () => {
    assert.deepEqual(parseLenientJson(json, { numbers: 'value' }), value);
  });
}

for (const json of [
  '{a:1}',
  '{"a":1,}',
  '[1,]',
  '"\u0001"',
  '"\\x"',
  '"a',
  '01',
  '+1',
  '.5',
  'nul',
  '{',
  '',
]) {
  test(`even leniently, ${JSON.stringify(json)} is refused`, () => {
    assert.throws(() => parseLenientJson(json, { numbers: 'value' }), LenientJsonError);
  });
}
