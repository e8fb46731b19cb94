import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dledgerTiming } from '../raft/types.js';
import { LogError, type LogFailureCode } from './errors.js';
import { groupTest, TestCluster, type TestMember, watch } from './testing.js';

const body = (text: string): Uint8Array => Buffer.from(text);

function failure(code: LogFailureCode, definite: boolean) {
  return (error: unknown): true => {
    assert.ok(error instanceof LogError, String(error));
    assert.deepEqual([error.code, error.definite], [code, definite]);
    return true;
  };
}

groupTest('an append resolves when it is applied, not before', {}, async (cluster, leader) => {
  const trace: string[] = [];
  leader.onApply = (entry) => trace.push(`apply ${Buffer.from(entry.body)}`);
  for (const text of ['a', 'b']) {
    void leader.log.append(body(text)).then(() => trace.push(`resolve ${text}`));
  }
  await cluster.settle();
  assert.deepEqual(trace, ['apply a', 'apply b', 'resolve a', 'resolve b']);
});

groupTest(
  'appends that are applied over several turns resolve one by one',
  { pushWindowBytesMax: 16 * 1024 * 1024 },
  async (cluster, leader) => {
    const trace: string[] = [];
    leader.onApply = (entry) => trace.push(`apply ${entry.body[0]}`);
    // Only the acknowledgement of the last comes through, so that one step commits them all.
    const last = leader.store.lastIndex + 6;
    cluster.drops = (message) => message.kind === 'push-ack' && message.index < last;
    for (let at = 0; at < 6; at += 1) {
      // Three of these are more than one turn applies.
      const bytes = new Uint8Array(1_500_000).fill(at);
      void leader.log.append(bytes).then(() => trace.push(`resolve ${at}`));
    }
    await cluster.settle();
    for (let at = 0; at < 6; at += 1) {
      const applied = trace.indexOf(`apply ${at}`);
      assert.ok(applied !== -1 && applied < trace.indexOf(`resolve ${at}`), trace.join(', '));
    }
    assert.ok(trace.indexOf('resolve 0') < trace.indexOf('apply 5'), 'one turn applied them all');
  },
);

groupTest('an append waits for a quorum of disks', {}, async (cluster, leader) => {
  const [near, far] = cluster.others(leader);
  cluster.drops = ({ kind, from }) =>
    kind === 'push-ack' && (from === near?.id || from === far?.id);
  const append = watch(leader.log.append(body('a')));
  await cluster.settle();
  assert.equal(append.outcome, 'waits', 'one copy is not a quorum');
  assert.deepEqual(leader.applied, []);
  cluster.drops = ({ kind, from }) => kind === 'push-ack' && from === far?.id;
  await cluster.advance(300);
  assert.equal(append.outcome, 'resolved');
});

groupTest(
  'every member applies the same entries in the same order',
  {},
  async (cluster, leader) => {
    const appends: Promise<unknown>[] = [];
    for (let at = 0; at < 60; at += 1) {
      appends.push(leader.log.append(body(`entry ${at}`)));
      if (at % 7 === 0) await cluster.settle();
    }
    await cluster.advance(200);
    await Promise.all(appends);
    const expected = Array.from({ length: 60 }, (_, at) => `entry ${at}`);
    for (const { id, applied } of cluster.members) assert.deepEqual(applied, expected, id);
  },
);

groupTest('a follower refuses an append, and it has no effect', {}, async (cluster, leader) => {
  const [follower] = cluster.others(leader);
  assert(follower !== undefined);
  await assert.rejects(follower.log.append(body('a')), failure('NOT_LEADER', true));
  await cluster.advance(200);
  for (const { applied } of cluster.members) assert.deepEqual(applied, []);
});

groupTest(
  'a lost leadership fails what waits, and no later entry makes it succeed',
  {},
  async (cluster, leader) => {
    cluster.cut(leader);
    const lost = [0, 1, 2].map((at) => watch(leader.log.append(body(`lost ${at}`))));
    const successor = await cluster.serving(cluster.others(leader));
    for (const { outcome } of lost) assert.ok(failure('LEADERSHIP_LOST', false)(outcome));
    assert.equal(leader.log.isServing, false);
    // The new leader's entries take the places of the lost ones, and the old leader applies them.
    for (let at = 0; at < 5; at += 1) await settledAppend(cluster, successor, `kept ${at}`);
    cluster.heal();
    await cluster.advance(1_000);
    assert.deepEqual(leader.applied, ['kept 0', 'kept 1', 'kept 2', 'kept 3', 'kept 4']);
    for (const { outcome } of lost) assert.ok(failure('LEADERSHIP_LOST', false)(outcome));
  },
);

