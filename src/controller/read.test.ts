/** 1012, 1004, 1006 and the scan for lost masters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControllerEvent } from './event.js';
import { nextBrokerId, replicaInfo, setsToElect, syncStateData } from './read.js';
import {
  alive,
  brokerName,
  cleaned,
  clusterName,
  elected,
  inSync,
  led,
  registered,
  showReply,
  stateAfter,
} from './scenario.js';

interface Row {
  readonly name: string;
  readonly given: readonly ControllerEvent[];
  readonly gives: string;
}

const names = 'clusterName=cluster-a, brokerName=set2';
const nextIdRows: readonly Row[] = [
  { name: 'an unknown set begins at 1', given: [], gives: `0 {${names}, nextBrokerId=1}` },
  {
    name: 'a known set counts its additions',
    given: [registered(1), registered(7)],
    gives: `0 {${names}, nextBrokerId=3}`,
  },
  {
    name: 'a set that lost its sync half goes on counting',
    given: [...led, cleaned(1)],
    gives: `0 {${names}, nextBrokerId=4}`,
  },
  {
    name: 'a set that lost its registered half begins at 1',
    given: [registered(1), elected(42), cleaned(1)],
    gives: `0 {${names}, nextBrokerId=1}`,
  },
];

for (const { name, given, gives } of nextIdRows) {
  test(`1012 ${name}`, () => {
    assert.equal(showReply(nextBrokerId(stateAfter(given), { clusterName, brokerName })), gives);
  });
}

test('1012 a missing cluster is left out of the reply', () => {
  const reply = nextBrokerId(stateAfter([]), { clusterName: null, brokerName });
  assert.equal(showReply(reply), '0 {brokerName=set2, nextBrokerId=1}');
});

test('1012 a missing name crashes', () => {
  const reply = nextBrokerId(stateAfter(led), { clusterName, brokerName: null });
  assert.equal(showReply(reply), '1 NullPointerException');
});

const replicaInfoRows: readonly Row[] = [
  {
    name: 'an unknown set is refused with empty fields',
    given: [],
    gives: '2008 Broker metadata is not existed {}',
  },
  {
    name: 'half a set is unknown',
    given: [...led, cleaned(1)],
    gives: '2008 Broker metadata is not existed {}',
  },
  {
    name: 'without a master there is its epoch only',
    given: [registered(1)],
    gives: '0 {masterEpoch=0} {"syncStateSet":[],"syncStateSetEpoch":0}',
  },
  {
    name: 'the master is named',
    given: [...led, inSync(1, 3)],
    gives:
      '0 {masterBrokerId=1, masterAddress=y:1, masterEpoch=1} {"syncStateSet":[1,3],"syncStateSetEpoch":2}',
  },
  {
    name: 'a master that was cleaned has no address',
    given: [...led, inSync(1, 3), cleaned(1)],
    gives: '0 {masterBrokerId=1, masterEpoch=1} {"syncStateSet":[3],"syncStateSetEpoch":2}',
  },
];

for (const { name, given, gives } of replicaInfoRows) {
  test(`1004 ${name}`, () => {
    assert.equal(showReply(replicaInfo(stateAfter(given), brokerName)), gives);
  });
}

test('1004 a missing name crashes', () => {
  assert.equal(showReply(replicaInfo(stateAfter(led), null)), '1 NullPointerException');
});

const replica = (id: number, isAlive: boolean): string =>
  `{"alive":${isAlive},"brokerAddress":"y:${id}","brokerId":${id},"brokerName":"set2"}`;

test('1006 replicas are listed by whether they are in step, with what is known of their life', () => {
  const reply = syncStateData(stateAfter([...led, inSync(1, 3)]), [brokerName], alive([1, 2]));
  assert.equal(
    showReply(reply),
    `0 {"replicasInfoTable":{"set2":{"inSyncReplicas":[${replica(1, true)},${replica(3, false)}],` +
      '"masterAddress":"y:1","masterBrokerId":1,"masterEpoch":1,' +
      `"notInSyncReplicas":[${replica(2, true)}],"syncStateSetEpoch":2}}}`,
  );
});

test('1006 without a master its keys are left out', () => {
  const reply = syncStateData(stateAfter([registered(1)]), [brokerName], alive([]));
  assert.equal(
    reply.body,
    '{"replicasInfoTable":{"set2":{"inSyncReplicas":[],"masterEpoch":0,' +
      `"notInSyncReplicas":[${replica(1, false)}],"syncStateSetEpoch":0}}}`,
  );
});

test('1006 unknown and half known sets are left out, and each name answers once', () => {
  const half = syncStateData(stateAfter([...led, cleaned(1)]), [brokerName], alive([]));
  assert.equal(half.body, '{"replicasInfoTable":{}}');
  const one = syncStateData(stateAfter(led), [brokerName], alive([]));
  const thrice = syncStateData(
    stateAfter(led),
    [brokerName, 'nobody', brokerName, brokerName],
    alive([]),
  );
  assert.equal(thrice.body, one.body);
});

test('1006 without any name is upstream’s odd refusal', () => {
  const reply = syncStateData(stateAfter(led), [], alive([]));
  assert.equal(showReply(reply), '1 not set any response code');
});

test('1006 names that need escaping give JSON all the same', () => {
  const odd = 'a"b\\c\n';
  const given: ControllerEvent[] = [{ ...registeredAs(odd), brokerAddress: '"' }];
  const { body } = syncStateData(stateAfter(given), [odd], alive([]));
  assert.deepEqual(JSON.parse(String(body)), {
    replicasInfoTable: {
      [odd]: {
        inSyncReplicas: [],
        masterEpoch: 0,
        notInSyncReplicas: [{ alive: false, brokerAddress: '"', brokerId: 1, brokerName: odd }],
        syncStateSetEpoch: 0,
      },
    },
  });
});

interface ScanRow extends Row {
  readonly living: readonly number[];
}

const scanRows: readonly ScanRow[] = [
  { name: 'a dead master with a living replica', given: led, living: [2], gives: 'set2' },
  { name: 'not a living master', given: led, living: [1, 2], gives: '' },
  { name: 'not a set of which nobody lives', given: led, living: [], gives: '' },
  { name: 'not a set without a master', given: [...led, elected(null)], living: [2], gives: '' },
  { name: 'not half a set', given: [...led, cleaned(1)], living: [2], gives: '' },
  {
    name: 'not the other half, over which upstream’s scan stumbles',
    given: [registered(1), elected(42), cleaned(1)],
    living: [1],
    gives: '',
  },
];

for (const { name, given, living, gives } of scanRows) {
  test(`the scan finds: ${name}`, () => {
    assert.equal(setsToElect(stateAfter(given), alive(living)).join(), gives);
  });
}

test('the scan goes in order of name', () => {
  const given = ['b', 'a', 'c'].flatMap((name): ControllerEvent[] => [
    registeredAs(name),
    { ...registeredAs(name), brokerId: 2 },
    { kind: 'master-elected', brokerName: name, masterBrokerId: 1 },
  ]);
  assert.deepEqual(setsToElect(stateAfter(given), alive([2])), ['a', 'b', 'c']);
});

function registeredAs(name: string): ControllerEvent & { kind: 'broker-id-applied' } {
  return {
    kind: 'broker-id-applied',
    clusterName,
    brokerName: name,
    brokerId: 1,
    brokerAddress: 'y:1',
    registerCheckCode: '',
  };
}
