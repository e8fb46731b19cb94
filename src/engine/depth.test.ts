/** The log as a library, and what keeps a group alive over years: snapshots, members, hand-overs, full disks. */
import assert from 'node:assert/strict';
import { logIndex } from '../lib/brand.js';
import { fastTiming } from '../raft/types.js';
import type { LogError } from './errors.js';
import { groupTest, type TestCluster, type TestMember, watch } from './testing.js';

const body = (text: string): Buffer => Buffer.from(text);
const code = (error: unknown): string | undefined => (error as LogError | null)?.code;

async function appendAll(cluster: TestCluster, leader: TestMember, texts: readonly string[]) {
  const appends = texts.map((text) => leader.log.append(body(text)));
  await cluster.advance(300);
  return Promise.all(appends);
}
const numbered = (count: number, prefix = 'entry'): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix} ${i}`);

groupTest(
  'a batch is one proposal, and its index is that of its last entry',
  {},
  async (cluster, leader) => {
    const seen: string[] = [];
    const end = leader.log.subscribe(({ body: bytes }) => seen.push(Buffer.from(bytes).toString()));
    const appended = leader.log.append([body('a'), body('b'), body('c')]);
    await cluster.advance(100);
    const last = await appended;
    assert.deepEqual(seen, ['a', 'b', 'c']);
    end();
    const texts = leader.log
      .getRange(logIndex(last - 2), last)
      .map((entry) => Buffer.from(entry.body).toString());
    assert.deepEqual(texts, ['a', 'b', 'c']);
    assert.equal(Buffer.from(leader.log.get(last).body).toString(), 'c');
    assert.throws(() => leader.log.get(logIndex(last + 1)), { code: 'NOT_COMMITTED' });
    const proved = cluster.others(leader)[0]?.log.readIndex();
    await cluster.advance(100);
    assert((await (proved ?? Promise.reject())) >= last);
  },
);

const often = { everyEntries: 20, entriesKept: 5 };

groupTest(
  'snapshots bound the log, and a restart begins with one',
  { snapshots: often },
  async (cluster, leader) => {
    await appendAll(cluster, leader, numbered(50));
    const [follower] = cluster.others(leader);
    assert(follower !== undefined);
    for (const { store } of [leader, follower]) {
      assert((store.snapshot?.index ?? 0) >= 20, 'a snapshot was taken');
      assert(store.firstIndex > 10, 'the log was compacted');
    }
    assert.throws(() => leader.log.get(logIndex(1)), { code: 'COMPACTED' });
    const before = [...follower.applied];
    cluster.restart(follower);
    await cluster.advance(500);
    assert.deepEqual(follower.applied, before);
  },
);

groupTest(
  'a follower that slept is brought back by a snapshot',
  { snapshots: often },
  async (cluster, leader) => {
    const [sleeper] = cluster.others(leader);
    assert(sleeper !== undefined);
    cluster.cut(sleeper);
    await appendAll(cluster, leader, numbered(60));
    // Every second part of the snapshot, and every second answer, is lost.
    let parts = 0;
    cluster.heal();
    cluster.drops = ({ kind }) => kind.startsWith('snapshot') && parts++ % 3 === 1;
    await cluster.advance(2_000);
    assert.deepEqual(sleeper.applied, leader.applied);
    assert(parts > 0, 'a snapshot was sent');
    await appendAll(cluster, leader, ['after']);
    assert.equal(sleeper.applied.at(-1), 'after');
  },
);

groupTest(
  'a snapshot that finds no room is not installed, and sent again until it does',
  { snapshots: often },
  async (cluster, leader) => {
    const [sleeper] = cluster.others(leader);
    assert(sleeper !== undefined);
    cluster.cut(sleeper);
    await appendAll(cluster, leader, numbered(60));
    const { applied } = sleeper;
    const { snapshot } = sleeper.store;
    sleeper.store.isFull = true;
    cluster.heal();
    const healed = cluster.delivered.length;
    await cluster.advance(2_000);
    const since = cluster.delivered.slice(healed).filter(({ from }) => from !== sleeper.id);
    const sent = since.filter(({ kind, to }) => kind === 'snapshot' && to === sleeper.id).length;
    assert(sent >= 5 && sent <= 2_000 / (2 * fastTiming.heartbeatMs), `${sent} times, unhurried`);
    assert.deepEqual(sleeper.failures, []);
    assert.equal(sleeper.store.snapshot, snapshot);
    assert.deepEqual(sleeper.applied, applied);
    sleeper.store.isFull = false;
    await cluster.advance(1_000);
    assert.deepEqual(sleeper.applied, leader.applied);
    assert((sleeper.store.snapshot?.index ?? 0) > 20, 'it came by a snapshot');
  },
);

groupTest(
  'a slow receiver gets a snapshot to its end, although the leader would take newer ones',
  { snapshots: often },
  async (cluster, leader) => {
    const [sleeper] = cluster.others(leader);
    assert(sleeper !== undefined);
    cluster.cut(sleeper);
    await appendAll(
      cluster,
      leader,
      numbered(24).map((text) => text.padEnd(60_000)),
    );
    // Every second part is lost, and sent again only later than the next snapshot would be due.
    let parts = 0;
    cluster.heal();
    cluster.drops = ({ kind }) => kind === 'snapshot' && parts++ % 2 === 1;
    for (let i = 0; i < 80; i += 1) {
      void leader.log.append([body('more'), body('and more')]);
      await cluster.advance(20);
    }
    assert(parts > 4, 'the snapshot has parts');
    assert(sleeper.applied.length > 24, 'the snapshot came to its end');
  },
);

groupTest(
  'leadership is handed over on request, and proposals wait for nobody',
  {},
  async (cluster, leader) => {
    const [target] = cluster.others(leader);
    assert(target !== undefined);
    const transfer = watch(leader.log.transfer(target.id));
    const refused = watch(leader.log.append(body('too late')));
    await cluster.advance(500);
    assert.equal(transfer.outcome, 'resolved');
    assert(['TRANSFERRING', 'NOT_LEADER'].includes(code(refused.outcome) ?? ''));
    assert(target.log.isServing);
  },
);

groupTest(
  'a hand-over to a member that is cut off is given up in time',
  {},
  async (cluster, leader) => {
    const [target] = cluster.others(leader);
    assert(target !== undefined);
    cluster.cut(target);
    const transfer = watch(leader.log.transfer(target.id));
    await cluster.advance(600);
    assert.equal(code(transfer.outcome), 'TRANSFER_TIMEOUT');
    const append = watch(leader.log.append(body('goes on')));
    await cluster.advance(200);
    assert.equal(append.outcome, 'resolved');
  },
);

groupTest(
  'changes of the group are taken one at a time, and refused with a reason',
  {},
  async (cluster, leader) => {
    const { log } = leader;
    const adding = watch(log.addLearner('n7', 'host:7'));
    const second = watch(log.addLearner('n8', 'host:8'));
    await cluster.advance(100);
    assert.equal(adding.outcome, 'resolved');
    assert.equal(code(second.outcome), 'CHANGE_PENDING');
    assert.deepEqual(
      log.configuration.map(({ id, role }) => `${id} ${role}`),
      ['n0 voter', 'n1 voter', 'n2 voter', 'n7 learner'],
    );
    const refusals = [
      [log.addLearner('n1', 'host:1'), 'ALREADY_MEMBER'],
      [log.promote('n9'), 'UNKNOWN_MEMBER'],
      [log.remove('n9'), 'UNKNOWN_MEMBER'],
      [log.transfer('n7'), 'NOT_A_VOTER'],
    ] as const;
    for (const [asked, why] of refusals) await assert.rejects(asked, { code: why });
    const [other] = cluster.others(leader);
    await assert.rejects(other?.log.addLearner('n9', '') ?? Promise.resolve(), {
      code: 'NOT_LEADER',
    });
    // The learner that nobody hears counts in no quorum.
    const append = watch(log.append(body('by the voters')));
    await cluster.advance(100);
    assert.equal(append.outcome, 'resolved');
    // Nor may it, however short the log is: with one more lost nothing could be committed.
    const promotion = watch(log.promote('n7'));
    await cluster.advance(100);
    assert.equal(code(promotion.outcome), 'NOT_CAUGHT_UP');
  },
);

groupTest(
  'a leader that removes itself leads until that is committed, and another follows',
  {},
  async (cluster, leader) => {
    const removal = watch(leader.log.remove(leader.id));
    await cluster.advance(1_000);
    assert.equal(removal.outcome, 'resolved');
    const next = await cluster.serving(cluster.others(leader));
    assert.equal(next.log.configuration.length, 2);
    assert.equal(leader.log.status.role, 'learner');
  },
);

groupTest(
  'a leader with a full disk gives up, and comes back when there is room',
  {},
  async (cluster, leader) => {
    leader.store.isFull = true;
    const lost = watch(leader.log.append(body('may be lost')));
    await cluster.advance(50);
    assert.notEqual(leader.log.status.role, 'leader');
    assert.equal(code(lost.outcome), 'LEADERSHIP_LOST');
    assert.equal(code(watchNow(leader.log.append(body('no')))), undefined);
    const next = await cluster.serving(cluster.others(leader));
    await appendAll(cluster, next, ['meanwhile']);
    leader.store.isFull = false;
    await cluster.advance(1_000);
    assert.deepEqual(leader.applied, next.applied);
    assert.deepEqual(leader.failures, []);
  },
);

/** A rejection that is looked at later. */
function watchNow(promise: Promise<unknown>): unknown {
  promise.catch(() => {});
  return null;
}

groupTest(
  'a stale read says how stale, and asks for a proof when that is too much',
  {},
  async (cluster, leader) => {
    const [follower] = cluster.others(leader);
    assert(follower !== undefined);
    const first = follower.log.staleRead({ maxStalenessMs: 1_000 });
    await cluster.advance(50);
    const proved = await first;
    assert(proved.stalenessMs <= 50);
    cluster.cut(follower);
    await cluster.advance(100);
    const old = await follower.log.staleRead({ maxStalenessMs: 1_000 });
    assert(old.stalenessMs >= 100 && old.stalenessMs <= 200, String(old.stalenessMs));
    const tooOld = watch(follower.log.staleRead({ maxStalenessMs: 10 }));
    await cluster.advance(3_000);
    assert(tooOld.outcome instanceof Error, 'nobody can prove it');
  },
);

groupTest(
  'a follower that does not answer has so many bytes under way and no more, and then gets the rest',
  { pushWindowBytesMax: 1_000 },
  async (cluster, leader) => {
    const [mute, other] = cluster.others(leader);
    assert(mute !== undefined && other !== undefined);
    cluster.drops = ({ from, kind }) => from === mute.id && kind === 'push-ack';
    const sent = new Map<number, number>();
    const seen = cluster.delivered.length;
    const appends = numbered(40).map((text) => watch(leader.log.append(body(text.padEnd(100)))));
    await cluster.settle();
    for (const message of cluster.delivered.slice(seen)) {
      if (message.kind !== 'push' || message.to !== mute.id) continue;
      for (const { body: bytes, index } of message.entries) sent.set(index, bytes.length);
    }
    const underWay = [...sent.values()].reduce((sum, bytes) => sum + bytes, 0);
    assert(underWay > 800 && underWay <= 1_000, `${underWay} bytes are under way`);
    assert(
      appends.every(({ outcome }) => outcome === 'resolved'),
      'the other follower is not held up',
    );
    cluster.heal();
    await cluster.advance(1_000);
    assert.equal(mute.applied.length, 40);
    assert.deepEqual(mute.applied, leader.applied);
  },
);