groupTest(
  'an entry of a lost leadership may be committed by the next leader',
  {},
  async (cluster, leader) => {
    // Replicated, but the acknowledgements never came back.
    cluster.drops = ({ to }) => to === leader.id;
    const append = watch(leader.log.append(body('open')));
    const successor = await cluster.serving(cluster.others(leader));
    assert.ok(failure('LEADERSHIP_LOST', false)(append.outcome));
    assert.deepEqual(successor.applied, ['open'], 'so the failure had to be indefinite');
  },
);

test('a leader serves only once the first entry of its term is applied', async () => {
  const cluster = new TestCluster({ completion: 'manual' });
  cluster.start();
  const leads = () => cluster.members.find(({ log }) => log.status.role === 'leader');
  while (leads() === undefined) await cluster.advance(10);
  const leader = leads();
  assert(leader !== undefined);
  assert.deepEqual([leader.log.isServing, leader.log.status.isServing], [false, false]);
  for (const { store } of cluster.members) store.sync();
  await cluster.settle();
  assert.deepEqual([leader.log.isServing, leader.log.status.isServing], [true, true]);
  assert.deepEqual(
    leader.statuses.filter(({ role }) => role === 'leader').map(({ isServing }) => isServing),
    [false, true],
    'it says so twice: when it leads, and when it serves',
  );
  await cluster.close();
});

groupTest(
  'a new leader does not serve before it has applied what the old one committed',
  {},
  async (cluster, leader) => {
    // So much that applying takes several turns, and none of the followers hears of the commit.
    cluster.drops = ({ kind, from }) => kind === 'heartbeat' && from === leader.id;
    const text = (at: number): string => `${at}`.repeat(1_500_000);
    const appends = [0, 1, 2, 3, 4, 5].map((at) => watch(leader.log.append(body(text(at)))));
    await cluster.settle();
    assert.ok(appends.every(({ outcome }) => outcome === 'resolved'));
    cluster.cut(leader);
    const candidates = cluster.others(leader);
    for (const { applied } of candidates) assert.ok(applied.length < 6, 'nothing left to show');
    const unservedTurns: number[] = [];
    for (const member of candidates) {
      member.onApply = () => {
        if (member.log.isServing) unservedTurns.push(member.applied.length);
      };
    }
    const successor = await cluster.serving(candidates);
    assert.equal(successor.applied.length, 6);
    assert.deepEqual(unservedTurns, [], 'it served, and entries were still to come');
  },
);

groupTest(
  'more than the bound of uncommitted appends is refused',
  { uncommittedMax: 3 },
  async (cluster, leader) => {
    const taken = [0, 1, 2].map((at) => leader.log.append(body(`${at}`)));
    await assert.rejects(leader.log.append(body('one too many')), failure('BUSY', true));
    await cluster.settle();
    await Promise.all(taken);
    await settledAppend(cluster, leader, '3');
    assert.deepEqual(leader.applied, ['0', '1', '2', '3']);
  },
);

groupTest(
  'more bytes than the bound are refused, unless nothing else waits',
  { waitingBytesMax: 10 },
  async (cluster, leader) => {
    const taken = leader.log.append(body('more than ten bytes'));
    await assert.rejects(leader.log.append(body('x')), failure('BUSY', true));
    await cluster.settle();
    await taken;
    const both = [leader.log.append(body('12345')), leader.log.append(body('67890'))];
    await assert.rejects(leader.log.append(body('x')), failure('BUSY', true));
    await cluster.settle();
    await Promise.all(both);
    // What a lost leadership took with it does not count any more.
    cluster.cut(leader);
    const lost = watch(leader.log.append(body('1234567890')));
    await cluster.serving(cluster.others(leader));
    assert.ok(failure('LEADERSHIP_LOST', false)(lost.outcome));
    cluster.heal();
    await cluster.advance(500);
    // Until the old leader leads again:
    for (let deposed = 0; deposed < 20 && !leader.log.isServing; deposed += 1) {
      cluster.heal();
      await cluster.advance(500);
      const other = cluster.others(leader).find(({ log }) => log.isServing);
      if (other !== undefined) cluster.cut(other);
      await cluster.advance(1_000);
    }
    await settledAppend(cluster, leader, '1234567890');
  },
);

