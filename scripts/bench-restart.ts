/**
 * How long a controller needs from its start until it serves, with a long history behind it.
 *
 *     npm run build && node dist/scripts/bench-restart.js [ROOT ...]
 *
 * Each ROOT is a checkout that was built; default: this one. Every one of them writes its own history
 * first, all sets at once; then they are started in turn, so that a machine that grows slower does so for all.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { median } from '../src/analyze/bootstrap.js';
import { call, connect } from '../src/client/connection.js';
import { RequestCode } from '../src/lib/codes.js';
import { projectRoot } from '../src/lib/project-root.js';
import type * as Ours from '../src/target/ours.js';
import type { RunningTarget } from '../src/target/target.js';

const SETS = 1_000;
const REPLICAS = 3;
const CHANGES = 300_000;
const ROUNDS = 7;

const roots = process.argv.slice(2).map((root) => resolve(root));
if (roots.length === 0) roots.push(projectRoot());
const data = mkdtempSync(join(tmpdir(), 'quorumark-restart-'));

async function start(root: string): Promise<RunningTarget> {
  const module = pathToFileURL(join(root, 'dist', 'src', 'target', 'ours.js')).href;
  const { startCluster } = (await import(module)) as typeof Ours;
  const directory = join(data, String(roots.indexOf(root)));
  return startCluster({ build: 'optimized', nodes: 1, durability: 'background', data: directory });
}

async function write(address: string): Promise<void> {
  const options = { windowMax: SETS, connectTimeoutMs: 5_000, requestTimeoutMs: 30_000 };
  const connection = connect(address, { ...options, closeOnTimeout: true });
  const ask = async (code: number, extFields: Record<string, string | number>, body?: string) => {
    const reply = await call(connection, { code, extFields, ...(body !== undefined && { body }) });
    assert.equal(reply.code, 0, `${code}: ${reply.remark}`);
    return reply;
  };
  let left = CHANGES;
  await Promise.all(
    Array.from({ length: SETS }, async (_, set) => {
      const names = { clusterName: 'c', brokerName: `broker-${set}` };
      for (let id = 1; id <= REPLICAS; id += 1) {
        const brokerAddress = `10.0.0.${id}:10911`;
        const registerCheckCode = `${brokerAddress};${id}`;
        await ask(RequestCode.ApplyBrokerId, { ...names, appliedBrokerId: id, registerCheckCode });
        await ask(RequestCode.RegisterBroker, { ...names, brokerId: id, brokerAddress });
        await ask(RequestCode.BrokerHeartbeat, {
          ...{ ...names, brokerId: id, brokerAddr: brokerAddress, epoch: 1, maxOffset: 1 },
          ...{ confirmOffset: 1, heartbeatTimeoutMills: 600_000 },
        });
      }
      await ask(RequestCode.ElectMaster, { ...names, brokerId: 1 });
      for (let epoch = 1; left > 0; epoch += 1) {
        left -= 1;
        const body = {
          syncStateSet: epoch % 2 === 1 ? [1, 2] : [1, 2, 3],
          syncStateSetEpoch: epoch,
        };
        await ask(
          RequestCode.AlterSyncStateSet,
          { brokerName: names.brokerName, masterBrokerId: 1, masterEpoch: 1 },
          JSON.stringify(body),
        );
      }
    }),
  );
  connection.close();
}

try {
  for (const root of roots) {
    const target = await start(root);
    const startedMs = performance.now();
    await write(target.addresses[0] as string);
    await target.close();
    console.log(`${root}: written in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
  }
  const took = new Map<string, number[]>(roots.map((root) => [root, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const root of roots) {
      const startedMs = performance.now();
      const target = await start(root);
      took.get(root)?.push(performance.now() - startedMs);
      await target.close();
    }
  }
  for (const [root, times] of took) {
    const [least, most] = [Math.min(...times), Math.max(...times)];
    console.log(
      `${root}: ${SETS} sets, ${CHANGES} changes: serves after ${median(times).toFixed(0)} ms (${least.toFixed(0)}-${most.toFixed(0)} of ${ROUNDS})`,
    );
  }
} finally {
  rmSync(data, { recursive: true, force: true });
}
