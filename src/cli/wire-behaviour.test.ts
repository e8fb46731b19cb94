/**
 * What clients of either build can rely on beyond the state machine: who answers, what a bad request
 * costs, and what happens at the bounds. One suite, asked of both builds; where they differ on
 * purpose, the tests say so.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import type { ConfigOverrides } from '../server/config.js';
import {
  TestConnection,
  type TestController,
  TestGroup,
  type TestReply,
  type TestRequest,
} from '../server/testing.js';
import { resolveBuild } from './builds.js';

const builds = ['baseline', 'optimized'] as const;
type Build = (typeof builds)[number];

const plain = (code: number, remark: string): TestReply => ({
  ...{ code, remark, extFields: null, body: null },
});
const notLeader = plain(2007, 'The controller is not in leader state');
const busy = plain(2, '[OVERLOAD]system busy, start flow control for a while');
const heartbeatTaken = plain(0, 'Heart beat success');
const nothingAsked = plain(1, 'not set any response code');

const names = { clusterName: 'cluster-a', brokerName: 'set-a' };
const apply = (brokerName: string, id = 1): TestRequest => ({
  code: RequestCode.ApplyBrokerId,
  extFields: { ...names, brokerName, appliedBrokerId: `${id}`, registerCheckCode: `y:${id};1` },
});
const alter = (body?: string): TestRequest => ({
  code: RequestCode.AlterSyncStateSet,
  extFields: { brokerName: 'set-a', masterBrokerId: '1', masterEpoch: '1' },
  ...(body !== undefined && { body }),
});
const syncStateData = (body?: string): TestRequest => ({
  code: RequestCode.GetSyncStateData,
  ...(body !== undefined && { body }),
});
const replicaInfo: TestRequest = {
  code: RequestCode.GetReplicaInfo,
  extFields: { brokerName: 'set-a' },
};
const nextId: TestRequest = { code: RequestCode.GetNextBrokerId, extFields: names };
const metadata: TestRequest = { code: RequestCode.GetMetadataInfo };
const beat: TestRequest = {
  code: RequestCode.BrokerHeartbeat,
  extFields: { ...names, brokerId: '1', brokerAddr: 'y:1' },
};
/** Writes, and reads that only a leader answers in any build. */
const leaderOnly: readonly TestRequest[] = [
  apply('set-a'),
  alter('{"syncStateSet":[1],"syncStateSetEpoch":1}'),
  { code: RequestCode.ElectMaster, extFields: { ...names, brokerId: '1' } },
  {
    code: RequestCode.RegisterBroker,
    extFields: { ...names, brokerId: '1', brokerAddress: 'y:1' },
  },
  { code: RequestCode.CleanBrokerData, extFields: names },
  nextId,
];
const memberReads = [replicaInfo, syncStateData('["set-a"]')];

interface Given {
  readonly build: Build;
  readonly group: TestGroup;
  readonly leader: TestController;
  readonly followers: readonly TestController[];
}

function wireTest(
  name: string,
  run: (given: Given) => Promise<void>,
  options: { readonly builds?: readonly Build[]; readonly config?: Partial<ConfigOverrides> } = {},
): void {
  for (const build of options.builds ?? builds) {
    test(`${build}: ${name}`, async () => {
      const group = await new TestGroup(resolveBuild(build), options.config).serve();
      try {
        await run({ build, group, leader: group.leader, followers: group.followers });
      } finally {
        await group.close();
      }
    });
  }
}

wireTest('members that do not lead say so, and nothing else', async ({ followers }) => {
  assert.equal(followers.length, 2);
  for (const follower of followers) {
    for (const request of leaderOnly) {
      assert.deepEqual(await follower.call(request), notLeader, `${request.code}`);
    }
  }
});

wireTest(
  'members that do not lead leave reads to the leader',
  async ({ followers }) => {
    for (const request of memberReads) {
      for (const follower of followers) assert.deepEqual(await follower.call(request), notLeader);
    }
  },
  { builds: ['baseline'] },
);

wireTest(
  'followerReads=false leaves reads to the leader',
  async ({ leader, followers }) => {
    await leader.call(apply('set-a'));
    for (const request of memberReads) {
      for (const follower of followers) assert.deepEqual(await follower.call(request), notLeader);
      assert.equal((await leader.call(request)).code, 0);
    }
  },
  { config: { followerReads: false } },
);

