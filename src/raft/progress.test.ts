/** The leader's view of one follower, as sentences: what happened, what may be sent next. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LogIndex, logIndex } from '../lib/brand.js';
import { Progress } from './progress.js';

const lastIndex = logIndex(20);
const perPush = 3;
const retransmitAfterMs = 50;

type Step =
  | { readonly at: number; readonly sends: string }
  | { readonly matched: number }
  | { readonly mismatched: readonly [number, number] };

const cases: readonly { readonly name: string; readonly steps: readonly Step[] }[] = [
  {
    name: 'compare first, one question at a time; then stream up to the window',
    steps: [
      { at: 0, sends: 'compare 20' },
      { at: 10, sends: '' },
      { mismatched: [20, 8] },
      { at: 10, sends: 'compare 8' },
      { matched: 8 },
      { at: 10, sends: '9..11 12..14 15..17' },
      { at: 20, sends: '' },
      { matched: 11 },
      { at: 20, sends: '18..20' },
    ],
  },
  {
    name: 'acks are cumulative, come for any index, and may come twice',
    steps: [
      { at: 0, sends: 'compare 20' },
      { matched: 8 },
      { at: 0, sends: '9..11 12..14 15..17' },
      { matched: 13 },
      { at: 0, sends: '18..20' },
      { matched: 13 },
      { matched: 9 },
      { at: 0, sends: '' },
      { matched: 20 },
      { at: 100, sends: '' },
    ],
  },
  {
    name: 'an overdue push is sent again alone, and an ack opens the window',
    steps: [
      { at: 0, sends: 'compare 20' },
      { matched: 8 },
      { at: 0, sends: '9..11 12..14 15..17' },
      { at: 50, sends: '9..11' },
      { at: 60, sends: '' },
      { matched: 17 },
      { at: 60, sends: '18..20' },
    ],
  },
  {
    name: 'overdue again: compare where the match was, until there is an answer',
    steps: [
      { at: 0, sends: 'compare 20' },
      { matched: 8 },
      { at: 0, sends: '9..11 12..14 15..17' },
      { at: 50, sends: '9..11' },
      { at: 100, sends: 'compare 8' },
      { at: 150, sends: 'compare 8' },
      { matched: 17 },
      { at: 150, sends: '18..20' },
    ],
  },
  {
    name: 'an answer to an earlier comparison is not an answer to this one',
    steps: [
      { at: 0, sends: 'compare 20' },
      { mismatched: [20, 8] },
      { at: 0, sends: 'compare 8' },
      { mismatched: [20, 8] },
      { at: 0, sends: '' },
      { mismatched: [8, 5] },
      { at: 0, sends: 'compare 5' },
    ],
  },
  {
    name: 'a proposal to compare that goes nowhere still goes down',
    steps: [
      { at: 0, sends: 'compare 20' },
      { mismatched: [20, 20] },
      { at: 0, sends: 'compare 19' },
    ],
  },
  {
    name: 'a follower that lost what it had acknowledged is compared below its match',
    steps: [
      { at: 0, sends: 'compare 20' },
      { matched: 20 },
      { mismatched: [8, 7] },
      { at: 0, sends: 'compare 7' },
      { matched: 7 },
      { at: 0, sends: '8..10 11..13 14..16' },
    ],
  },
];

for (const { name, steps } of cases) {
  test(name, () => {
    const progress = new Progress('n1', 3, true);
    progress.reset(lastIndex, 0);
    for (const step of steps) {
      if ('matched' in step) progress.matched(logIndex(step.matched));
      else if ('mismatched' in step) {
        progress.mismatched(logIndex(step.mismatched[0]), logIndex(step.mismatched[1]));
      } else assert.equal(sendAll(progress, step.at), step.sends);
    }
  });
}

test('a new leadership knows nothing of the last one', () => {
  const progress = new Progress('n1', 3, true);
  progress.reset(lastIndex, 0);
  progress.matched(lastIndex);
  progress.reset(lastIndex, 10);
  assert.equal(progress.match, 0);
  assert.equal(progress.state, 'compare');
});

/** What the leader does at a tick: repeat what is overdue, fill the window. */
function sendAll(progress: Progress, nowMs: number): string {
  if (progress.overdue(nowMs, retransmitAfterMs)) progress.rewind();
  const sent: string[] = [];
  while (progress.maySend(lastIndex)) {
    const first = progress.next;
    const compares = progress.state === 'compare';
    const last = logIndex(compares ? first - 1 : Math.min(lastIndex, first + perPush - 1));
    sent.push(compares ? `compare ${last}` : `${first}..${last}`);
    progress.sent(last satisfies LogIndex, nowMs);
  }
  return sent.join(' ');
}
