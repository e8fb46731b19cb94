/**
 * Upstream's mqadmin 5.4.0 against three controllers of each build: what its commands print, and what
 * they leave behind. It exits with 0 whatever happens, so text and state are all there is to go by.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { discoverLeader } from '../client/discover.js';
import { parseAddress } from '../net/address.js';
import { certificatePath } from '../net/testing.js';
import { TLS_HANDSHAKE } from '../net/tls.js';
import { Mqadmin, reasonOf } from '../target/mqadmin.js';
import { startCluster } from '../target/ours.js';
import { findPeers, PeersError } from '../target/peers.js';
import { StandingSet } from '../target/standing-set.js';
import type { RunningTarget } from '../target/target.js';

const SET = { clusterName: 'cluster-a', brokerName: 'broker-a', replicas: 3 };
/** Nobody listens there. */
const DOWN = '127.0.0.1:1';
const RETRIES = 'electMasterMaxRetryCount';
/** Far more than the heartbeat of upstream's timing, 2 s. */
const LEADER_KNOWN_MS = 30_000;

interface Scene {
  readonly target: RunningTarget;
  readonly brokers: StandingSet;
  readonly leader: { readonly id: string; readonly address: string };
  readonly followers: readonly { readonly id: string; readonly address: string }[];
  readonly all: string;
  mqadmin(...command: readonly string[]): Promise<string>;
  /** Lines of the members' property files that set `key`. */
  saved(key: string): readonly (string | undefined)[];
}

interface Step {
  readonly what: string;
  readonly run: (scene: Scene) => Promise<void>;
}

