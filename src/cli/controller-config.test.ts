/**
 * 1009 and 1010 of every build: what a client reads and changes, on leaders and followers, what takes
 * effect at once, and that a real process remembers it.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { call, connect } from '../client/connection.js';
import { RequestCode } from '../lib/codes.js';
import { parseProperties } from '../server/properties.js';
import { TestController, TestGroup, type TestRequest } from '../server/testing.js';
import { startCluster } from '../target/ours.js';
import { resolveBuild } from './builds.js';

const names = { clusterName: 'cluster-a', brokerName: 'set-a' };
const update = (body?: string): TestRequest => ({
  code: RequestCode.UpdateControllerConfig,
  ...(body !== undefined && { body }),
});
const plain = (code: number, remark: string | null) => ({
  ...{ code, remark, extFields: null, body: null },
});
const list: TestRequest = { code: RequestCode.GetControllerConfig };
const apply = (id: number): TestRequest => ({
  code: RequestCode.ApplyBrokerId,
  extFields: { ...names, appliedBrokerId: `${id}`, registerCheckCode: `y:${id};1` },
});
const beat = (id: number, timeoutMs = 3_600_000): TestRequest => ({
  code: RequestCode.BrokerHeartbeat,
  extFields: {
    ...{ ...names, brokerId: `${id}`, brokerAddr: `y:${id}`, epoch: '1', maxOffset: '1' },
    heartbeatTimeoutMills: String(timeoutMs),
  },
});
const elect = (brokerId: number, designateElect = false): TestRequest => ({
  code: RequestCode.ElectMaster,
  extFields: { ...names, brokerId: `${brokerId}`, designateElect: `${designateElect}` },
});

/** Two brokers that live, the first of them master and alone in step. */
async function serving(build: string, overrides = {}): Promise<TestController> {
  const controller = await new TestController(resolveBuild(build), overrides).serve();
  for (const request of [apply(1), apply(2), beat(1), beat(2), elect(1)]) {
    assert.equal((await controller.call(request)).code, 0);
  }
  return controller;
}

async function listed(controller: TestController): Promise<Readonly<Record<string, string>>> {
  const { body } = await controller.exchange(list);
  const properties = parseProperties(body?.toString() ?? '');
  return Object.fromEntries(properties.map(({ key, value }) => [key, value]));
}

