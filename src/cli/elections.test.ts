/**
 * Elections of masters by the controllers themselves, and what brokers are told of them; asked of
 * both builds.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestCode } from '../lib/codes.js';
import type { ConfigOverrides } from '../server/config.js';
import { TestConnection, TestController, TestGroup, type TestRequest } from '../server/testing.js';
import { resolveBuild } from './builds.js';

const builds = ['baseline', 'optimized'] as const;

const named = (brokerName: string) => ({ clusterName: 'cluster-a', brokerName });
const apply = (id: number, brokerName: string): TestRequest => ({
  code: RequestCode.ApplyBrokerId,
  extFields: {
    ...named(brokerName),
    appliedBrokerId: `${id}`,
    registerCheckCode: `10.0.0.${id}:10911;1`,
  },
});
const elect = (id: number, brokerName: string, designateElect = false): TestRequest => ({
  code: RequestCode.ElectMaster,
  extFields: { ...named(brokerName), brokerId: `${id}`, designateElect: `${designateElect}` },
});
const beat = (id: number, brokerName: string, timeoutMs = 60_000): TestRequest => ({
  code: RequestCode.BrokerHeartbeat,
  extFields: {
    ...named(brokerName),
    brokerId: `${id}`,
    brokerAddr: `10.0.0.${id}:10911`,
    maxOffset: `${id * 100}`,
    heartbeatTimeoutMills: `${timeoutMs}`,
  },
});
const alter = (ids: readonly number[], brokerName: string): TestRequest => ({
  code: RequestCode.AlterSyncStateSet,
  extFields: { brokerName, masterBrokerId: '1', masterEpoch: '1' },
  body: JSON.stringify({ syncStateSet: ids, syncStateSetEpoch: 1 }),
});

/** Brokers 1 to 3 of a set, each on a connection of its own; 1 is master, `inSync` are in step. */
class Brokers {
  readonly connections = new Map<number, TestConnection>();

  static async join(
    controller: TestController,
    options: { readonly inSync: readonly number[]; readonly brokerName?: string },
  ): Promise<Brokers> {
    const { inSync, brokerName = 'set-a' } = options;
    const brokers = new Brokers();
    for (const id of [1, 2, 3]) {
      const connection = new TestConnection();
      brokers.connections.set(id, connection);
      controller.send(apply(id, brokerName), connection);
      controller.send({ ...beat(id, brokerName), oneway: true }, connection);
      await controller.settle();
    }
    assert.equal((await controller.call(elect(1, brokerName))).code, 0);
    if (inSync.length > 1) {
      assert.equal((await controller.call(alter(inSync, brokerName))).code, 0);
    }
    return brokers;
  }

  /** As a dying broker does. */
  hangUp(id: number, controller: TestController): void {
    const connection = this.connections.get(id);
    assert(connection !== undefined);
    connection.close();
    controller.controller.connectionClosed(connection);
  }
}

async function masterOf(controller: TestController, brokerName = 'set-a') {
  const { extFields, body } = await controller.call({
    code: RequestCode.GetReplicaInfo,
    extFields: { brokerName },
  });
  const { masterBrokerId, masterEpoch } = extFields as Record<string, string>;
  return { master: masterBrokerId, epoch: masterEpoch, inSync: body };
}

/** How elections ended so far, those that brokers asked for included. */
async function elections(controller: TestController): Promise<Record<string, number>> {
  controller.metrics.expose({
    role: () => 'leader',
    diskUsageBytes: () => 0,
    activeBrokers: () => [],
    gauges: () => ({}),
  });
  const lines = (await controller.metrics.scrape()).matchAll(
    /^election_total\{election_result="(\w+)"\} (\d+)$/gm,
  );
  return Object.fromEntries([...lines].map(([, result, count]) => [result, Number(count)]));
}

function electionTest(
  name: string,
  config: Partial<ConfigOverrides>,
  run: (controller: TestController) => Promise<void>,
): void {
  for (const build of builds) {
    test(`${build}: ${name}`, async () => {
      const controller = await new TestController(resolveBuild(build), config).serve();
      try {
        await run(controller);
      } finally {
        await controller.close();
      }
    });
  }
}

electionTest('an election is told to living members, and to no others', {}, async (controller) => {
  const brokers = await Brokers.join(controller, { inSync: [1] });
  brokers.hangUp(3, controller);
  controller.notified.length = 0;
  assert.equal((await controller.call(elect(2, 'set-a', true))).code, 2012, '2 is not in step');
  assert.equal((await controller.call(alter([1, 2], 'set-a'))).code, 0);
  assert.deepEqual(controller.notified, [], 'no election, no news');
  assert.equal((await controller.call(elect(2, 'set-a', true))).code, 0);
  const request = {
    code: RequestCode.NotifyBrokerRoleChanged,
    extFields: {
      masterBrokerId: '2',
      masterAddress: '10.0.0.2:10911',
      masterEpoch: '2',
      syncStateSetEpoch: '3',
    },
    body: '{"syncStateSet":[2],"syncStateSetEpoch":3}',
  };
  assert.deepEqual(controller.notified, [
    { address: '10.0.0.1:10911', request },
    { address: '10.0.0.2:10911', request },
  ]);
});

electionTest(
  'notifyBrokerRoleChanged=false tells nobody',
  { notifyBrokerRoleChanged: false },
  async (controller) => {
    await Brokers.join(controller, { inSync: [1, 2] });
    assert.equal((await controller.call(elect(2, 'set-a', true))).code, 0);
    assert.deepEqual(controller.notified, []);
  },
);

