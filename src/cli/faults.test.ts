/**
 * Real controllers in real processes, killed, restarted and fed with garbage, while brokers write.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Prng } from '../lib/prng.js';
import { until } from '../lib/until.js';
import type { Durability } from '../storage/log-store.js';
import { startCluster } from '../target/ours.js';
import type { MemberExit, RunningTarget, TargetMember } from '../target/target.js';
import { httpGarbage, remotingGarbage, throwGarbage } from './testing/garbage.js';
import { WritingBrokers } from './testing/writing-brokers.js';

interface Given {
  readonly cluster: RunningTarget;
  /** Exits that nobody in the test asked for are for the test to judge. */
  readonly exits: readonly MemberExit[];
  join(sets: number): Promise<WritingBrokers>;
}

const builds = ['baseline', 'optimized'] as const;

/** Runs `body` with a cluster whose processes have ended when the test has, whatever happened. */
function faultTest(
  name: string,
  options: { readonly build: string; readonly durability: Durability },
  body: (given: Given) => Promise<void>,
): void {
  test(`${options.build}, ${options.durability}: ${name}`, { timeout: 60_000 }, async () => {
    const data = mkdtempSync(join(tmpdir(), 'quorumark-test-'));
    const joined: WritingBrokers[] = [];
    let cluster: RunningTarget | null = null;
    try {
      cluster = await startCluster({ ...options, data });
      const exits: MemberExit[] = [];
      cluster.onExit((exit) => exits.push(exit));
      const running = cluster;
      await body({
        cluster,
        exits,
        async join(sets) {
          const brokers = await WritingBrokers.join(running, sets);
          joined.push(brokers);
          return brokers;
        },
      });
    } finally {
      for (const brokers of joined) brokers.leave();
      await cluster?.close();
      rmSync(data, { recursive: true, force: true });
    }
  });
}

for (const build of builds) {
  faultTest(
    'kill -9 of all members loses no acknowledged write',
    { build, durability: 'group' },
    async ({ cluster, join }) => {
      const brokers = await join(150);
      brokers.startWriting();
      await brokers.untilAcknowledged(600, 10_000);
      const ids = cluster.members().map(({ id }) => id);
      await Promise.all(ids.map((id) => cluster.kill(id, 'SIGKILL')));
      const stopped = brokers.stopWriting();
      await Promise.all(ids.map((id) => cluster.restart(id)));
      await stopped;
      await brokers.assertNothingLost(await cluster.leader());
      await brokers.untilMembersAgree(5_000);
      // And it is not only there: it can be written on.
      brokers.startWriting();
      await brokers.untilAcknowledged(300, 10_000);
      await brokers.stopWriting();
      await brokers.assertNothingLost(await cluster.leader());
    },
  );

  faultTest(
    'kill -9 of the leader: another goes on, and the old one catches up',
    { build, durability: 'background' },
    async ({ cluster, join }) => {
      const brokers = await join(100);
      brokers.startWriting();
      await brokers.untilAcknowledged(300, 10_000);
      const old = await cluster.leader();
      await cluster.kill(old.id, 'SIGKILL');
      await brokers.untilAcknowledged(300, 5_000);
      assert.notEqual((await cluster.leader()).id, old.id);
      const back = await cluster.restart(old.id);
      await brokers.untilAcknowledged(300, 5_000);
      await brokers.stopWriting();
      await brokers.assertNothingLost(await cluster.leader());
      await brokers.untilMembersAgree(5_000);
      if (build === 'optimized') await brokers.assertNothingLost(back);
    },
  );
}

faultTest(
  'a follower that is killed and comes back disturbs nobody',
  { build: 'optimized', durability: 'group' },
  async ({ cluster, join }) => {
    const brokers = await join(100);
    const leader = await cluster.leader();
    const follower = cluster.members().find(({ id }) => id !== leader.id);
    assert(follower !== undefined);
    brokers.startWriting();
    for (let round = 0; round < 2; round += 1) {
      await brokers.untilAcknowledged(200, 10_000);
      await cluster.kill(follower.id, 'SIGKILL');
      await brokers.untilAcknowledged(200, 10_000);
      await cluster.restart(follower.id);
      await brokers.untilAcknowledged(200, 10_000);
    }
    await brokers.stopWriting();
    assert.equal((await cluster.leader()).id, leader.id, 'nobody had a reason to elect');
    await brokers.assertNothingLost(leader);
    await brokers.untilMembersAgree(5_000);
    await brokers.assertNothingLost(follower);
  },
);

for (const build of builds) {
  faultTest(
    'SIGTERM ends members in order, and nobody is elected over it',
    { build, durability: 'background' },
    async ({ cluster, exits, join }) => {
      const brokers = await join(100);
      brokers.startWriting();
      await brokers.untilAcknowledged(200, 10_000);
      const leader = await cluster.leader();
      // The leader first, under load: the brokers on its connections are not gone because it goes.
      await cluster.kill(leader.id, 'SIGTERM');
      await brokers.untilAcknowledged(200, 5_000);
      await brokers.stopWriting();
      await brokers.assertNothingLost(await cluster.leader());
      for (const { id } of cluster.members()) await cluster.kill(id, 'SIGTERM');
      await until('all members have exited', 5_000, () => exits.length === 3);
      assert.deepEqual(
        exits.map(({ how }) => how),
        ['code 0', 'code 0', 'code 0'],
      );
      await Promise.all(cluster.members().map(({ id }) => cluster.restart(id)));
      await brokers.assertNothingLost(await cluster.leader());
      await brokers.untilMembersAgree(5_000);
    },
  );

  faultTest(
    'garbage on every port leaves the cluster serving',
    { build, durability: 'background' },
    async ({ cluster, exits, join }) => {
      const brokers = await join(30);
      brokers.startWriting();
      const chance = new Prng(20_240_601);
      const members = cluster.members();
      const thrown = await Promise.all(
        members.flatMap((member) => [
          throwGarbage(portOf(member.address), remotingGarbage, {
            chance: chance.fork(),
            count: 150,
          }),
          throwGarbage(portOf(member.httpAddress), httpGarbage, {
            chance: chance.fork(),
            count: 40,
          }),
        ]),
      );
      // With the half-open ones still there:
      await brokers.untilAcknowledged(200, 10_000);
      await brokers.stopWriting();
      await brokers.assertNothingLost(await cluster.leader());
      for (const { httpAddress } of members) {
        const ready = async () => (await fetch(`http://${httpAddress}/readyz`)).status === 200;
        await until(`${httpAddress} is ready`, 5_000, ready);
      }
      for (const { hangUp } of thrown) hangUp();
      await brokers.untilMembersAgree(5_000);
      assert.deepEqual(exits.map(said), []);
      assert.deepEqual(
        cluster.members().map(({ pid }) => pid),
        members.map(({ pid }: TargetMember) => pid),
      );
    },
  );
}

function portOf(address: string | null): number {
  return Number(address?.split(':')[1]);
}

function said({ member, how, lastWords }: MemberExit): string {
  return `${member.id} ${how}: ${lastWords}`;
}
