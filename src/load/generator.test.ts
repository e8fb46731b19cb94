import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decode } from '../measure/histogram.js';
import { parseWorkload } from '../workload/parse.js';
import { type WorkloadPoint, workloadPoints } from '../workload/points.js';
import { LoadError, LoadPool, type LoadProgress, runLoad } from './generator.js';
import { type FakeServers, listenFakes } from './testing/fake-servers.js';

let servers: FakeServers;
before(async () => {
  servers = await listenFakes();
});
after(() => servers.close());

function point(fields: string): WorkloadPoint {
  const common = 'why: a question that is long enough\nsets: 20\nreplicas: 3\n';
  const [only] = workloadPoints(parseWorkload('test.yaml', `${common}${fields}`));
  assert(only !== undefined);
  return only;
}

const pool = new LoadPool(2);
const lone = new LoadPool(1);
after(() => Promise.all([pool.close(), lone.close()]));

const writes = point(`
name: writes
kind: load
warmUpMs: 50
durationMs: 500
intervalMs: 100
load: { mode: closed, outstanding: 10, mix: { alterSyncStateSet: 1 } }
`);

test('a closed loop over two workers, from the sockets to the result', async () => {
  const phases: string[] = [];
  let startEpochMs = 0;
  const result = await runLoad({
    workload: writes,
    members: servers.members,
    pool,
    seed: 1,
    onProgress: ({ phase }: LoadProgress) => {
      if (phases.at(-1) !== phase) phases.push(phase);
    },
    onMeasureStart: (atMs) => {
      startEpochMs = atMs;
    },
  });
  assert.deepEqual(phases, ['connect', 'prepare', 'warm-up', 'measure']);
  assert(startEpochMs > 0);
  const [operation] = result.operations;
  assert.equal(operation?.name, 'alterSyncStateSet');
  assert.equal(operation.kind, 'write');
  assert(operation.ok > 0);
  assert.deepEqual([operation.rejected, operation.failed], [{}, {}]);
  assert.equal(decode(operation.responseTime).count, operation.ok + result.generator.okAfterWindow);
  const inIntervals = result.intervals.map(({ operations }) => operations[0]?.ok ?? 0);
  assert.deepEqual(
    result.intervals.map(({ startMs }) => startMs),
    [0, 100, 200, 300, 400],
  );
  assert.equal(
    inIntervals.reduce((sum, ok) => sum + ok, 0),
    operation.ok,
  );
  assert.deepEqual(result.load, { mode: 'closed', outstanding: 10 });
  assert.equal(result.generator.workers, 2);
  assert.equal(servers.group.sets.size, 20);
  assert.equal(result.acknowledged?.length, 500);
  assert(result.acknowledged.includes(1));
});

test('an open loop asks for what it was told to, however the answers come', async () => {
  const result = await runLoad({
    workload: point(`
name: mixed
kind: load
warmUpMs: 0
durationMs: 500
load:
  mode: open
  ratePerSecond: 400
  mix: { heartbeat: 1, getReplicaInfo: 1, getSyncStateData: 1, getMetadataInfo: 1, getNextBrokerId: 1 }
`),
    members: servers.members,
    pool,
    seed: 1,
  });
  assert.equal(result.generator.asked, 200);
  assert.equal(result.generator.sent, 200);
  const ok = result.operations.reduce((sum, operation) => sum + operation.ok, 0);
  assert.equal(ok + result.generator.okAfterWindow, 200);
  assert.equal(decode(result.lateness).count, 200);
  assert.equal(result.operations.length, 5);
  assert.equal(result.acknowledged, null);
});

test('bring-up over sockets completes every set, says how long it took, and tidies up', async () => {
  servers.group.sets.clear();
  const result = await runLoad({
    workload: point('name: bring-up\nkind: bring-up\n'),
    members: servers.members,
    pool,
    seed: 1,
  });
  assert.equal(servers.group.sets.size, 0, 'its brokers are gone, and so must be its sets');
  assert.equal(result.figures['bringUpMs'], result.measuredMs);
  assert.deepEqual(result.load, { mode: 'script' });
  const elected = result.operations.find(({ name }) => name === 'electMaster');
  assert.equal(elected?.ok, 20);
});

test('a load that is stopped keeps what it has, marked partial', async () => {
  const abort = new AbortController();
  const result = await runLoad({
    workload: { ...writes, durationMs: 60_000 } as WorkloadPoint,
    members: servers.members,
    pool: lone,
    seed: 1,
    signal: abort.signal,
    onProgress: ({ phase, achievedPerSecond }) => {
      if (phase === 'measure' && achievedPerSecond > 0) abort.abort();
    },
  });
  assert.equal(result.status, 'partial');
  assert((result.operations[0]?.ok ?? 0) > 0);
  assert(result.measuredMs < 60_000);
});

test('a load that is stopped before it measured says so', async () => {
  const options = { members: servers.members, pool, workload: writes, seed: 1 };
  await assert.rejects(
    runLoad({ ...options, signal: AbortSignal.abort() }),
    (error) => error instanceof LoadError && /stopped before anything/.test(error.message),
  );
});