const steps: readonly Step[] = [
  {
    what: 'getControllerMetaData at a follower names leader and peers',
    async run({ mqadmin, followers, leader, target }) {
      const said = await mqadmin('getControllerMetaData', '-a', followers[0]?.address ?? '');
      const peers = target.members().map(({ id, address }) => `#Peer:\t${id}:${address}`);
      assert.deepEqual(lines(said), [
        '#ControllerGroup\tquorumark',
        `#ControllerLeaderId\t${leader.id}`,
        `#ControllerLeaderAddress\t${leader.address}`,
        ...peers,
      ]);
    },
  },
  {
    what: 'getControllerMetaData at a member that is down says so',
    async run({ mqadmin }) {
      const said = await mqadmin('getControllerMetaData', '-a', DOWN);
      assert.equal(reasonOf(said), `RemotingConnectException: connect to ${DOWN} failed`);
    },
  },
  {
    what: 'getSyncStateSet asks the first of a list, so the others may be down',
    async run({ mqadmin, followers, brokers }) {
      const list = `${followers[0]?.address};${DOWN}`;
      const said = await mqadmin('getSyncStateSet', '-a', list, '-b', SET.brokerName);
      assert.deepEqual(lines(said), [
        '#brokerName\tbroker-a',
        '#MasterBrokerId\t1',
        `#MasterAddr\t${brokers.addressOf(1)}`,
        '#MasterEpoch\t1',
        '#SyncStateSetEpoch\t2',
        '#SyncStateSetNums\t3',
        ...[1, 2, 3].map((id) => `InSyncReplica:\t${replica(brokers, id)}`),
      ]);
    },
  },
  {
    what: 'getSyncStateSet fails where the first of a list is down',
    async run({ mqadmin, followers }) {
      const list = `${DOWN};${followers[0]?.address}`;
      const said = await mqadmin('getSyncStateSet', '-a', list, '-b', SET.brokerName);
      assert.equal(reasonOf(said), `RemotingConnectException: connect to ${DOWN} failed`);
    },
  },
  {
    what: 'electMaster, through a follower, makes the named broker master',
    async run({ mqadmin, followers, brokers }) {
      const said = await elect(mqadmin, followers[0]?.address, 2);
      assert.deepEqual(lines(said), [
        '#ClusterName\tcluster-a',
        '#BrokerName\tbroker-a',
        `#BrokerMasterAddr\t${brokers.addressOf(2)}`,
        '#MasterEpoch\t2',
        '#SyncStateSetEpoch\t3',
      ]);
      assert.deepEqual(await state(brokers), { master: 2, epoch: 2, inStep: [2], out: [1, 3] });
    },
  },
  {
    what: 'electMaster of the master is refused and changes nothing',
    async run({ mqadmin, followers, brokers }) {
      const said = await elect(mqadmin, followers[0]?.address, 2);
      assert.equal(
        reasonOf(said),
        'MQBrokerException: CODE: 2011  DESC: The old master 2 is still alive, not need to elect new master for broker broker-a',
      );
      assert.deepEqual(await state(brokers), { master: 2, epoch: 2, inStep: [2], out: [1, 3] });
    },
  },
  {
    what: 'updateControllerConfig changes all members and their files',
    async run({ mqadmin, all, saved, target }) {
      const said = await mqadmin('updateControllerConfig', '-a', all, '-k', RETRIES, '-v', '7');
      assert.deepEqual(lines(said), [
        `update controller config success![${target.addresses.join(', ')}]`,
        `${RETRIES} : 7`,
      ]);
      assert.deepEqual(saved(RETRIES), Array(3).fill(`${RETRIES}=7`));
    },
  },
  {
    what: 'getControllerConfig prints every member with the change, after a restart too',
    async run({ mqadmin, all, followers, target }) {
      const [follower] = followers;
      assert(follower !== undefined);
      await target.kill(follower.id, 'SIGKILL');
      await target.restart(follower.id);
      // Until a heartbeat has told it who leads, mqadmin would go by it to the name server.
      await discoverLeader({ addresses: [follower.address], deadlineMs: LEADER_KNOWN_MS });
      const said = await mqadmin('getControllerConfig', '-a', all);
      // In an order of its own: mqadmin keeps them in a hash map.
      const parts = said.split(/^=+(\S+?)=+$/m).slice(1);
      const configs = target.addresses.map((address) =>
        propertiesOf(parts[parts.indexOf(address) + 1] ?? ''),
      );
      assert.equal(parts.length, 2 * configs.length);
      assert.deepEqual(
        configs.map((config) => [config['controllerDLegerSelfId'], config[RETRIES]]),
        target.members().map(({ id }) => [id, '7']),
      );
      assert.equal(configs[0]?.['isProcessReadEvent'], 'false');
    },
  },
  {
    what: 'updateControllerConfig with a bad value names it and changes nothing',
    async run({ mqadmin, all, saved }) {
      const said = await mqadmin('updateControllerConfig', '-a', all, '-k', RETRIES, '-v', 'many');
      assert.equal(
        reasonOf(said),
        `MQClientException: CODE: 1  DESC: ${RETRIES}=many: must be an integer in [1, 100]`,
      );
      assert.deepEqual(saved(RETRIES), Array(3).fill(`${RETRIES}=7`));
    },
  },
  {
    what: 'updateControllerConfig does not touch what is in the black list',
    async run({ mqadmin, all, saved }) {
      const command = ['updateControllerConfig', '-a', all, '-k', 'configStorePath', '-v', 'x'];
      assert.equal(
        reasonOf(await mqadmin(...command)),
        'MQClientException: CODE: 16  DESC: Can not update config in black list.',
      );
      assert.deepEqual(saved('configStorePath'), [undefined, undefined, undefined]);
    },
  },
  {
    what: 'cleanBrokerMetadata spares a broker that lives',
    async run({ mqadmin, followers, brokers }) {
      const said = await clean(mqadmin, followers[0]?.address, 3);
      assert.equal(
        reasonOf(said),
        'MQBrokerException: CODE: 2009  DESC: Broker [broker-a,  3] is still alive, clean up failure',
      );
      assert.deepEqual(await state(brokers), { master: 2, epoch: 2, inStep: [2], out: [1, 3] });
    },
  },
  {
    what: 'cleanBrokerMetadata removes a broker that is dead',
    async run({ mqadmin, followers, brokers }) {
      await brokers.silence(3);
      const said = await clean(mqadmin, followers[0]?.address, 3);
      assert.deepEqual(lines(said), ['clear broker broker-a metadata from controller success!']);
      assert.deepEqual(await state(brokers), { master: 2, epoch: 2, inStep: [2], out: [1] });
    },
  },
  {
    what: 'with a member down the others administer, and a changed property counts at once',
    async run({ mqadmin, followers, brokers, target, leader }) {
      const [down, up] = followers;
      assert(down !== undefined && up !== undefined);
      await target.kill(down.id, 'SIGKILL');
      assert.equal(
        lines(await mqadmin('getControllerMetaData', '-a', up.address))[2],
        `#ControllerLeaderAddress\t${leader.address}`,
      );
      const outOfStep = await elect(mqadmin, up.address, 1);
      assert.match(reasonOf(outOfStep), /^MQBrokerException: CODE: 2012 {2}DESC: /);
      const living = `${leader.address};${up.address}`;
      await mqadmin(
        ...['updateControllerConfig', '-a', living, '-k', 'enableElectUncleanMaster', '-v', 'true'],
      );
      await elect(mqadmin, up.address, 1);
      assert.deepEqual(await state(brokers), { master: 1, epoch: 3, inStep: [1], out: [2] });
    },
  },
  {
    what: 'with a member down, updateControllerConfig stops at it: those after it are not told',
    async run({ mqadmin, followers, leader, saved, target }) {
      const [down, up] = followers;
      const list = `${leader.address};${down?.address};${up?.address}`;
      const said = await mqadmin('updateControllerConfig', '-a', list, '-k', RETRIES, '-v', '8');
      assert.equal(reasonOf(said), `RemotingConnectException: connect to ${down?.address} failed`);
      const told = target.members().map(({ id }) => `${RETRIES}=${id === leader.id ? 8 : 7}`);
      assert.deepEqual(saved(RETRIES), told);
    },
  },
];

for (const build of ['baseline', 'optimized']) {
  test(`mqadmin: ${build}`, { timeout: 400_000 }, async (context) => {
    const missing = whatIsMissing();
    if (missing !== null) {
      context.skip(missing);
      return;
    }
    await inScene(build, (scene) => play(context, scene));
  });
}