for (const build of ['baseline', 'optimized']) {
  test(`${build}: 1009 answers as upstream, and 1010 shows what it did`, async () => {
    const controller = await serving(build);
    const exchanges: readonly (readonly [string | undefined, number, string | null])[] = [
      [undefined, 0, null],
      ['', 0, null],
      ['warpSpeed=9\n', 0, null],
      ['configStorePath=/x\n', 16, 'Can not update config in black list.'],
      ['rocketmqHome=/x\nelectMasterMaxRetryCount=5', 16, 'Can not update config in black list.'],
      ['a=\\u12\n', 1, 'string2Properties error'],
      [
        'electMasterMaxRetryCount=x\n',
        1,
        'electMasterMaxRetryCount=x: must be an integer in [1, 100]',
      ],
    ];
    const before = await listed(controller);
    for (const [body, code, remark] of exchanges) {
      assert.deepEqual(await controller.call(update(body)), plain(code, remark), body);
      assert.deepEqual(await listed(controller), before, body);
    }
    assert.deepEqual(
      await controller.call(update('electMasterMaxRetryCount=\\u0037\n')),
      plain(0, null),
    );
    assert.deepEqual(await listed(controller), { ...before, electMasterMaxRetryCount: '7' });
    await controller.close();
  });

  test(`${build}: followers answer 1009 and 1010 too, each for itself alone`, async () => {
    const group = await new TestGroup(resolveBuild(build)).serve();
    const [changed, other] = group.followers;
    assert(changed !== undefined && other !== undefined);
    const { code } = await changed.call(update('notifyBrokerRoleChanged=false'));
    assert.equal(code, 0);
    const shown = await Promise.all(
      [changed, other, group.leader].map(async (each) => {
        const { controllerDLegerSelfId, notifyBrokerRoleChanged } = await listed(each);
        return [controllerDLegerSelfId, notifyBrokerRoleChanged];
      }),
    );
    assert.deepEqual(shown, [
      [changed.member.id, 'false'],
      [other.member.id, undefined],
      [group.leader.member.id, undefined],
    ]);
    await group.close();
  });

  test(`${build}: enableElectUncleanMaster counts at once`, async () => {
    const controller = await serving(build);
    assert.equal((await controller.call(elect(2, true))).code, 2012);
    await controller.call(update('enableElectUncleanMaster=true'));
    assert.equal((await controller.call(elect(2, true))).code, 0);
    await controller.close();
  });

  test(`${build}: notifyBrokerRoleChanged counts at once`, async () => {
    const controller = await serving(build, { enableElectUncleanMaster: true });
    const told = controller.notified.length;
    await controller.call(update('notifyBrokerRoleChanged=false'));
    await controller.call(elect(2, true));
    assert.equal(controller.notified.length, told);
    await controller.call(update('notifyBrokerRoleChanged=true'));
    await controller.call(elect(1, true));
    assert.ok(controller.notified.length > told);
    await controller.close();
  });

  test(`${build}: electMasterMaxRetryCount counts at once`, async () => {
    const controller = await serving(build);
    await controller.call(update('electMasterMaxRetryCount=5'));
    await controller.call(beat(1, 1_000));
    await controller.call(beat(2, 1_000));
    const epoch = async (): Promise<number> => {
      const { extFields } = await controller.call({
        code: RequestCode.GetReplicaInfo,
        extFields: { brokerName: 'set-a' },
      });
      return Number((extFields as Record<string, string>)['masterEpoch']);
    };
    assert.equal(await epoch(), 1);
    // Nobody can be elected, and each attempt raises the epoch.
    await controller.advance(10_000);
    assert.equal(await epoch(), 6);
    await controller.close();
  });

  test(`${build}: a process remembers what was changed, and reads the rest at its next start`, async () => {
    const data = mkdtempSync(join(tmpdir(), 'quorumark-test-'));
    const cluster = await startCluster({ build, nodes: 1, durability: 'background', data });
    try {
      const ask = async (request: TestRequest) => {
        const link = connect(cluster.addresses[0] ?? '', {
          ...{ windowMax: 1, connectTimeoutMs: 3_000, requestTimeoutMs: 5_000 },
          closeOnTimeout: true,
        });
        try {
          const { code, body } = await call(link, request);
          return { code, body: body?.toString() ?? '' };
        } finally {
          link.close();
        }
      };
      const changes = 'electMasterMaxRetryCount=9\nscanInactiveMasterInterval=777\n';
      assert.deepEqual(await ask(update(changes)), { code: 0, body: '' });
      await cluster.kill('n0', 'SIGKILL');
      await cluster.restart('n0');
      const { body } = await ask(list);
      assert.match(body, /^electMasterMaxRetryCount=9$/m);
      assert.match(body, /^scanInactiveMasterInterval=777$/m);
      assert.match(body, /^httpPort=\d+$/m);
    } finally {
      await cluster.close();
      rmSync(data, { recursive: true, force: true });
    }
  });
}

test('baseline: processReadEvent counts at once: a read is a log entry from then on', async () => {
  const controller = await serving('baseline');
  const entries = async (): Promise<number> => {
    const before = controller.log.commitIndex;
    await controller.call({ code: RequestCode.GetReplicaInfo, extFields: { brokerName: 'set-a' } });
    return controller.log.commitIndex - before;
  };
  assert.equal(await entries(), 0);
  await controller.call(update('processReadEvent=true'));
  assert.equal(await entries(), 1);
  await controller.call(update('isProcessReadEvent=false'));
  assert.equal(await entries(), 0);
  await controller.close();
});
