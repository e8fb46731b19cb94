import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Elections } from './elections.js';
import { BrokerSet } from './fleet.js';

/** [asked at, answered at, master, epoch], in milliseconds from the loss. */
type Look = readonly [number, number, number, number];

interface Case {
  readonly name: string;
  /** What was said of a set whose lost master was 1, in epoch 4, with 2 in step and 3 behind. */
  readonly looks: readonly Look[];
  readonly elected: string;
  readonly wrong: string;
}

const cases: readonly Case[] = [
  {
    name: 'a set is elected when it is first seen with a new master',
    looks: [
      [10, 12, 1, 4],
      [30, 33, 2, 5],
      [50, 52, 2, 5],
    ],
    elected: '33 within 23',
    wrong: '',
  },
  { name: 'a set without any look is not elected', looks: [], elected: '', wrong: '' },
  {
    name: 'a set without a master is not elected, however high its epoch',
    looks: [[10, 12, 0, 7]],
    elected: '',
    wrong: '',
  },
  {
    name: 'a failed attempt before it raises the epoch further, and is no fault',
    looks: [
      [10, 12, 0, 5],
      [30, 33, 2, 6],
    ],
    elected: '33 within 23, repeated',
    wrong: '',
  },
  {
    name: 'an older answer that comes later changes nothing',
    looks: [
      [30, 33, 2, 5],
      [20, 40, 1, 4],
    ],
    elected: '33 within 33',
    wrong: '',
  },
  {
    name: 'the lost master must not be elected again',
    looks: [[10, 12, 1, 5]],
    elected: '12 within 12',
    wrong: 's: 1 is master in epoch 5, and is the one that was lost',
  },
  {
    name: 'who was not in step must not be elected',
    looks: [[10, 12, 3, 5]],
    elected: '12 within 12',
    wrong: 's: 3 is master in epoch 5, and was not in the SyncStateSet {1,2}',
  },
  {
    name: 'a new master needs a new epoch',
    looks: [[10, 12, 2, 4]],
    elected: '',
    wrong: 's: 2 is master in epoch 4, and so was 1',
  },
  {
    name: 'an epoch must not fall',
    looks: [[10, 12, 1, 3]],
    elected: '',
    wrong: 's: its masterEpoch fell from 4 to 3',
  },
];

for (const { name, looks, elected, wrong } of cases) {
  test(name, () => {
    const set = lostSet([1, 2]);
    const elections = new Elections([set], 1_000);
    for (const [asked, answered, masterId, masterEpoch] of looks) {
      elections.seen(set, { masterId, masterEpoch }, 1_000 + asked, 1_000 + answered);
    }
    const { electedMs, gapMs, repeated, wrong: said } = elections.result();
    const shown = electedMs.map((ms, at) => `${ms} within ${gapMs[at]}`).join();
    assert.equal(`${shown}${repeated > 0 ? ', repeated' : ''}`, elected);
    assert.equal(said.join('; '), wrong);
    assert.equal(elections.isComplete, elected !== '');
  });
}

test('two masters are a fault, in one epoch or one after the other, and are counted once a set', () => {
  const set = lostSet([1, 2, 3]);
  for (const [epoch, says] of [
    [5, 's: 3 is master in epoch 5, and so is 2'],
    [6, 's: 3 is master in epoch 6, after 2 had been elected'],
  ] as const) {
    const elections = new Elections([set], 0);
    elections.seen(set, { masterId: 2, masterEpoch: 5 }, 1, 1);
    elections.seen(set, { masterId: 3, masterEpoch: epoch }, 2, 2);
    elections.seen(set, { masterId: 3, masterEpoch: epoch }, 3, 3);
    assert.deepEqual(elections.result().wrong, [says]);
    assert.equal(elections.result().setsWrong, 1);
  }
});

test('a set is told when its last survivor knows; what a broker learns is also seen', () => {
  const set = lostSet([1, 2, 3]);
  const elections = new Elections([set], 0);
  const now = { masterId: 2, masterEpoch: 5 };
  elections.learnt(set, 3, { masterId: 1, masterEpoch: 4 }, 10);
  assert.equal(elections.isComplete, false);
  elections.learnt(set, 2, now, 20);
  assert.deepEqual([elections.isComplete, elections.isTold], [true, false]);
  elections.learnt(set, 3, now, 30);
  assert.equal(elections.isTold, true);
  assert.deepEqual(elections.result().toldMs, [30]);
});

function lostSet(syncStateSet: readonly number[]): BrokerSet {
  const set = new BrokerSet('s', 0, 3);
  set.adopt({ masterId: 1, masterEpoch: 4, syncStateSet, syncStateSetEpoch: 9 });
  return set;
}
