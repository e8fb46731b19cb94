/** Who becomes master, and by what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elect } from './elect-policy.js';
import type { BrokerLiveInfo, LivenessView } from './liveness.js';

/** id → [epoch, maxOffset, electionPriority]; null: alive a moment ago, nothing known now. */
type Infos = Readonly<Record<number, readonly [number, number | bigint, number] | null>>;

interface Row {
  readonly name: string;
  /** Living brokers. */
  readonly living: Infos;
  readonly inSync: readonly number[];
  /** Absent: unclean election is off. */
  readonly all?: readonly number[];
  readonly old?: number;
  readonly preferred?: number;
  readonly gives: number | null;
}

const same = [1, 100, 5] as const;
const GIB = 2 ** 30;

const rows: readonly Row[] = [
  { name: 'nobody alive: nobody', living: {}, inSync: [1, 2], old: 1, gives: null },
  {
    name: 'the old master stays',
    living: { 1: same, 2: [9, 9, 0] },
    inSync: [1, 2],
    old: 1,
    gives: 1,
  },
  { name: 'a dead old master does not', living: { 2: same }, inSync: [1, 2], old: 1, gives: 2 },
  {
    name: 'an old master outside the candidates does not',
    living: { 1: same, 2: same },
    inSync: [2],
    old: 1,
    gives: 2,
  },
  {
    name: 'the preferred replaces a living old master',
    living: { 1: same, 2: same },
    inSync: [1, 2],
    old: 1,
    preferred: 2,
    gives: 2,
  },
  {
    name: 'the preferred or nobody',
    living: { 1: same, 3: same },
    inSync: [1, 2, 3],
    old: 1,
    preferred: 2,
    gives: null,
  },
  {
    name: 'the preferred is found among all replicas where that is allowed',
    living: { 1: same, 3: same },
    inSync: [1],
    all: [1, 2, 3],
    old: 1,
    preferred: 3,
    gives: 3,
  },
  {
    name: 'a living member of the set is taken before a better outsider',
    living: { 2: same, 3: [9, 9, 0] },
    inSync: [1, 2],
    all: [1, 2, 3],
    old: 1,
    gives: 2,
  },
  {
    name: 'an outsider is taken where nobody of the set lives',
    living: { 3: same, 4: [1, 101, 5] },
    inSync: [1, 2],
    all: [1, 2, 3, 4],
    old: 1,
    gives: 4,
  },
  {
    name: 'the higher epoch wins over more data',
    living: { 1: [2, 0, 9], 2: [1, 999, 0] },
    inSync: [1, 2],
    gives: 1,
  },
  {
    name: 'at equal epochs more data wins over priority',
    living: { 1: [1, 5, 0], 2: [1, 6, 9] },
    inSync: [1, 2],
    gives: 2,
  },
  {
    name: 'at equal data the lower priority number wins',
    living: { 1: [1, 5, 2], 2: [1, 5, 1] },
    inSync: [1, 2],
    gives: 2,
  },
  {
    name: 'equal in all, the first id wins',
    living: { 1: same, 2: same, 3: same },
    inSync: [1, 2, 3],
    gives: 1,
  },
  {
    name: '3 GiB more is more (32 bits would call it less)',
    living: { 1: [1, 0, 5], 2: [1, 3 * GIB, 5] },
    inSync: [1, 2],
    gives: 2,
  },
  {
    name: '4 GiB more is more (32 bits would call it equal)',
    living: { 1: [1, 0, 1], 2: [1, 4 * GIB, 5] },
    inSync: [1, 2],
    gives: 2,
  },
  {
    name: 'offsets beyond 2^53 are told apart',
    living: { 1: [1, 2n ** 62n, 5], 2: [1, 2n ** 62n + 1n, 5] },
    inSync: [1, 2],
    gives: 2,
  },
  {
    name: 'a small and a large offset compare by value',
    living: { 1: [1, 100, 5], 2: [1, 2n ** 60n, 5] },
    inSync: [1, 2],
    gives: 2,
  },
  {
    name: 'the same offset is the same in either form',
    living: { 1: [1, 100n, 5], 2: [1, 100, 4] },
    inSync: [1, 2],
    gives: 2,
  },
  {
    name: 'a priority below zero is lower than the default (32 bits would overflow)',
    living: { 1: [1, 5, 2147483647], 2: [1, 5, -2] },
    inSync: [1, 2],
    gives: 2,
  },
  {
    name: 'a broker that just vanished comes last',
    living: { 1: null, 2: [-1, -1, 2147483647] },
    inSync: [1, 2],
    gives: 2,
  },
  {
    name: 'where all vanished, the first is as good as any',
    living: { 1: null, 2: null },
    inSync: [1, 2],
    gives: 1,
  },
];

for (const { name, living, inSync, all, old, preferred, gives } of rows) {
  test(name, () => {
    const candidates = {
      clusterName: 'c',
      brokerName: 'b',
      syncStateSet: inSync,
      allReplicas: all ?? null,
      oldMaster: old ?? null,
      preferred: preferred ?? null,
    };
    assert.equal(elect(candidates, liveness(living)), gives);
  });
}

function liveness(living: Infos): LivenessView {
  return {
    isAlive: (_cluster, _name, id) => living[id] !== undefined,
    info: (_cluster, _name, id): BrokerLiveInfo | null => {
      const info = living[id];
      if (!info) return null;
      const [epoch, maxOffset, electionPriority] = info;
      return { epoch, maxOffset, electionPriority };
    },
  };
}
