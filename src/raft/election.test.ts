/** DLedger's rules as tables: who gets a vote, what a round means, when the next one comes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logIndex, term } from '../lib/brand.js';
import { Prng } from '../lib/prng.js';
import { Election, judgeRound, judgeVote, type RoundAnswers } from './election.js';
import { dledgerTiming, type VoteResult } from './types.js';

/** The voter: `term, votedFor, leader, last entry`; the candidate is n1. */
const votes: readonly {
  readonly name: string;
  readonly voter: readonly [number, string | null, string | null, `${number}@${number}`];
  readonly asks: readonly [number, `${number}@${number}`];
  readonly gets: VoteResult;
}[] = [
  { name: 'the first who asks', voter: [3, null, null, '5@2'], asks: [3, '5@2'], gets: 'accept' },
  { name: 'the same again', voter: [3, 'n1', null, '5@2'], asks: [3, '5@2'], gets: 'accept' },
  { name: 'a longer log', voter: [3, null, null, '5@2'], asks: [3, '6@2'], gets: 'accept' },
  { name: 'a newer, shorter log', voter: [3, null, null, '5@1'], asks: [3, '2@2'], gets: 'accept' },
  { name: 'too late', voter: [3, 'n2', null, '5@2'], asks: [3, '5@2'], gets: 'already-voted' },
  {
    name: 'while another leads',
    voter: [3, 'n2', 'n2', '5@2'],
    asks: [3, '5@2'],
    gets: 'already-has-leader',
  },
  { name: 'an old term', voter: [3, null, null, '5@2'], asks: [2, '5@2'], gets: 'expired-term' },
  { name: 'a new term', voter: [3, 'n2', 'n2', '5@2'], asks: [4, '5@2'], gets: 'term-not-ready' },
  { name: 'a shorter log', voter: [3, null, null, '5@2'], asks: [3, '4@2'], gets: 'log-behind' },
  { name: 'an older log', voter: [3, null, null, '5@2'], asks: [3, '9@1'], gets: 'log-behind' },
  {
    name: 'an older log in a new term, which is not looked at',
    voter: [3, null, null, '5@2'],
    asks: [9, '9@1'],
    gets: 'log-behind',
  },
];

for (const { name, voter, asks, gets } of votes) {
  test(`vote: ${name} gets ${gets}`, () => {
    const [ownTerm, votedFor, leader, last] = voter;
    const [asked, claimed] = asks;
    assert.equal(
      judgeVote(
        { term: term(ownTerm), votedFor, leader, ...lastEntry(last) },
        { from: 'n1', term: term(asked), ...lastEntry(claimed) },
      ),
      gets,
    );
  });
}

const none: RoundAnswers = {
  members: 3,
  answered: 0,
  accepted: 0,
  notReady: 0,
  logBehind: 0,
  leaderAlive: 0,
  leaderKnown: false,
  largerTerm: false,
};

const rounds: readonly {
  readonly name: string;
  readonly answers: Partial<RoundAnswers>;
  readonly result: string;
  readonly delayMs?: number;
}[] = [
  {
    name: 'a larger term outweighs all, even a quorum',
    answers: { answered: 3, accepted: 2, largerTerm: true },
    result: 'wait-to-vote-next',
  },
  {
    name: 'a known leader is given the time to be heard',
    answers: { answered: 3, accepted: 1, leaderKnown: true },
    result: 'wait-to-revote',
    delayMs: 6_000,
  },
  {
    name: 'silence keeps the term',
    answers: { answered: 1, accepted: 1 },
    result: 'wait-to-revote',
  },
  {
    name: 'a log behind most keeps the term, and waits longer',
    answers: { answered: 3, accepted: 1, logBehind: 2 },
    result: 'wait-to-revote',
    delayMs: 1_000,
  },
  { name: 'a quorum elects', answers: { answered: 2, accepted: 2 }, result: 'passed' },
  {
    name: 'a quorum elects, whoever has a better log',
    answers: { answered: 3, accepted: 2, logBehind: 1 },
    result: 'passed',
  },
  {
    name: 'voters that have just raised their term are asked again',
    answers: { answered: 2, accepted: 1, notReady: 1 },
    result: 'revote-immediately',
  },
  {
    name: 'a split vote raises the term',
    answers: { answered: 3, accepted: 1 },
    result: 'wait-to-vote-next',
  },
];

for (const { name, answers, result, delayMs = 0 } of rounds) {
  test(`round: ${name}`, () => {
    assert.deepEqual(judgeRound({ ...none, ...answers }, dledgerTiming), { result, delayMs });
  });
}

test('the term is raised once for each round that showed its votes were spent', () => {
  const election = new Election(3, dledgerTiming, new Prng(1), 'dledger');
  assert.equal(election.due(0), 'ask');
  assert(!election.mustRaiseTerm);
  election.begin(term(4), 0);
  assert(!election.answer('n0', 'already-voted', term(4)));
  assert(!election.answer('n1', 'already-voted', term(4)));
  assert(election.answer('n2', 'already-voted', term(4)));
  assert.equal(election.judge(0), 'wait-to-vote-next');
  assert(election.mustRaiseTerm);
  assert.equal(election.due(299), 'wait');
  assert.equal(election.due(1_000), 'ask');
  election.begin(term(5), 1_000);
  assert(!election.mustRaiseTerm);
});

test('a round is judged when its time is over, and never before a quorum could answer', () => {
  const election = new Election(3, dledgerTiming, new Prng(1), 'dledger');
  election.begin(term(4), 0);
  election.answer('n0', 'accept', term(4));
  assert.equal(election.due(1_999), 'wait');
  assert.equal(election.due(3_000), 'judge');
  assert.equal(election.judge(3_000), 'wait-to-revote');
  assert(!election.mustRaiseTerm);
});

test('one member that answers twice is one answer', () => {
  const election = new Election(5, dledgerTiming, new Prng(1), 'dledger');
  election.begin(term(4), 0);
  election.answer('n0', 'accept', term(4));
  election.answer('n1', 'accept', term(4));
  assert(!election.answer('n1', 'accept', term(4)));
});

test('a larger term heard of is the next term', () => {
  const election = new Election(3, dledgerTiming, new Prng(1), 'dledger');
  assert.equal(election.termAfter(term(4)), 5);
  election.begin(term(4), 0);
  election.answer('n1', 'expired-term', term(9));
  assert.equal(election.judge(0), 'wait-to-vote-next');
  assert.equal(election.termAfter(term(4)), 9);
  assert.equal(election.termAfter(term(9)), 10);
});

test('a leader heard ends the round, and the wish to raise the term', () => {
  const election = new Election(3, dledgerTiming, new Prng(1), 'dledger');
  election.begin(term(4), 0);
  for (const member of ['n0', 'n1', 'n2']) election.answer(member, 'already-voted', term(4));
  election.judge(0);
  election.followed();
  assert(!election.mustRaiseTerm);
  assert(!election.collecting);
});

function lastEntry(entry: `${number}@${number}`) {
  const [index, of] = entry.split('@').map(Number);
  return { lastIndex: logIndex(index ?? 0), lastTerm: term(of ?? 0) };
}
