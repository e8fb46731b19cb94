/** 1001: every check, its order against the next, and what null means. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlterSyncStateSet } from './command.js';
import { ask, brokerName, cleaned, elected, led, registered, type Situation } from './scenario.js';

/** What master 1 sends when 2 has caught up; each row changes something about it. */
const expand: AlterSyncStateSet = {
  kind: 'alter-sync-state-set',
  brokerName,
  masterBrokerId: 1,
  masterEpoch: 1,
  syncStateSet: [1, 2],
  syncStateSetEpoch: 1,
};

const refused = '{newSyncStateSetEpoch=0}';
const because = 'Rejecting alter syncStateSet request because';
const equal =
  '2013 The newSyncStateSet is equal with oldSyncStateSet, no needed to update syncStateSet';

interface Row extends Partial<Situation> {
  readonly name: string;
  readonly asked?: Partial<AlterSyncStateSet>;
  readonly gives: string;
}

const rows: readonly Row[] = [
  {
    name: 'a living replica that caught up joins the set',
    gives: '0 {newSyncStateSetEpoch=2} {"syncStateSet":[1,2],"syncStateSetEpoch":2} => in sync 1,2',
  },
  {
    name: 'order and repeats in the proposal do not matter',
    asked: { syncStateSet: [3, 1, 2, 3] },
    gives:
      '0 {newSyncStateSetEpoch=2} {"syncStateSet":[1,2,3],"syncStateSetEpoch":2} => in sync 1,2,3',
  },
  {
    name: '1: an unknown set is refused',
    given: [],
    gives: `2013 Broker metadata is not existed ${refused}`,
  },
  {
    name: '1: a set that lost its sync half is unknown',
    given: [...led, cleaned(1)],
    gives: `2013 Broker metadata is not existed ${refused}`,
  },
  {
    name: '1 before a missing body',
    given: [],
    asked: { syncStateSet: null },
    gives: `2013 Broker metadata is not existed ${refused}`,
  },
  {
    name: 'a missing body on a known set crashes',
    asked: { syncStateSet: null },
    gives: '1 NullPointerException',
  },
  {
    name: 'a missing name crashes',
    asked: { brokerName: null },
    gives: '1 NullPointerException',
  },
  {
    name: '2: the set as it is already is refused',
    asked: { syncStateSet: [1] },
    gives: `${equal} ${refused}`,
  },
  {
    name: '2: repeats do not make it another set',
    asked: { syncStateSet: [1, 1] },
    gives: `${equal} ${refused}`,
  },
  {
    name: '2: nobody in step yet, and nobody proposed',
    given: [registered(1)],
    asked: { syncStateSet: [] },
    gives: `${equal} ${refused}`,
  },
  {
    name: '2 before 3: the equal set of a wrong master is equal',
    asked: { syncStateSet: [1], masterBrokerId: 2 },
    gives: `${equal} ${refused}`,
  },
  {
    name: '3: another than the master is refused',
    asked: { masterBrokerId: 2 },
    gives: `2002 ${because} the current leader is:{1}, not {2} ${refused}`,
  },
  {
    name: '3: nobody is master',
    given: [...led, elected(null)],
    gives: `2002 ${because} the current leader is:{null}, not {1} ${refused}`,
  },
  {
    name: '3: a master id that is missing',
    asked: { masterBrokerId: null },
    gives: `2002 ${because} the current leader is:{1}, not {null} ${refused}`,
  },
  {
    name: '3: no master and no id still do not match',
    given: [...led, elected(null)],
    asked: { masterBrokerId: null },
    gives: `2002 ${because} the current leader is:{null}, not {null} ${refused}`,
  },
  {
    name: '3 before a missing master epoch',
    asked: { masterBrokerId: 2, masterEpoch: null },
    gives: `2002 ${because} the current leader is:{1}, not {2} ${refused}`,
  },
  {
    name: '3 before 4',
    asked: { masterBrokerId: 2, masterEpoch: 9 },
    gives: `2002 ${because} the current leader is:{1}, not {2} ${refused}`,
  },
  {
    name: 'a missing master epoch crashes',
    asked: { masterEpoch: null },
    gives: '1 NullPointerException',
  },
  {
    name: '4: an old master epoch is fenced',
    given: [...led, elected(null), elected(1)],
    gives: `2000 ${because} the current master epoch is:{3}, not {1} ${refused}`,
  },
  {
    name: '4: a master epoch from the future is fenced, too',
    asked: { masterEpoch: 3 },
    gives: `2000 ${because} the current master epoch is:{1}, not {3} ${refused}`,
  },
  {
    name: '4 before 5',
    asked: { masterEpoch: 3, syncStateSetEpoch: 9 },
    gives: `2000 ${because} the current master epoch is:{1}, not {3} ${refused}`,
  },
  {
    name: '5: a master that missed a change is fenced',
    asked: { syncStateSetEpoch: 7 },
    gives: `2001 ${because} the current syncStateSet epoch is:{1}, not {7} ${refused}`,
  },
  {
    name: '5: a missing set epoch counts as 0',
    asked: { syncStateSetEpoch: null },
    gives: `2001 ${because} the current syncStateSet epoch is:{1}, not {0} ${refused}`,
  },
  {
    name: '5 before 6a',
    asked: { syncStateSetEpoch: 7, syncStateSet: [1, 9] },
    gives: `2001 ${because} the current syncStateSet epoch is:{1}, not {7} ${refused}`,
  },
  {
    name: '6a: an id that was never given out is refused',
    asked: { syncStateSet: [1, 9] },
    gives: `2003 ${because} the replicas {9} don't exist ${refused}`,
  },
  {
    name: '6b: a dead replica is refused',
    asked: { syncStateSet: [1, 3] },
    living: [1, 2],
    gives: `2006 ${because} the replicas {3} don't alive ${refused}`,
  },
  {
    name: '6b: the master itself must be alive, too',
    living: [2],
    gives: `2006 ${because} the replicas {1} don't alive ${refused}`,
  },
  {
    name: '6a and 6b take turns by id: a dead 2 comes before an unknown 9',
    asked: { syncStateSet: [9, 2, 1] },
    living: [1],
    gives: `2006 ${because} the replicas {2} don't alive ${refused}`,
  },
  {
    name: '6 before 7: an unknown id in a set without the master',
    asked: { syncStateSet: [9] },
    gives: `2003 ${because} the replicas {9} don't exist ${refused}`,
  },
  {
    name: '7: the master cannot leave its own set',
    asked: { syncStateSet: [2, 3] },
    gives: `2013 ${because} the newSyncStateSet don't contains origin leader {1} ${refused}`,
  },
  {
    name: '7: an empty set leaves the master out',
    asked: { syncStateSet: [] },
    gives: `2013 ${because} the newSyncStateSet don't contains origin leader {1} ${refused}`,
  },
];

for (const { name, given = led, living = [1, 2, 3], asked, gives } of rows) {
  test(`1001 ${name}`, () => {
    assert.equal(ask({ given, living }, { ...expand, ...asked }), gives);
  });
}
