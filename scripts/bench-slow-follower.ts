/**
 * What a slow follower costs the others: writes of 64 clients while both followers keep up, while one is
 * stopped (SIGSTOP), and while that one catches up with all that it has missed.
 *
 *     npm run build && node dist/scripts/bench-slow-follower.js
 *
 * The three follow one another in every round, so that a machine that grows slower does so for all. With
 * few cores a stopped process leaves its share to the others: more writes then are no merit of the leader.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../src/analyze/bootstrap.js';
import { call, connect, type RemotingConnection } from '../src/client/connection.js';
import { RequestCode } from '../src/lib/codes.js';
import { startCluster } from '../src/target/ours.js';

const SETS = 64;
const ROUNDS = 5;
const PHASE_MS = 4_000;
/** Of each phase, until the rate is its own. */
const SETTLE_MS = 300;
interface Seen {
  readonly rates: number[];
  readonly p99s: number[];
}
const nothing = (): Seen => ({ rates: [], p99s: [] });
const seen = { 'in step': nothing(), stopped: nothing(), 'catching up': nothing() };
let latencies: number[] | null = null;
let ended = false;

async function ask(
  to: RemotingConnection,
  code: number,
  extFields: Record<string, string | number>,
  body?: string,
) {
  const reply = await call(to, { code, extFields, ...(body !== undefined && { body }) });
  assert.equal(reply.code, 0, `${code}: ${reply.remark}`);
}

/** One master that drops its slave and takes it back, again and again. */
async function write(to: RemotingConnection, set: number): Promise<void> {
  const names = { clusterName: 'c', brokerName: `broker-${set}` };
  for (const id of [1, 2]) {
    const brokerAddress = `10.0.0.${id}:10911`;
    const registerCheckCode = `${brokerAddress};${id}`;
    await ask(to, RequestCode.ApplyBrokerId, { ...names, appliedBrokerId: id, registerCheckCode });
    await ask(to, RequestCode.RegisterBroker, { ...names, brokerId: id, brokerAddress });
    await ask(to, RequestCode.BrokerHeartbeat, {
      ...{ ...names, brokerId: id, brokerAddr: brokerAddress, epoch: 1, maxOffset: 1 },
      ...{ confirmOffset: 1, heartbeatTimeoutMills: 600_000 },
    });
  }
  await ask(to, RequestCode.ElectMaster, { ...names, brokerId: 1 });
  const fields = { brokerName: names.brokerName, masterBrokerId: 1, masterEpoch: 1 };
  for (let epoch = 1; !ended; epoch += 1) {
    const syncStateSet = epoch % 2 === 1 ? [1, 2] : [1];
    const body = JSON.stringify({ syncStateSet, syncStateSetEpoch: epoch });
    const startedMs = performance.now();
    await ask(to, RequestCode.AlterSyncStateSet, fields, body);
    latencies?.push(performance.now() - startedMs);
  }
}

async function measure(phase: keyof typeof seen): Promise<void> {
  await sleep(SETTLE_MS);
  latencies = [];
  const startedMs = performance.now();
  await sleep(PHASE_MS - SETTLE_MS);
  const measured = latencies;
  latencies = null;
  measured.sort((a, b) => a - b);
  seen[phase].rates.push((measured.length * 1_000) / (performance.now() - startedMs));
  seen[phase].p99s.push(measured[Math.floor(measured.length * 0.99)] ?? Number.NaN);
}

const target = await startCluster({ build: 'optimized', nodes: 3, durability: 'background' });
try {
  const leader = await target.leader();
  const follower = target.members().find(({ id }) => id !== leader.id);
  assert(follower !== undefined);
  const connection = connect(leader.address, {
    ...{ windowMax: SETS, connectTimeoutMs: 5_000, requestTimeoutMs: 30_000, closeOnTimeout: true },
  });
  const writers = Promise.all(Array.from({ length: SETS }, (_, set) => write(connection, set)));
  await sleep(2_000);
  for (let round = 1; round <= ROUNDS; round += 1) {
    process.stderr.write(`round ${round} of ${ROUNDS}\n`);
    await measure('in step');
    await target.kill(follower.id, 'SIGSTOP');
    await measure('stopped');
    await target.kill(follower.id, 'SIGCONT');
    await measure('catching up');
  }
  ended = true;
  await writers;
  connection.close();
  assert.equal((await target.leader()).id, leader.id, 'the leader is who it was');
  const spread = (values: readonly number[], digits: number) =>
    `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;
  for (const [phase, { p99s, rates }] of Object.entries(seen)) {
    console.log(
      `follower ${phase.padEnd(11)}  ${spread(rates, 0)} writes/s, p99 ${spread(p99s, 1)} ms`,
    );
  }
} finally {
  await target.close();
}