wireTest(
  'every member answers reads, with all that was acknowledged before',
  async ({ leader, followers, group }) => {
    // What reaches a follower late has to be waited for, not left out.
    const [late] = followers;
    group.cluster.drops = ({ kind, to }) => kind === 'push' && to === late?.member.id;
    await leader.call(apply('set-a'));
    const replies = new TestConnection();
    for (const follower of followers) {
      for (const request of memberReads) follower.send(request, replies);
    }
    await group.cluster.advance(100);
    assert.equal(replies.responses.length, 2, 'the one that lags answered from what it had');
    group.cluster.heal();
    await group.cluster.advance(500);
    assert.deepEqual(
      replies.responses.map(({ code }) => code),
      [0, 0, 0, 0],
    );
    for (const request of memberReads) {
      // Who is alive is what each member knows for itself; here nobody was heard by anyone.
      const expected = await leader.call(request);
      for (const follower of followers) assert.deepEqual(await follower.call(request), expected);
    }
  },
  { builds: ['optimized'] },
);

wireTest(
  'a deposed leader answers no proved read from what it knew',
  async ({ leader, group }) => {
    await leader.call(apply('set-a'));
    group.cluster.cut(leader.member);
    const replies = new TestConnection();
    for (const request of memberReads) leader.send(request, replies);
    await group.cluster.advance(6_000);
    assert.equal(replies.responses.length, memberReads.length);
    for (const { code } of replies.responses) assert.notEqual(code, 0);
  },
  { config: { processReadEvent: true } },
);

wireTest('a body is looked at before leadership', async ({ leader, followers }) => {
  for (const controller of [leader, ...followers]) {
    const isLeader = controller === leader;
    for (const body of ['{', '{}', '[]', 'text', '{"syncStateSet":["x"]}', '"x"']) {
      const { code, remark } = await controller.call(alter(body));
      assert.equal(code, 1, `1001 with ${body}`);
      assert.ok(typeof remark === 'string' && remark !== '');
    }
    for (const body of ['[1,"b"]', '[null,"a"]', '{}', '"x"', '[', 'x']) {
      assert.equal((await controller.call(syncStateData(body))).code, 1, `1006 with ${body}`);
    }
    for (const body of [undefined, '[]', 'null']) {
      assert.deepEqual(await controller.call(syncStateData(body)), nothingAsked, `1006 ${body}`);
    }
    // A body of 1001 without a set is no bad body: the broker set is unknown, or nobody leads here.
    for (const body of [undefined, 'null']) {
      assert.equal((await controller.call(alter(body))).code, isLeader ? 2013 : 2007, body);
    }
  }
  await leader.call(apply('set-a'));
  for (const body of [undefined, 'null']) {
    assert.equal((await leader.call(alter(body))).code, 1, body);
  }
});

wireTest('an unknown code is answered by 3, one-way by nothing', async ({ leader, followers }) => {
  for (const controller of [leader, ...followers]) {
    for (const code of [0, 10, 1007, 1014, 9_999, -1]) {
      assert.deepEqual(
        await controller.call({ code }),
        plain(3, ` request type ${code} not supported`),
      );
      const replies = new TestConnection();
      controller.send({ code, oneway: true }, replies);
      await controller.settle();
      assert.deepEqual(replies.responses, []);
    }
  }
});

wireTest('heartbeats are taken by every member, two-way and one-way', async ({ group }) => {
  for (const controller of group.controllers) {
    assert.deepEqual(await controller.call(beat), heartbeatTaken);
    const replies = new TestConnection();
    const second = { ...beat, extFields: { ...beat.extFields, brokerId: '2' }, oneway: true };
    controller.send(second, replies);
    await controller.settle();
    assert.deepEqual(replies.responses, []);
    const known = [...controller.controller.table.alive()].map(({ brokerId }) => brokerId);
    assert.deepEqual(known, [1, 2]);
  }
});

wireTest(
  '1005 names the leader, and nobody where there is none',
  async ({ leader, followers, group }) => {
    const ids = group.controllers.map(({ member }) => member.id);
    const addressOf = (id: string): string => `127.0.0.1:${9_878 + ids.indexOf(id) * 10}`;
    const peers = ids.map((id) => `${id}:${addressOf(id)};`).join('');
    for (const controller of group.controllers) {
      const { code, extFields } = await controller.call(metadata);
      assert.equal(code, 0);
      assert.deepEqual(extFields, {
        group: 'quorumark',
        controllerLeaderId: leader.member.id,
        controllerLeaderAddress: addressOf(leader.member.id),
        isLeader: String(controller === leader),
        peers,
      });
    }
    const [alone] = followers;
    assert(alone !== undefined);
    group.cluster.cut(alone.member);
    await group.cluster.advance(1_000);
    assert.deepEqual((await alone.call(metadata)).extFields, {
      ...{ group: 'quorumark', isLeader: 'false', peers },
    });
  },
);

