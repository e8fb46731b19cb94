/** Reads that wait for a proof, on a leader and on a follower. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logIndex } from '../lib/brand.js';
import { ForwardedReads, LeaderReads } from './read-index.js';

/** `gives` is what the reads ask for in return; rounds start when the leader says so. */
type Step =
  | { readonly read: number; readonly at: number | null; readonly gives: string }
  | { readonly admitted: number; readonly gives: string }
  | { readonly confirmed: number; readonly gives: string }
  | { readonly heartbeat: number }
  | { readonly givesUp: string };

const cases: readonly { readonly name: string; readonly steps: readonly Step[] }[] = [
  {
    name: 'one round proves leadership for the read that started it',
    steps: [
      { read: 1, at: 7, gives: 'round 1' },
      { confirmed: 1, gives: 'ready 1@7' },
    ],
  },
  {
    name: 'reads that arrive during a round share the next',
    steps: [
      { read: 1, at: 7, gives: 'round 1' },
      { read: 2, at: 9, gives: '' },
      { read: 3, at: 9, gives: '' },
      { confirmed: 1, gives: 'ready 1@7, round 2' },
      { confirmed: 1, gives: '' },
      { confirmed: 2, gives: 'ready 2@9, ready 3@9' },
    ],
  },
  {
    name: 'a periodic heartbeat proves the reads that waited when it left, not those after it',
    steps: [
      { read: 1, at: 7, gives: 'round 1' },
      { read: 2, at: 8, gives: '' },
      { heartbeat: 2 },
      { read: 3, at: 9, gives: '' },
      { confirmed: 2, gives: 'ready 1@7, ready 2@8, round 3' },
      { confirmed: 3, gives: 'ready 3@9' },
    ],
  },
  {
    name: 'a heartbeat that nobody waits for does not hold up a read',
    steps: [{ heartbeat: 1 }, { read: 1, at: 7, gives: 'round 2' }],
  },
  {
    name: 'before an entry of the own term is committed there is no index to give',
    steps: [
      { heartbeat: 1 },
      { read: 1, at: null, gives: '' },
      { confirmed: 1, gives: '' },
      { admitted: 5, gives: 'round 2' },
      { confirmed: 2, gives: 'ready 1@5' },
    ],
  },
  {
    name: 'bounded, early reads included: the third is refused, not remembered',
    steps: [
      { read: 1, at: null, gives: '' },
      { read: 2, at: null, gives: '' },
      { read: 3, at: null, gives: 'busy' },
      { admitted: 5, gives: 'round 1' },
      { read: 4, at: 5, gives: 'busy' },
      { confirmed: 1, gives: 'ready 1@5, ready 2@5' },
      { read: 5, at: 5, gives: 'round 2' },
    ],
  },
  {
    name: 'a leader that steps down gives up all, and goes on counting',
    steps: [
      { read: 1, at: 7, gives: 'round 1' },
      { read: 2, at: null, gives: '' },
      { givesUp: '1, 2' },
      { confirmed: 1, gives: '' },
      { read: 3, at: 7, gives: 'round 2' },
    ],
  },
];

for (const { name, steps } of cases) {
  test(name, () => {
    const reads = new LeaderReads(2 + Number(!name.startsWith('bounded')));
    for (const step of steps) take(reads, step);
  });
}

test('a follower takes an answer once, and only one of its own', () => {
  const reads = new ForwardedReads(2, 7);
  const id = reads.add(1, 0);
  assert(id !== 'busy');
  assert.equal(reads.take(id + 1), undefined);
  assert.equal(reads.take(id), 1);
  assert.equal(reads.take(id), undefined);
});

test('a follower forwards so many reads and no more', () => {
  const reads = new ForwardedReads(2, 7);
  reads.add(1, 0);
  reads.add(2, 10);
  assert.equal(reads.add(3, 20), 'busy');
  assert.deepEqual(reads.expire(9), [1]);
  assert.notEqual(reads.add(3, 20), 'busy');
  assert.deepEqual(reads.giveUp(), [2, 3]);
  assert.deepEqual(reads.giveUp(), []);
});

test('two lives of a follower do not share ids', () => {
  const [first, second] = [new ForwardedReads(1, 1), new ForwardedReads(1, 0xffff_ffff)];
  const [a, b] = [first.add(1, 0), second.add(1, 0)];
  assert(a !== 'busy' && b !== 'busy' && a !== b);
  assert(Number.isSafeInteger(b + 2 ** 30));
});

function take(reads: LeaderReads, step: Step): void {
  if ('heartbeat' in step) {
    assert.equal(reads.startRound(), step.heartbeat);
  } else if ('givesUp' in step) {
    assert.equal(
      reads
        .giveUp()
        .map(({ read }) => read)
        .join(', '),
      step.givesUp,
    );
  } else {
    assert.equal(respond(reads, step).join(', '), step.gives);
  }
}

function respond(
  reads: LeaderReads,
  step: Exclude<Step, { readonly heartbeat: number } | { readonly givesUp: string }>,
): readonly string[] {
  const said: string[] = [];
  if ('read' in step) {
    const commitIndex = step.at === null ? null : logIndex(step.at);
    if (reads.add(step.read, { asker: null, commitIndex }) === 'busy') said.push('busy');
  } else if ('admitted' in step) {
    reads.admitEarly(logIndex(step.admitted));
  } else {
    said.push(...reads.confirm(step.confirmed).map(({ read, index }) => `ready ${read}@${index}`));
  }
  if (reads.needsRound) said.push(`round ${reads.startRound()}`);
  return said;
}
