/** 1013 and 1003: how a broker gets its id, and how it reports for service. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApplyBrokerId, RegisterBroker } from './command.js';
import { decide } from './decide.js';
import {
  alive,
  ask,
  brokerName,
  checkCode,
  clean,
  cleaned,
  clusterName,
  elected,
  inSync,
  led,
  registered,
  type Situation,
  show,
  stateAfter,
} from './scenario.js';

const applyTwo: ApplyBrokerId = {
  kind: 'apply-broker-id',
  clusterName,
  brokerName,
  appliedBrokerId: 2,
  registerCheckCode: checkCode(2),
};
const registerTwo: RegisterBroker = {
  kind: 'register-broker',
  clusterName,
  brokerName,
  brokerId: 2,
  brokerAddress: 'y:2',
};

const names = 'clusterName=cluster-a, brokerName=set2';
const noAddress =
  '1 java.util.concurrent.ExecutionException: java.lang.ArrayIndexOutOfBoundsException: Index 0 out of bounds for length 0';

interface ApplyRow extends Situation {
  readonly name: string;
  readonly asked?: Partial<ApplyBrokerId>;
  readonly gives: string;
}

const applyRows: readonly ApplyRow[] = [
  {
    name: 'the first broker of a set takes id 1',
    given: [],
    asked: { appliedBrokerId: 1 },
    gives: `0 {${names}} => 1 is y:2`,
  },
  {
    name: 'a set does not begin with another id',
    given: [],
    gives: `2014 Broker-set: set2 hasn't been registered in controller, but broker try to apply brokerId: 2 {${names}}`,
  },
  { name: 'an unused id is free', given: [registered(1)], gives: `0 {${names}} => 2 is y:2` },
  {
    name: 'a gap is allowed',
    given: [registered(1)],
    asked: { appliedBrokerId: 7 },
    gives: `0 {${names}} => 7 is y:2`,
  },
  {
    name: 'ids 0 and below are allowed in a known set',
    given: [registered(1)],
    asked: { appliedBrokerId: -3 },
    gives: `0 {${names}} => -3 is y:2`,
  },
  {
    name: 'the same broker may ask again, which is logged again',
    given: [registered(1), registered(2)],
    gives: `0 {${names}} => 2 is y:2`,
  },
  {
    name: 'another broker may not have the same id',
    given: [registered(1), registered(2)],
    asked: { registerCheckCode: 'y:2;1700000000001' },
    gives: `2014 Fail to apply brokerId: 2 in broker-set: set2 {${names}}`,
  },
  {
    name: 'a set that lost its sync half still guards its ids',
    given: [...led, cleaned(1)],
    asked: { registerCheckCode: 'z:2;1' },
    gives: `2014 Fail to apply brokerId: 2 in broker-set: set2 {${names}}`,
  },
  {
    name: 'a set that lost its sync half is registered enough for any id',
    given: [...led, cleaned(1)],
    asked: { appliedBrokerId: 9 },
    gives: `0 {${names}} => 9 is y:2`,
  },
  {
    name: 'a missing cluster is left out of the reply',
    given: [registered(1)],
    asked: { clusterName: null },
    gives: '0 {brokerName=set2} => 2 is y:2',
  },
  {
    name: 'a code without a semicolon is all address',
    given: [registered(1)],
    asked: { registerCheckCode: 'y:2' },
    gives: `0 {${names}} => 2 is y:2`,
  },
  {
    name: 'an empty code is an empty address',
    given: [registered(1)],
    asked: { registerCheckCode: '' },
    gives: `0 {${names}} => 2 is `,
  },
  {
    name: 'a code that begins with a semicolon is an empty address',
    given: [registered(1)],
    asked: { registerCheckCode: ';5' },
    gives: `0 {${names}} => 2 is `,
  },
  {
    name: 'a code of semicolons crashes',
    given: [registered(1)],
    asked: { registerCheckCode: ';' },
    gives: noAddress,
  },
  {
    name: 'a code of more semicolons crashes before the set is looked for',
    given: [],
    asked: { registerCheckCode: ';;' },
    gives: noAddress,
  },
  {
    name: 'a missing code crashes, even for an unknown set',
    given: [],
    asked: { registerCheckCode: null },
    gives: '1 NullPointerException',
  },
  {
    name: 'a missing id crashes, even for an unknown set',
    given: [],
    asked: { appliedBrokerId: null },
    gives: '1 NullPointerException',
  },
  {
    name: 'a missing id crashes for a known set',
    given: led,
    asked: { appliedBrokerId: null },
    gives: '1 NullPointerException',
  },
  {
    name: 'a missing name crashes',
    given: led,
    asked: { brokerName: null },
    gives: '1 NullPointerException',
  },
];

for (const { name, asked, gives, ...situation } of applyRows) {
  test(`1013 ${name}`, () => {
    assert.equal(ask(situation, { ...applyTwo, ...asked }), gives);
  });
}

interface RegisterRow extends Situation {
  readonly name: string;
  readonly asked?: Partial<RegisterBroker>;
  readonly gives: string;
}

const registerRows: readonly RegisterRow[] = [
  {
    name: 'an unknown set is refused',
    given: [],
    gives: `2010 Broker-set: set2 hasn't been registered in controller {${names}}`,
  },
  {
    name: 'an unknown set comes before a missing id and address',
    given: [],
    asked: { brokerId: null, brokerAddress: null },
    gives: `2010 Broker-set: set2 hasn't been registered in controller {${names}}`,
  },
  {
    name: 'a set that lost its sync half is unknown',
    given: [...led, cleaned(1)],
    gives: `2010 Broker-set: set2 hasn't been registered in controller {${names}}`,
  },
  {
    name: 'an id that was never given out is refused',
    given: [registered(1)],
    gives: `2010 BrokerId: 2 hasn't been registered in broker-set: set2 {${names}}`,
  },
  {
    name: 'an unknown id comes before a missing address',
    given: [registered(1)],
    asked: { brokerAddress: null },
    gives: `2010 BrokerId: 2 hasn't been registered in broker-set: set2 {${names}}`,
  },
  {
    name: 'without a master there is none to tell of',
    given: [registered(1), registered(2)],
    living: [1, 2],
    gives: `0 {${names}} {"syncStateSet":[],"syncStateSetEpoch":0}`,
  },
  {
    name: 'a living master is told of',
    given: [...led, inSync(1, 2)],
    living: [1],
    gives: `0 {${names}, masterBrokerId=1, masterAddress=y:1, masterEpoch=1, syncStateSetEpoch=2} {"syncStateSet":[1,2],"syncStateSetEpoch":2}`,
  },
  {
    name: 'a dead master is not, but its set is',
    given: [...led, inSync(1, 2)],
    living: [2],
    gives: `0 {${names}} {"syncStateSet":[1,2],"syncStateSetEpoch":2}`,
  },
  {
    name: 'a master that was never registered has no address',
    given: [registered(1), registered(2), elected(42)],
    living: [42],
    gives: `0 {${names}, masterBrokerId=42, masterEpoch=1, syncStateSetEpoch=1} {"syncStateSet":[42],"syncStateSetEpoch":1}`,
  },
  {
    name: 'a new address is noted',
    given: led,
    asked: { brokerAddress: 'z:2' },
    gives: `0 {${names}} {"syncStateSet":[1],"syncStateSetEpoch":1} => 2 moved to z:2`,
  },
  {
    name: 'a master that moved is still told its old address',
    given: led,
    asked: { brokerId: 1, brokerAddress: 'z:1' },
    living: [1],
    gives: `0 {${names}, masterBrokerId=1, masterAddress=y:1, masterEpoch=1, syncStateSetEpoch=1} {"syncStateSet":[1],"syncStateSetEpoch":1} => 1 moved to z:1`,
  },
  {
    name: 'a missing cluster is left out of the reply, and nobody is alive in it',
    given: led,
    asked: { clusterName: null },
    living: [1],
    gives: '0 {brokerName=set2} {"syncStateSet":[1],"syncStateSetEpoch":1}',
  },
  {
    name: 'a missing id crashes',
    given: led,
    asked: { brokerId: null },
    gives: '1 NullPointerException',
  },
  {
    name: 'a missing address crashes',
    given: led,
    asked: { brokerAddress: null },
    gives: '1 NullPointerException',
  },
  {
    name: 'a missing name crashes',
    given: led,
    asked: { brokerName: null },
    gives: '1 NullPointerException',
  },
];

for (const { name, asked, gives, ...situation } of registerRows) {
  test(`1003 ${name}`, () => {
    assert.equal(ask(situation, { ...registerTwo, ...asked }), gives);
  });
}

test('1003 the master is alive under the cluster of the request, not that of the set', () => {
  const elsewhere = alive([1], {}, 'cluster-b');
  const asked = { ...registerTwo, clusterName: 'cluster-b' };
  assert.match(show(decide(stateAfter(led), asked, elsewhere, clean)), /masterBrokerId=1/);
  assert.doesNotMatch(
    show(decide(stateAfter(led), registerTwo, elsewhere, clean)),
    /masterBrokerId/,
  );
});