electionTest(
  'a master that hangs up is replaced at once, in one attempt',
  {},
  async (controller) => {
    const brokers = await Brokers.join(controller, { inSync: [1, 2, 3] });
    controller.notified.length = 0;
    brokers.hangUp(1, controller);
    await controller.settle();
    // Of those in step, the one with most data.
    assert.deepEqual(await masterOf(controller), {
      ...{ master: '3', epoch: '2', inSync: { syncStateSet: [3], syncStateSetEpoch: 3 } },
    });
    assert.deepEqual(
      controller.notified.map(({ address }) => address),
      ['10.0.0.2:10911', '10.0.0.3:10911'],
    );
    assert.deepEqual(await elections(controller), { new_master_elected: 2 });
  },
);

electionTest(
  'a master that falls silent is replaced',
  // The scan for sets without a living master would find it too, later.
  { scanInactiveMasterIntervalMs: 3_600_000 },
  async (controller) => {
    await Brokers.join(controller, { inSync: [1, 2] });
    controller.send({ ...beat(1, 'set-a', 4_000), oneway: true });
    await controller.advance(3_900);
    assert.equal((await masterOf(controller)).master, '1');
    await controller.advance(8_000);
    assert.deepEqual(await masterOf(controller), {
      ...{ master: '2', epoch: '2', inSync: { syncStateSet: [2], syncStateSetEpoch: 3 } },
    });
  },
);

electionTest(
  'where nobody can be elected, three attempts raise the epoch by three',
  {},
  async (controller) => {
    const brokers = await Brokers.join(controller, { inSync: [1] });
    controller.notified.length = 0;
    brokers.hangUp(1, controller);
    await controller.advance(20_000);
    assert.deepEqual(await masterOf(controller), {
      ...{ master: undefined, epoch: '4', inSync: { syncStateSet: [1], syncStateSetEpoch: 1 } },
    });
    assert.deepEqual(controller.notified, []);
    assert.deepEqual(await elections(controller), {
      new_master_elected: 1,
      no_master_elected: 3,
    });
  },
);

electionTest(
  'electMasterMaxRetryCount bounds the attempts',
  { electMasterAttemptsMax: 1 },
  async (controller) => {
    const brokers = await Brokers.join(controller, { inSync: [1] });
    brokers.hangUp(1, controller);
    await controller.advance(20_000);
    assert.equal((await masterOf(controller)).epoch, '2');
  },
);

electionTest('a slave that hangs up costs no election', {}, async (controller) => {
  const brokers = await Brokers.join(controller, { inSync: [1, 2] });
  brokers.hangUp(2, controller);
  await controller.advance(20_000);
  const { master, epoch } = await masterOf(controller);
  assert.deepEqual([master, epoch], ['1', '1']);
  assert.deepEqual(await elections(controller), { new_master_elected: 1 });
});

electionTest(
  'a set whose master was never heard is found by the scan',
  { enableElectUncleanMaster: true },
  async (controller) => {
    // As after a restart of all controllers: a master that died meanwhile sends no beat.
    for (const id of [1, 2]) await controller.call(apply(id, 'set-a'));
    assert.equal((await controller.call(elect(1, 'set-a'))).code, 0);
    await controller.call(beat(2, 'set-a'));
    assert.equal((await masterOf(controller)).master, '1');
    await controller.advance(6_000);
    assert.equal((await masterOf(controller)).master, '2');
  },
);

electionTest('a controller that stops elects nobody', {}, async (controller) => {
  const brokers = await Brokers.join(controller, { inSync: [1, 2, 3] });
  // Closing its port ends all connections, masters' and slaves', one after another.
  controller.controller.stop();
  for (const id of [1, 2, 3]) brokers.hangUp(id, controller);
  await controller.settle();
  const set = controller.controller.state.brokerSets.get('set-a');
  assert.deepEqual([set?.sync?.masterBrokerId, set?.sync?.masterEpoch], [1, 1]);
});

electionTest('many masters at once: every set gets one election', {}, async (controller) => {
  const sets = Array.from({ length: 30 }, (_, at) => `set-${at}`);
  const all: Brokers[] = [];
  for (const brokerName of sets) {
    all.push(await Brokers.join(controller, { inSync: [1, 2], brokerName }));
  }
  for (const brokers of all) brokers.hangUp(1, controller);
  await controller.settle();
  for (const brokerName of sets) {
    const { master, epoch } = await masterOf(controller, brokerName);
    assert.deepEqual([master, epoch], ['2', '2'], brokerName);
  }
});

for (const build of builds) {
  test(`${build}: only the leader elects`, async () => {
    const group = await new TestGroup(resolveBuild(build)).serve();
    const brokers = await Brokers.join(group.leader, { inSync: [1, 2] });
    for (const follower of group.followers) {
      for (const [id, connection] of brokers.connections) {
        follower.send({ ...beat(id, 'set-a'), oneway: true }, connection);
      }
      await follower.settle();
      brokers.hangUp(1, follower);
      await group.cluster.advance(20_000);
      assert.deepEqual(follower.notified, []);
    }
    const { master, epoch } = await masterOf(group.leader);
    assert.deepEqual([master, epoch], ['1', '1']);
    await group.close();
  });
}
