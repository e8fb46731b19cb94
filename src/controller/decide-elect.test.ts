/** 1002: every step of the algorithm, for each of the three who may ask. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ElectMaster } from './command.js';
import { decide } from './decide.js';
import type { ControllerEvent } from './event.js';
import {
  alive,
  ask,
  brokerName,
  clean,
  cleaned,
  elected,
  inSync,
  led,
  registered,
  type Situation,
  stateAfter,
  unclean,
} from './scenario.js';

const command = (brokerId: number | null, designateElect = false): ElectMaster => ({
  kind: 'elect-master',
  brokerName,
  brokerId,
  designateElect,
});
const byBroker = (brokerId: number): ElectMaster => command(brokerId);
const byOperator = (brokerId: number): ElectMaster => command(brokerId, true);
const byController = command(-1);

const fresh: readonly ControllerEvent[] = [registered(1), registered(2)];
const bothInSync: readonly ControllerEvent[] = [...fresh, elected(1), inSync(1, 2)];

const group =
  '"brokerMemberGroup":{"brokerAddrs":{"1":"y:1","2":"y:2"},"brokerName":"set2","cluster":"cluster-a"}';
const first = 'masterEpoch=1, syncStateSetEpoch=1';
const unchanged = 'The old master 1 is still alive, not need to elect new master for broker set2';
const nobody = '2004 Old master has down and failed to elect a new broker master {}';
const failed = '2012 Failed to elect a new master {}';

interface Row extends Situation {
  readonly name: string;
  readonly asked: ElectMaster;
  readonly gives: string;
}

const rows: readonly Row[] = [
  {
    name: '1: an unknown set is refused',
    given: [],
    asked: byBroker(1),
    gives: "2010 Broker hasn't been registered {}",
  },
  {
    name: '1: a missing name is the empty name, hence unknown',
    given: fresh,
    asked: { ...byBroker(1), brokerName: null },
    gives: "2010 Broker hasn't been registered {}",
  },
  {
    name: '1: a set that lost its sync half is unknown',
    given: [...led, cleaned(1)],
    asked: byBroker(2),
    living: [2],
    gives: "2010 Broker hasn't been registered {}",
  },
  {
    name: '3: the first to ask is the first master, alive or not',
    given: fresh,
    asked: byBroker(1),
    gives: `0 {masterBrokerId=1, masterAddress=y:1, ${first}} {${group},"syncStateSet":[1]} => master 1`,
  },
  {
    name: '3: even a broker that was never registered, which then has no address',
    given: fresh,
    asked: byBroker(42),
    gives: `0 {masterBrokerId=42, ${first}} {${group},"syncStateSet":[42]} => master 42`,
  },
  {
    name: '3: an operator may name the first master, too',
    given: fresh,
    asked: byOperator(2),
    gives: `0 {masterBrokerId=2, masterAddress=y:2, ${first}} {${group},"syncStateSet":[2]} => master 2`,
  },
  {
    name: '4: the controller itself finds nobody in a set that never had a master, and logs it',
    given: fresh,
    asked: byController,
    living: [1, 2],
    gives: `${nobody} => master none`,
  },
  {
    name: '4: a missing id is the controller, too',
    given: fresh,
    asked: command(null),
    living: [1, 2],
    gives: `${nobody} => master none`,
  },
  {
    name: '4: after that, the first to ask is not first any more',
    given: [...fresh, elected(null)],
    asked: byBroker(1),
    living: [1, 2],
    gives: failed,
  },
  {
    name: '4: with unclean election, the controller finds the best living replica',
    given: fresh,
    asked: byController,
    living: [2],
    options: unclean,
    gives: `0 {masterBrokerId=2, masterAddress=y:2, ${first}} {${group},"syncStateSet":[2]} => master 2`,
  },
  {
    name: '5: a living master stays',
    given: bothInSync,
    asked: byBroker(2),
    living: [1, 2],
    gives: `2011 ${unchanged} {masterBrokerId=1, masterAddress=y:1, masterEpoch=1, syncStateSetEpoch=2} {"syncStateSet":[1,2]}`,
  },
  {
    name: '5: the controller leaves a living master, too',
    given: bothInSync,
    asked: byController,
    living: [1, 2],
    gives: `2011 ${unchanged} {masterBrokerId=1, masterAddress=y:1, masterEpoch=1, syncStateSetEpoch=2} {"syncStateSet":[1,2]}`,
  },
  {
    name: '5: an operator that names the master changes nothing',
    given: bothInSync,
    asked: byOperator(1),
    living: [1, 2],
    gives: `2011 ${unchanged} {masterBrokerId=1, masterAddress=y:1, masterEpoch=1, syncStateSetEpoch=2} {"syncStateSet":[1,2]}`,
  },
  {
    name: '5: a living master that was never registered stays without an address',
    given: [...fresh, elected(42)],
    asked: byBroker(1),
    living: [1, 42],
    gives:
      '2011 The old master 42 is still alive, not need to elect new master for broker set2 {masterBrokerId=42, masterEpoch=1, syncStateSetEpoch=1} {"syncStateSet":[42]}',
  },
  {
    name: '6: a dead master is followed by a living member of the SyncStateSet, whoever asks',
    given: [...bothInSync, registered(3)],
    asked: byBroker(3),
    living: [2, 3],
    gives: `0 {masterBrokerId=2, masterAddress=y:2, masterEpoch=2, syncStateSetEpoch=3} {"brokerMemberGroup":{"brokerAddrs":{"1":"y:1","2":"y:2","3":"y:3"},"brokerName":"set2","cluster":"cluster-a"},"syncStateSet":[2]} => master 2`,
  },
  {
    name: '6: an operator moves a living master to the replica it names',
    given: bothInSync,
    asked: byOperator(2),
    living: [1, 2],
    gives: `0 {masterBrokerId=2, masterAddress=y:2, masterEpoch=2, syncStateSetEpoch=3} {${group},"syncStateSet":[2]} => master 2`,
  },
  {
    name: '7: outside the SyncStateSet nobody follows a dead master',
    given: [...fresh, elected(1)],
    asked: byBroker(2),
    living: [2],
    gives: failed,
  },
  {
    name: '7: the controller logs that the master is gone',
    given: [...fresh, elected(1)],
    asked: byController,
    living: [2],
    gives: `${nobody} => master none`,
  },
  {
    name: '7: unless unclean election is on',
    given: [...fresh, elected(1)],
    asked: byController,
    living: [2],
    options: unclean,
    gives: `0 {masterBrokerId=2, masterAddress=y:2, masterEpoch=2, syncStateSetEpoch=2} {${group},"syncStateSet":[2]} => master 2`,
  },
  {
    name: '7: an operator that names a dead replica moves nobody',
    given: bothInSync,
    asked: byOperator(2),
    living: [1],
    gives: failed,
  },
  {
    name: '7: an operator that names a stranger moves nobody, even with unclean election',
    given: bothInSync,
    asked: byOperator(42),
    living: [1, 2],
    options: unclean,
    gives: failed,
  },
  {
    name: '7: an operator that names nobody deposes a living master',
    given: bothInSync,
    asked: byOperator(-1),
    living: [1, 2],
    gives: `${nobody} => master none`,
  },
  {
    name: 'a set registered without a cluster has none in its group',
    given: [
      {
        kind: 'broker-id-applied',
        clusterName: null,
        brokerName,
        brokerId: 1,
        brokerAddress: 'say "y"',
        registerCheckCode: '',
      },
    ],
    asked: byBroker(1),
    gives: `0 {masterBrokerId=1, masterAddress=say "y", ${first}} {"brokerMemberGroup":{"brokerAddrs":{"1":"say \\"y\\""},"brokerName":"set2"},"syncStateSet":[1]} => master 1`,
  },
];

for (const { name, asked, gives, ...situation } of rows) {
  test(`1002 ${name}`, () => {
    assert.equal(ask(situation, asked), gives);
  });
}

test('1002 brokers are alive under the cluster stored with the set, not another', () => {
  const state = stateAfter(bothInSync);
  const elsewhere = alive([1, 2], {}, 'cluster-b');
  assert.equal(decide(state, byBroker(2), elsewhere, clean).reply.code, 2012);
  assert.equal(decide(state, byBroker(2), alive([1, 2]), clean).reply.code, 2011);
});

test('1002 an election tells all registered members, with the epochs that it made', () => {
  const { roleChange } = decide(stateAfter(bothInSync), byController, alive([2]), clean);
  assert.deepEqual(roleChange, {
    clusterName: 'cluster-a',
    brokerName: 'set2',
    members: [
      { brokerId: 1, address: 'y:1' },
      { brokerId: 2, address: 'y:2' },
    ],
    fields: [
      ['masterBrokerId', '2'],
      ['masterAddress', 'y:2'],
      ['masterEpoch', '2'],
      ['syncStateSetEpoch', '3'],
    ],
    body: '{"syncStateSet":[2],"syncStateSetEpoch":3}',
  });
});

test('1002 without a new master nobody is told', () => {
  const state = stateAfter(bothInSync);
  assert.equal(decide(state, byController, alive([1]), clean).roleChange, null);
  assert.equal(decide(state, byController, alive([]), clean).roleChange, null);
});
