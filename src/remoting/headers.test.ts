/** Java's reading of the named parameters: defaults, bad text, and what is kept exactly. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonString } from '../lib/json-text.js';
import {
  readAlterSyncStateSet,
  readAlterSyncStateSetReply,
  readApplyBrokerId,
  readBrokerHeartbeat,
  readCleanBrokerData,
  readControllerMetadata,
  readElectMaster,
  readGetNextBrokerId,
  readGetReplicaInfo,
  readMaster,
  readNextBrokerId,
  readNotifyBrokerRoleChanged,
  readRegisterBroker,
} from './headers.js';
import {
  parseJavaInt,
  parseJavaLong,
  parseJavaLongExact,
  parseJavaLongRounded,
} from './java-numbers.js';
import { extFieldsJson } from './json-text.js';

const numbers: readonly {
  readonly text: string | undefined;
  readonly int: number | null;
  readonly long: number | null;
  readonly rounded: number | null;
}[] = [
  { text: '0', int: 0, long: 0, rounded: 0 },
  { text: '-0', int: 0, long: 0, rounded: 0 },
  { text: '+2', int: 2, long: 2, rounded: 2 },
  { text: '003', int: 3, long: 3, rounded: 3 },
  { text: '-17', int: -17, long: -17, rounded: -17 },
  { text: '', int: null, long: null, rounded: null },
  { text: '-', int: null, long: null, rounded: null },
  { text: ' 2', int: null, long: null, rounded: null },
  { text: '2 ', int: null, long: null, rounded: null },
  { text: '1.0', int: null, long: null, rounded: null },
  { text: '1e3', int: null, long: null, rounded: null },
  { text: '0x10', int: null, long: null, rounded: null },
  { text: '--1', int: null, long: null, rounded: null },
  { text: undefined, int: null, long: null, rounded: null },
  { text: '2147483647', int: 2147483647, long: 2147483647, rounded: 2147483647 },
  { text: '2147483648', int: null, long: 2147483648, rounded: 2147483648 },
  { text: '-2147483648', int: -2147483648, long: -2147483648, rounded: -2147483648 },
  { text: '-2147483649', int: null, long: -2147483649, rounded: -2147483649 },
  { text: '9007199254740991', int: null, long: 2 ** 53 - 1, rounded: 2 ** 53 - 1 },
  { text: '9007199254740993', int: null, long: null, rounded: 2 ** 53 },
  { text: '+9223372036854775807', int: null, long: null, rounded: 2 ** 63 },
  { text: '-9223372036854775808', int: null, long: null, rounded: -(2 ** 63) },
  { text: '9223372036854775808', int: null, long: null, rounded: null },
  { text: '9'.repeat(400), int: null, long: null, rounded: null },
];
for (const { text, int, long, rounded } of numbers) {
  test(`"${text?.slice(0, 24)}" as int, long and rounded long`, () => {
    assert.deepEqual(
      [parseJavaInt(text), parseJavaLong(text), parseJavaLongRounded(text)],
      [int, long, rounded],
    );
  });
}

test('an offset beyond 2^53 survives exactly', () => {
  assert.equal(parseJavaLongExact('9007199254740993'), 9007199254740993n);
  assert.equal(parseJavaLongExact('-9223372036854775808'), -(2n ** 63n));
  assert.equal(parseJavaLongExact('9223372036854775808'), null);
  assert.equal(parseJavaLongExact('5'), 5);
});

test('a negative zero does not survive', () => {
  assert.ok(Object.is(parseJavaInt('-0'), 0));
});

test('without extFields every header has its defaults', () => {
  assert.deepEqual(readBrokerHeartbeat(null), {
    clusterName: null,
    brokerAddr: null,
    brokerName: null,
    brokerId: null,
    epoch: null,
    maxOffset: null,
    confirmOffset: null,
    heartbeatTimeoutMills: null,
    electionPriority: null,
  });
  assert.deepEqual(readAlterSyncStateSet(null), {
    brokerName: null,
    masterBrokerId: null,
    masterEpoch: null,
    invokeTime: null,
  });
  assert.deepEqual(readElectMaster(null), {
    clusterName: '',
    brokerName: '',
    brokerId: -1,
    designateElect: false,
    invokeTime: null,
  });
  assert.deepEqual(readRegisterBroker(null), {
    clusterName: null,
    brokerName: null,
    brokerId: null,
    brokerAddress: null,
    invokeTime: null,
  });
  assert.deepEqual(readGetReplicaInfo(null), { brokerName: null });
  assert.deepEqual(readCleanBrokerData(null), {
    clusterName: null,
    brokerName: null,
    brokerControllerIdsToClean: null,
    isCleanLivingBroker: false,
    invokeTime: null,
  });
  assert.deepEqual(readGetNextBrokerId(null), { clusterName: null, brokerName: null });
  assert.deepEqual(readApplyBrokerId(null), {
    clusterName: null,
    brokerName: null,
    appliedBrokerId: null,
    registerCheckCode: null,
  });
  assert.deepEqual(readAlterSyncStateSetReply(null), { newSyncStateSetEpoch: 0 });
  assert.deepEqual(readNextBrokerId(null), { nextBrokerId: null });
  assert.deepEqual(readControllerMetadata(null), {
    group: null,
    controllerLeaderId: null,
    controllerLeaderAddress: null,
    isLeader: false,
    peers: null,
  });
});

const heartbeat = {
  clusterName: 'c',
  brokerAddr: '10.0.0.1:10911',
  brokerName: 'b',
  brokerId: 1,
  epoch: 3,
  maxOffset: 123_456_789_012,
  confirmOffset: -1,
  heartbeatTimeoutMills: 10_000,
  electionPriority: 2147483647,
};
const apply = {
  clusterName: 'c',
  brokerName: 'b',
  appliedBrokerId: 4,
  registerCheckCode: 'a:1;5',
};
const clean = {
  clusterName: 'c',
  brokerName: 'b',
  brokerControllerIdsToClean: '1;2',
  isCleanLivingBroker: true,
  invokeTime: 1_795_322_027_155,
};
const register = {
  clusterName: 'c',
  brokerName: 'b',
  brokerId: 1,
  brokerAddress: 'a:1',
  invokeTime: 5,
};
const metadata = {
  group: 'g',
  controllerLeaderId: 'n0',
  controllerLeaderAddress: '1.1.1.1:9878',
  isLeader: true,
  peers: 'n0:1.1.1.1:9878;',
};
const alter = { brokerName: 'ü"', masterBrokerId: 1, masterEpoch: 2, invokeTime: 7 };
const elect = {
  clusterName: 'c',
  brokerName: 'b',
  brokerId: 2,
  designateElect: true,
  invokeTime: 7,
};
const master = { masterBrokerId: 2, masterAddress: 'y:2', masterEpoch: 4, syncStateSetEpoch: 3 };

test('every header written is the header read', () => {
  assert.deepEqual(readBrokerHeartbeat(written(heartbeat)), heartbeat);
  assert.deepEqual(readApplyBrokerId(written(apply)), apply);
  assert.deepEqual(readCleanBrokerData(written(clean)), clean);
  assert.deepEqual(readRegisterBroker(written(register)), register);
  assert.deepEqual(readControllerMetadata(written(metadata)), metadata);
  assert.deepEqual(readAlterSyncStateSet(written(alter)), alter);
  assert.deepEqual(readElectMaster(written(elect)), elect);
  assert.deepEqual(readMaster(written(master)), master);
  assert.deepEqual(readNotifyBrokerRoleChanged(written(master)), master);
  assert.deepEqual(readNextBrokerId(written({ nextBrokerId: 9 })), { nextBrokerId: 9 });
  assert.deepEqual(readGetReplicaInfo(written({ brokerName: 'b' })), { brokerName: 'b' });
});

test('absent parameters are not written', () => {
  assert.equal(extFieldsJson({ a: null, b: undefined, c: false, d: 0 }), '{"c":"false","d":"0"}');
  assert.equal(extFieldsJson({ a: null }), '{}');
});

test('text is escaped exactly when JSON needs it', () => {
  assert.equal(jsonString('broker-set 1/~'), '"broker-set 1/~"');
  assert.equal(jsonString('a"\\\u0001\ud800'), '"a\\"\\\\\\u0001\\ud800"');
});

function written(header: Parameters<typeof extFieldsJson>[0]): Record<string, string> {
  return JSON.parse(extFieldsJson(header)) as Record<string, string>;
}
