/** When a member looks at the time: seldom while nothing is due, and never too late for what is. */
import assert from 'node:assert/strict';
import { fastTiming } from '../raft/types.js';
import { groupTest } from './testing.js';

const TICK_MS = fastTiming.heartbeatMs / 10;
const LEADER_LOST_MS = fastTiming.heartbeatMs * fastTiming.leaderLostAfter;
const SEEDS = 20;

for (let seed = 1; seed <= SEEDS; seed += 1) {
  const name = `seed ${seed}: a leader counts as lost its time after it was last heard`;
  groupTest(name, { seed }, async (cluster, leader) => {
    const [follower] = cluster.others(leader);
    assert(follower !== undefined);
    let heardMs = 0;
    cluster.drops = ({ from, to }) => {
      if (from === leader.id && to === follower.id) heardMs = cluster.clock.nowMs();
      return false;
    };
    await cluster.advance(500 + seed, 1);
    cluster.cut(leader);
    while (follower.log.status.leader === leader.id) await cluster.advance(1, 1);
    const waitedMs = cluster.clock.nowMs() - heardMs;
    assert.ok(waitedMs >= LEADER_LOST_MS, `lost after ${waitedMs} ms`);
    assert.ok(waitedMs <= LEADER_LOST_MS + 2 * TICK_MS, `lost after ${waitedMs} ms`);
  });
}

groupTest(
  'members that were not awake blame nobody for what they did not hear',
  {},
  async (cluster, leader) => {
    await cluster.advance(500);
    const { term } = leader.log.status;
    cluster.drops = () => true;
    // Turns that last as long, as where there is more to do than can be done.
    for (let turn = 0; turn < 5; turn += 1) {
      cluster.clock.sleep(4 * fastTiming.heartbeatMs);
      cluster.clock.advance(0);
      await cluster.settle();
    }
    cluster.drops = () => false;
    await cluster.advance(500);
    for (const { log } of cluster.members) {
      assert.deepEqual([log.status.leader, log.status.term], [leader.id, term]);
    }
  },
);

groupTest(
  'a leader that has nothing to do beats once a heartbeat, no more',
  {},
  async (cluster, leader) => {
    await cluster.advance(1_000);
    cluster.delivered.length = 0;
    await cluster.advance(10 * fastTiming.heartbeatMs);
    const beats = cluster.delivered.filter(({ kind, from }) => {
      return kind === 'heartbeat' && from === leader.id;
    });
    assert.ok(beats.length >= 18 && beats.length <= 20, `${beats.length} beats to two followers`);
  },
);

groupTest(
  'what is committed after a quiet time is told to the others within a tick',
  {},
  async (cluster, leader) => {
    await cluster.advance(1_000);
    for (let round = 0; round < 30; round += 1) {
      // The tick before this was a quiet one, at every distance from the next.
      await cluster.advance(200 + round, 1);
      void leader.log.append(Buffer.from(`${round}`));
      await cluster.settle();
      await cluster.advance(TICK_MS);
      const told = cluster.members.map(({ applied }) => applied.at(-1));
      assert.deepEqual(told, [`${round}`, `${round}`, `${round}`]);
    }
  },
);