groupTest(
  'poll: pushes wait for the next millisecond, and are committed',
  { handoff: 'poll' },
  async (cluster, leader) => {
    const append = watch(leader.log.append(body('a')));
    await cluster.settle();
    assert.equal(append.outcome, 'waits', 'no time has passed');
    cluster.clock.advance(1);
    await cluster.settle();
    assert.equal(append.outcome, 'resolved');
  },
);

groupTest('wake: an append needs no time', {}, async (cluster, leader) => {
  const append = watch(leader.log.append(body('a')));
  await cluster.settle();
  assert.equal(append.outcome, 'resolved');
});

groupTest(
  'poll: a push of a leadership that is over is not sent, lest it carry entries of the next',
  { handoff: 'poll' },
  async (cluster, leader) => {
    const [successor, third] = cluster.others(leader);
    assert(successor !== undefined && third !== undefined);
    await settledAppend(cluster, leader, 'common');
    // The third hears nothing of the election, and still follows the old leader.
    cluster.drops = ({ from, to }) =>
      from === leader.id || to === leader.id || from === third.id || to === third.id;
    const term = leader.log.status.term;
    void leader.log.append(body('old 1')).catch(() => {});
    cluster.clock.advance(1);
    await cluster.settle();
    const before = cluster.delivered.length;
    void leader.log.append(body('old 2')).catch(() => {});
    // In the same millisecond a new leader cuts both entries off, and puts its own in their place.
    const index = leader.store.lastIndex;
    leader.log.receive({
      ...{ kind: 'push', from: successor.id, to: leader.id, term: (term + 1) as never },
      ...{ prevIndex: (index - 2) as never, prevTerm: term as never, commitIndex: 0 as never },
      entries: [index - 1, index].map((at) => ({
        term: (term + 1) as never,
        index: at as never,
        kind: 'data' as const,
        body: body('new'),
      })),
    });
    cluster.heal();
    cluster.clock.advance(1);
    await cluster.settle();
    const stale = cluster.delivered
      .slice(before)
      .filter((message) => message.kind === 'push' && message.from === leader.id);
    assert.deepEqual(stale, []);
  },
);

groupTest('a broken disk is fatal once, and fails all that waits', {}, async (cluster, leader) => {
  const append = watch(leader.log.append(body('a')));
  const read = watch(leader.log.readBarrier());
  leader.store.fail(new Error('disk is gone'));
  leader.store.sync();
  await cluster.settle();
  const others = [watch(leader.log.append(body('b'))), watch(leader.log.readBarrier())];
  await cluster.advance(1_000);
  for (const { outcome } of [append, read, ...others]) assert.ok(failure('CLOSED', false)(outcome));
  assert.deepEqual(
    leader.failures.map(({ message }) => message),
    ['disk is gone'],
  );
});

groupTest('a disk that cannot keep a vote is fatal too', {}, async (cluster, leader) => {
  const [voter] = cluster.others(leader);
  assert(voter !== undefined);
  voter.store.fail(new Error('disk is gone'));
  cluster.cut(leader);
  await cluster.advance(3_000);
  for (const { id, statuses } of cluster.others(leader)) {
    const led = statuses.some(({ role }) => role === 'leader');
    assert.equal(led, false, `${id} was elected by a vote that nobody kept`);
  }
  assert.deepEqual(
    voter.failures.map(({ message }) => message),
    ['disk is gone'],
  );
});

groupTest('closing fails all that waits', {}, async (cluster, leader) => {
  const append = watch(leader.log.append(body('a')));
  const read = watch(leader.log.readBarrier());
  await leader.log.close();
  await cluster.settle();
  const late = [watch(leader.log.append(body('b'))), watch(leader.log.readBarrier())];
  await cluster.settle();
  for (const { outcome } of [append, read, ...late]) assert.ok(failure('CLOSED', false)(outcome));
  assert.deepEqual(leader.failures, []);
});

groupTest(
  'dledger timing: a leader is missed after three of its heartbeats, no sooner',
  { timing: dledgerTiming },
  async (cluster, leader) => {
    cluster.cut(leader);
    await cluster.advance(5_500);
    assert.equal(leader.log.isServing, true);
    await cluster.advance(3_000);
    assert.equal(leader.log.isServing, false);
    await cluster.serving(cluster.others(leader));
  },
);

async function settledAppend(
  cluster: TestCluster,
  leader: TestMember,
  text: string,
): Promise<void> {
  const append = watch(leader.log.append(body(text)));
  for (let waitedMs = 0; waitedMs < 1_000 && append.outcome === 'waits'; waitedMs += 10) {
    await cluster.settle();
    if (append.outcome === 'waits') await cluster.advance(10);
  }
  assert.equal(append.outcome, 'resolved');
}