const smallBounds = { requestsWaitingMax: 5, handlersMax: 2, handlerQueueMax: 3 };
wireTest(
  'a full admission refuses at once, and recovers',
  async ({ leader, group }) => {
    group.holdCommits();
    const replies = new TestConnection();
    const opaques = Array.from({ length: 8 }, (_, at) => leader.send(apply(`set-${at}`), replies));
    await group.cluster.settle();
    const refused = opaques.filter((opaque) => replies.repliesTo(opaque).length > 0);
    assert.deepEqual(refused, opaques.slice(5));
    for (const opaque of refused) assert.deepEqual(replies.repliesTo(opaque), [busy]);
    group.cluster.heal();
    await group.cluster.advance(2_000);
    for (const opaque of opaques.slice(0, 5)) {
      assert.deepEqual(
        replies.repliesTo(opaque).map(({ code }) => code),
        [0],
      );
    }
    assert.equal((await leader.call(apply('set-7'))).code, 0);
  },
  { config: smallBounds },
);

wireTest(
  'heartbeats count at a full admission too',
  async ({ leader, group }) => {
    group.holdCommits();
    const replies = new TestConnection();
    for (let at = 0; at < 5; at += 1) leader.send(apply(`set-${at}`), replies);
    assert.deepEqual(await leader.call(beat), busy);
  },
  { config: smallBounds },
);

wireTest('a request that takes 5 s is answered by code 1, once', async ({ leader, group }) => {
  group.holdCommits();
  const replies = new TestConnection();
  const opaque = leader.send(apply('set-a'), replies);
  await group.cluster.advance(4_900);
  assert.deepEqual(replies.responses, []);
  await group.cluster.advance(200);
  const [reply] = replies.repliesTo(opaque);
  assert.equal(reply?.code, ResponseCode.SystemError);
  assert.match(reply?.remark ?? '', /^java\.util\.concurrent\.TimeoutException/);
  // The write was in the log, and is done later: the client was told only that it did not know.
  group.cluster.heal();
  await group.cluster.advance(1_000);
  assert.equal(replies.responses.length, 1);
  assert.deepEqual((await leader.call(replicaInfo)).code, 0);
});

for (const how of ['waited 5 s', 'hung up'] as const) {
  wireTest(`work behind it, whose client ${how}`, async ({ build, leader, group }) => {
    group.holdCommits();
    const replies = new TestConnection();
    leader.send(apply('set-a', 1), replies);
    leader.send(apply('set-a', 2), replies);
    if (how === 'hung up') replies.close();
    else await group.cluster.advance(5_100);
    group.cluster.heal();
    await group.cluster.advance(1_000);
    const { extFields } = await leader.call(nextId);
    // Upstream's queue does not know its callers: it writes for nobody. Ours drops what nobody awaits.
    const expected = { baseline: '3', optimized: '2' }[build];
    assert.deepEqual(extFields, { ...names, nextBrokerId: expected });
  });
}

wireTest('a write that loses its leader is answered as unknown', async ({ leader, group }) => {
  const replies = new TestConnection();
  group.cluster.cut(leader.member);
  const opaque = leader.send(apply('set-a'), replies);
  const late = leader.send(apply('set-a', 2), replies);
  await group.cluster.advance(2_000);
  const [reply] = replies.repliesTo(opaque);
  assert.equal(reply?.code, ResponseCode.SystemError);
  assert.match(reply?.remark ?? '', /^java\.util\.concurrent\.CancellationException/);
  // What was never appended is refused for certain.
  assert.deepEqual(replies.repliesTo(late), [notLeader]);
});

wireTest('one set does not wait for another', async ({ build, leader, group }) => {
  // The first append is held back for ever; the second, of another set, may go on with the lane.
  group.holdCommits();
  const replies = new TestConnection();
  leader.send(apply('set-a'), replies);
  leader.send(apply('set-b'), replies);
  await group.cluster.settle();
  const appended = { baseline: 1, optimized: 2 }[build];
  const handling = leader.controller.load;
  assert.deepEqual(handling, { handling: 2, waiting: 2 - appended });
});

wireTest('all members end with the same state', async ({ leader, group }) => {
  const replies = new TestConnection();
  for (let at = 0; at < 200; at += 1) {
    leader.send(apply(`set-${at % 20}`, 1 + Math.floor(at / 20)), replies);
  }
  await group.cluster.advance(1_000);
  assert.equal(replies.responses.length, 200);
  const [first, ...others] = group.controllers.map(({ controller }) => controller.snapshot());
  for (const other of others) assert.ok(Buffer.from(other).equals(Buffer.from(first ?? [])));
  assert.equal(leader.controller.state.brokerSets.size, 20);
});
