/** What a member does with input that a healthy group would not produce, and with a broken disk. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logIndex, term } from '../lib/brand.js';
import { Prng } from '../lib/prng.js';
import { votersOnly } from './configuration.js';
import { Raft } from './raft.js';
import { type Effect, fastTiming, type Message, type RaftOptions, type Restored } from './types.js';

const nothing: Restored = {
  hardState: { term: term(0), votedFor: null },
  snapshot: null,
  firstIndex: logIndex(1),
  runs: [],
  lastIndex: logIndex(0),
  configurations: [],
};
const envelope = { from: 'n1', to: 'n0', term: term(1) };
const heartbeat: Message = { ...envelope, kind: 'heartbeat', commitIndex: logIndex(0), round: 1 };

test('a message for somebody else is not read', () => {
  assert.deepEqual(receive(start(), { ...heartbeat, to: 'n2' }), []);
});

test('a stranger may ask for a vote, and is judged by its term and log as everybody is', () => {
  const raft = start();
  const vote: Message = {
    ...envelope,
    from: 'n9',
    kind: 'vote',
    lastIndex: logIndex(9),
    lastTerm: term(9),
    purpose: 'elect',
  };
  const answer = {
    kind: 'vote-result',
    from: 'n0',
    to: 'n9',
    term: 1,
    votedTerm: 1,
    purpose: 'elect',
  } as const;
  assert.deepEqual(receive(raft, vote).at(-1), {
    kind: 'send',
    message: { ...answer, result: 'term-not-ready' },
  });
  assert.deepEqual(receive(raft, vote).at(-1), {
    kind: 'send',
    message: { ...answer, result: 'accept' },
  });
});

test('a follower that lacks what is committed, and is pushed nothing, asks to be compared', () => {
  const raft = start();
  const entry = {
    index: logIndex(1),
    term: term(1),
    kind: 'data',
    body: new Uint8Array(1),
  } as const;
  const start1 = { prevIndex: logIndex(0), prevTerm: term(0), commitIndex: logIndex(0) };
  receive(raft, { ...envelope, kind: 'push', ...start1, entries: [entry] });
  // The leader takes us for further: an earlier life had acknowledged 2.
  const beat: Message = { ...heartbeat, commitIndex: logIndex(2) };
  const asks = (elapsedMs: number): boolean =>
    raft.step({ kind: 'receive', message: beat }, elapsedMs).some((effect) => {
      return effect.kind === 'send' && effect.message.kind === 'push-ack';
    });
  // Retransmission comes after 50 ms.
  assert.deepEqual([0, 50, 50, 10, 10, 90, 10].map(asks), [
    ...[false, false, false, true],
    ...[false, false, false],
  ]);
  assert.equal(asks(10), true);
});

test('a leader with a lease is protected for its time from the moment when it was heard', () => {
  const vote: Message = {
    ...envelope,
    from: 'n2',
    kind: 'vote',
    term: term(2),
    lastIndex: logIndex(9),
    lastTerm: term(1),
    purpose: 'elect',
  };
  const answerAfter = (ms: number): string | undefined => {
    const raft = start(nothing, { lease: { clockDriftMax: 0, nowMs: () => 0 } });
    raft.step({ kind: 'tick' }, 10);
    // Heard long after one tick, and asked long after another.
    raft.step({ kind: 'receive', message: heartbeat }, 39);
    raft.step({ kind: 'tick' }, 1);
    const answer = raft.step({ kind: 'receive', message: vote }, ms - 1).at(-1);
    assert(answer?.kind === 'send' && answer.message.kind === 'vote-result');
    return answer.message.result;
  };
  const electionTimeoutMs = fastTiming.heartbeatMs * fastTiming.leaderLostAfter;
  assert.equal(answerAfter(electionTimeoutMs), 'leader-alive');
  assert.notEqual(answerAfter(electionTimeoutMs + 1), 'leader-alive');
});

test('acknowledgements of what was never sent are not believed', () => {
  const raft = lead();
  const ack: Message = { ...envelope, kind: 'push-ack', result: 'matched', index: logIndex(99) };
  assert.deepEqual(receive(raft, ack), []);
  raft.step({ kind: 'persisted', index: logIndex(1), term: term(1) });
  receive(raft, { ...ack, index: logIndex(1) });
  assert.equal(raft.commitIndex, 1);
  raft.step({ kind: 'read', read: 1 });
  assert.deepEqual(receive(raft, { ...envelope, kind: 'heartbeat-ack', round: 99 }), []);
});

test('a second leader of a term is a forger: it is counted and not followed', () => {
  const leader = lead();
  receive(leader, heartbeat);
  assert.equal(leader.role, 'leader');
  assert.equal(leader.protocolViolations, 1);
  const raft = start();
  receive(raft, heartbeat);
  receive(raft, { ...heartbeat, from: 'n2' });
  assert.equal(raft.leader, 'n1');
  assert.equal(raft.protocolViolations, 1);
});

test('a push that would cut committed entries stops the process', () => {
  const raft = start();
  const entries = [1, 2].map((index) => ({
    index: logIndex(index),
    term: term(1),
    kind: 'data' as const,
    body: new Uint8Array(1),
  }));
  const push: Message = {
    ...envelope,
    kind: 'push',
    prevIndex: logIndex(0),
    prevTerm: term(0),
    commitIndex: logIndex(2),
    entries,
  };
  receive(raft, push);
  assert.equal(raft.commitIndex, 2);
  const other = entries.map((entry) => ({ ...entry, term: term(2) }));
  assert.throws(() => receive(raft, { ...push, term: term(2), entries: other }), /would be cut/);
});

test('what became durable after it was replaced does not count', () => {
  const raft = start();
  const push = (of: number): Message => ({
    ...envelope,
    term: term(of),
    kind: 'push',
    prevIndex: logIndex(0),
    prevTerm: term(0),
    commitIndex: logIndex(0),
    entries: [{ index: logIndex(1), term: term(of), kind: 'data', body: new Uint8Array(1) }],
  });
  receive(raft, push(1));
  receive(raft, push(2));
  assert.deepEqual(raft.step({ kind: 'persisted', index: logIndex(1), term: term(1) }), []);
  assert.equal(raft.step({ kind: 'persisted', index: logIndex(1), term: term(2) }).length, 1);
});

test('a thousand reads in one turn share two rounds', () => {
  const raft = lead();
  raft.step({ kind: 'persisted', index: logIndex(1), term: term(1) });
  receive(raft, { ...envelope, kind: 'push-ack', result: 'matched', index: logIndex(1) });
  const effects: Effect[] = [];
  for (let read = 1; read <= 1_000; read += 1) effects.push(...raft.step({ kind: 'read', read }));
  for (const round of [2, 3]) {
    effects.push(...receive(raft, { ...envelope, kind: 'heartbeat-ack', round }));
  }
  const kinds = effects.map(({ kind }) => kind);
  assert.equal(kinds.filter((kind) => kind === 'send').length, 2 * 2);
  assert.equal(kinds.filter((kind) => kind === 'read-ready').length, 1_000);
});

test('a log newer than the vote file says so at the start', () => {
  const restored: Restored = {
    ...nothing,
    hardState: { term: term(1), votedFor: null },
    runs: [{ first: logIndex(1), term: term(2) }],
    lastIndex: logIndex(1),
  };
  assert.throws(() => start(restored), /the log has entries of term 2, the vote file knows 1/);
});

function start(restored = nothing, more: Partial<RaftOptions> = {}): Raft {
  return new Raft(
    {
      self: 'n0',
      configuration: votersOnly(['n0', 'n1', 'n2']),
      timing: fastTiming,
      pushesInFlightMax: 4,
      entriesPerPushMax: 4,
      retransmitAfterMs: 50,
      uncommittedMax: 64,
      readsWaitingMax: 2_000,
      outOfOrderMax: 8,
      ...more,
    },
    restored,
    new Prng(1),
  );
}

/** A leader of term 1, by n1's vote. */
function lead(): Raft {
  const raft = start();
  raft.step({ kind: 'tick' }, 10);
  receive(raft, {
    ...envelope,
    kind: 'vote-result',
    votedTerm: term(1),
    purpose: 'elect',
    result: 'accept',
  });
  assert.equal(raft.role, 'leader');
  return raft;
}

function receive(raft: Raft, message: Message): readonly Effect[] {
  return raft.step({ kind: 'receive', message });
}
