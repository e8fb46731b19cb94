import assert from 'node:assert/strict';
import { dledgerTiming } from '../raft/types.js';
import { LogError, type LogFailureCode } from './errors.js';
import {
  type TestCluster,
  type TestClusterOptions,
  type TestMember,
  groupTest as testGroup,
  watch,
} from './testing.js';

const body = (text: string): Uint8Array => Buffer.from(text);

function failedWith(seen: { outcome: unknown }, code: LogFailureCode): void {
  assert.ok(seen.outcome instanceof LogError, String(seen.outcome));
  assert.deepEqual([seen.outcome.code, seen.outcome.definite], [code, true]);
}

/** Of a group of several: with a member that follows. */
function groupTest(
  name: string,
  options: TestClusterOptions,
  run: (cluster: TestCluster, leader: TestMember, follower: TestMember) => Promise<void>,
): void {
  testGroup(name, options, (cluster, leader) => {
    const [follower] = cluster.others(leader);
    assert(follower !== undefined);
    return run(cluster, leader, follower);
  });
}

const rounds = (cluster: TestCluster, from: number): number =>
  new Set(
    cluster.delivered
      .slice(from)
      .flatMap((message) => (message.kind === 'heartbeat' ? [message.round] : [])),
  ).size;

groupTest('all reads of a turn share one proof', {}, async (cluster, leader, follower) => {
  for (const member of [leader, follower]) {
    const from = cluster.delivered.length;
    const reads = Array.from({ length: 100 }, () => member.log.readBarrier());
    assert.equal(new Set(reads).size, 1);
    await cluster.settle();
    await Promise.all(reads);
    assert.equal(rounds(cluster, from), 1, `rounds for 100 reads on ${member.id}`);
  }
});

groupTest(
  'a read that comes after a proof was asked for waits for the next',
  {},
  async (cluster, leader) => {
    const first = watch(leader.log.readBarrier());
    cluster.clock.finishTurn();
    assert.ok(cluster.network.queued > 0, 'the first proof is on its way');
    const second = watch(leader.log.readBarrier());
    // Acknowledgements of the first round arrive; a turn ends only after that.
    cluster.network.deliver();
    await Promise.resolve();
    await Promise.resolve();
    assert.deepEqual([first.outcome, second.outcome], ['resolved', 'waits']);
    await cluster.settle();
    assert.equal(second.outcome, 'resolved');
  },
);

groupTest(
  'a follower answers a read when it has applied what the leader had committed',
  {},
  async (cluster, leader, follower) => {
    cluster.drops = ({ kind, to }) => kind === 'push' && to === follower.id;
    const append = watch(leader.log.append(body('a')));
    await cluster.settle();
    assert.equal(append.outcome, 'resolved');
    const read = watch(follower.log.readBarrier());
    await cluster.advance(500);
    assert.deepEqual([read.outcome, follower.applied], ['waits', []]);
    cluster.heal();
    await cluster.advance(300);
    assert.deepEqual([read.outcome, follower.applied], ['resolved', ['a']]);
  },
);

groupTest(
  'a read on a leader that was deposed unawares is never answered',
  {},
  async (cluster, leader) => {
    cluster.cut(leader);
    const successor = await cluster.serving(cluster.others(leader)).then(async (member) => {
      await cluster.settle();
      return member;
    });
    void successor.log.append(body('news'));
    await cluster.settle();
    const read = watch(leader.log.readBarrier());
    await cluster.settle();
    assert.notEqual(read.outcome, 'resolved');
    cluster.heal();
    await cluster.advance(2_000);
    failedWith(read, 'NOT_LEADER');
  },
);

groupTest(
  'a read on a leader that still believes in itself is not answered from what it knows',
  { timing: dledgerTiming },
  async (cluster, leader) => {
    cluster.cut(leader);
    const read = watch(leader.log.readBarrier());
    await cluster.advance(900);
    assert.deepEqual([leader.log.isServing, read.outcome], [true, 'waits']);
    await cluster.advance(200);
    failedWith(read, 'READ_TIMEOUT');
    assert.equal(leader.log.isServing, true, 'six seconds make it doubt, one read does not');
    // What gave up leaves no trace: later reads get a proof of their own.
    cluster.heal();
    const next = watch(leader.log.readBarrier());
    await cluster.advance(2_100);
    assert.equal(next.outcome, 'resolved');
  },
);

groupTest(
  'a read that is proved and cannot be applied times out',
  { timing: dledgerTiming },
  async (cluster, leader, follower) => {
    cluster.drops = ({ kind, to }) => kind === 'push' && to === follower.id;
    void leader.log.append(body('a'));
    await cluster.settle();
    const read = watch(follower.log.readBarrier());
    await cluster.advance(1_100);
    failedWith(read, 'READ_TIMEOUT');
  },
);

groupTest(
  'a follower whose leader does not answer gives the read up',
  {},
  async (cluster, _leader, follower) => {
    cluster.drops = ({ kind }) => kind === 'read-index-result';
    const read = watch(follower.log.readBarrier());
    await cluster.advance(1_100);
    failedWith(read, 'NOT_LEADER');
  },
);

groupTest('a member without a leader refuses reads', {}, async (cluster, leader, follower) => {
  cluster.cut(follower);
  await cluster.advance(1_000);
  assert.equal(follower.log.status.leader, null);
  const read = watch(follower.log.readBarrier());
  await cluster.settle();
  failedWith(read, 'NOT_LEADER');
  const served = watch(leader.log.readBarrier());
  await cluster.settle();
  assert.equal(served.outcome, 'resolved', 'the rest of the group is not disturbed');
});

groupTest('more than the bound of gathering reads is refused', {}, async (cluster, leader) => {
  const gathered = leader.log.readBarrier();
  for (let at = 1; at < 65_536; at += 1) assert.equal(leader.log.readBarrier(), gathered);
  const refused = watch(leader.log.readBarrier());
  await cluster.settle();
  failedWith(refused, 'BUSY');
  await gathered;
  const next = watch(leader.log.readBarrier());
  await cluster.settle();
  assert.equal(next.outcome, 'resolved');
});

groupTest(
  'a read on a new leader waits until that leader knows what is committed',
  {},
  async (cluster, leader, follower) => {
    // Both followers hold the entry, and neither knows that it is committed.
    cluster.drops = ({ kind, from }) => kind === 'heartbeat' && from === leader.id;
    const append = watch(leader.log.append(body('a')));
    await cluster.settle();
    assert.equal(append.outcome, 'resolved');
    cluster.cut(leader);
    const isLeader = () => cluster.others(leader).find(({ log }) => log.status.role === 'leader');
    cluster.drops = ({ kind, from }) => kind === 'push-ack' && from !== leader.id;
    while (isLeader() === undefined) await cluster.advance(10);
    const successor = isLeader() ?? follower;
    const read = watch(successor.log.readBarrier());
    await cluster.settle();
    assert.deepEqual(
      [read.outcome, successor.applied, successor.log.isServing],
      ['waits', [], false],
    );
    cluster.drops = () => false;
    await cluster.advance(400);
    assert.deepEqual([read.outcome, successor.applied], ['resolved', ['a']]);
  },
);