const TLS_SERVER = {
  'tls.server.mode': 'permissive',
  'tls.server.certPath': certificatePath('member.pem'),
  'tls.server.keyPath': certificatePath('member.key'),
};
const TLS_CLIENT = {
  'tls.enable': 'true',
  // Upstream's default, true, trusts any server.
  'tls.test.mode.enable': 'false',
  'tls.client.authServer': 'true',
  'tls.client.trustCertPath': certificatePath('ca.pem'),
};

test('mqadmin over TLS and plain, at one port', {
  skip: whatIsMissing() ?? false,
  timeout: 200_000,
}, async (t) => {
  const target = await startCluster({
    ...{ build: 'optimized', durability: 'background', electionProfile: 'dledger' },
    properties: TLS_SERVER,
  });
  t.after(() => target.close());
  const leader = await target.leader();
  const { address, firstBytes } = await eavesdrop(t, leader.address);
  for (const [properties, firstByte] of [
    [TLS_CLIENT, TLS_HANDSHAKE],
    [{}, 0],
  ] as const) {
    const mqadmin = await Mqadmin.start(address, { properties });
    try {
      const said = await mqadmin.run('getControllerMetaData', '-a', address);
      assert.equal(lines(said)[2], `#ControllerLeaderAddress\t${leader.address}`);
    } finally {
      await mqadmin.close();
    }
    assert.deepEqual([...firstBytes], [firstByte], 'all of its connections speak so');
    firstBytes.clear();
  }
});

/** A port that passes everything on, and notes how connections begin. */
async function eavesdrop(t: TestContext, target: string) {
  const firstBytes = new Set<number | undefined>();
  const { host, port } = parseAddress(target) ?? assert.fail(target);
  const server = createServer((incoming) => {
    const outgoing = connect({ host, port });
    incoming.once('data', (chunk: Buffer) => firstBytes.add(chunk[0]));
    // Either end may break off; the other then ends too.
    pipeline(incoming, outgoing, incoming, () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, firstBytes };
}

async function play(context: TestContext, scene: Scene): Promise<void> {
  for (const { what, run } of steps) await context.test(what, () => run(scene));
}

/** Three controllers, a broker set of three in step, and mqadmin; none of which outlives the test. */
async function inScene(build: string, body: (scene: Scene) => Promise<void>): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'quorumark-test-'));
  const closing: (() => Promise<void> | void)[] = [
    () => rmSync(data, { recursive: true, force: true }),
  ];
  try {
    // Upstream's patience: beside a JVM on a busy machine a member may hear nothing for half a second,
    // and what these commands print must not depend on it.
    const target = await startCluster({
      build,
      durability: 'background',
      data,
      electionProfile: 'dledger',
    });
    closing.push(() => target.close());
    const leader = await target.leader();
    const mqadmin = await Mqadmin.start(leader.address);
    closing.push(() => mqadmin.close());
    const brokers = await StandingSet.join(target, SET);
    closing.push(() => brokers.leave());
    await body({
      target,
      brokers,
      leader,
      followers: target.members().filter(({ id }) => id !== leader.id),
      all: target.addresses.join(';'),
      mqadmin: (...command) => mqadmin.run(...command),
      saved: (key) =>
        target.members().map(({ id }) =>
          readFileSync(join(data, id, 'controller.properties'), 'utf8')
            .split('\n')
            .find((line) => line.startsWith(`${key}=`)),
        ),
    });
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

function whatIsMissing(): string | null {
  try {
    findPeers();
    return null;
  } catch (error) {
    if (error instanceof PeersError) return error.message;
    throw error;
  }
}

type Run = Scene['mqadmin'];

const elect = (mqadmin: Run, at: string | undefined, id: number): Promise<string> =>
  mqadmin(
    ...['electMaster', '-a', at ?? '', '-b', String(id), '-bn', SET.brokerName],
    ...['-c', SET.clusterName],
  );

const clean = (mqadmin: Run, at: string | undefined, id: number): Promise<string> =>
  mqadmin(
    ...['cleanBrokerMetadata', '-a', at ?? '', '-b', String(id), '-bn', SET.brokerName],
    ...['-c', SET.clusterName],
  );

/** Of the set, as the leader has it. */
async function state(brokers: StandingSet) {
  const info = await brokers.info();
  assert(info !== null, 'the set is known');
  const ids = (replicas: readonly { readonly brokerId: number }[]): number[] =>
    replicas.map(({ brokerId }) => brokerId);
  return {
    master: info.masterBrokerId,
    epoch: info.masterEpoch,
    inStep: ids(info.inSyncReplicas),
    out: ids(info.notInSyncReplicas),
  };
}

const lines = (said: string): string[] =>
  said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

const replica = (brokers: StandingSet, id: number): string =>
  `ReplicaIdentity{brokerName='broker-a', brokerId=${id}, brokerAddress='${brokers.addressOf(id)}', alive=true}`;

/** As getControllerConfig prints them. */
const propertiesOf = (said: string): Readonly<Record<string, string>> =>
  Object.fromEntries(lines(said).map((line) => line.split(/\s*=\s*/, 2) as [string, string]));
