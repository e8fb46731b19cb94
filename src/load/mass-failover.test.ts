import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { VirtualClock } from '../lib/virtual-clock.js';
import { parseWorkload } from '../workload/parse.js';
import { workloadPoints } from '../workload/points.js';
import { runMassFailoverTrial } from './mass-failover-trial.js';
import { electionsOf } from './merge-elections.js';
import type { WorkerResult } from './messages.js';
import { Stop } from './stop.js';
import { FakeGroup } from './testing/fake-group.js';
import { FakeNetwork } from './testing/fake-network.js';

const SETS = 5;
/** Until the window opens: the fleet runs quietly for so long. */
const WARM_UP_MS = 1_000;

/** A trial on a virtual clock; `afterLoss` says what the controllers do then, by milliseconds. */
async function lose(options: {
  readonly loss: 'closed' | 'silent';
  readonly giveUpAfterMs?: number;
  readonly settleMs?: number;
  readonly afterLoss: Readonly<Record<number, (group: FakeGroup, names: string[]) => void>>;
}) {
  const { loss, afterLoss, giveUpAfterMs = 5_000, settleMs = 8_000 } = options;
  const clock = new VirtualClock(1_000);
  const group = new FakeGroup();
  const network = new FakeNetwork(group, clock);
  const [workload] = workloadPoints(
    parseWorkload(
      'w.yaml',
      `name: w\nkind: mass-failover\nwhy: a question that is long enough\nsets: ${SETS}\nreplicas: 3
loss: ${loss}\nheartbeatTimeoutMs: 2000\nsettleMs: ${settleMs}\nwarmUpMs: ${WARM_UP_MS}\ngiveUpAfterMs: ${giveUpAfterMs}\n`,
    ),
  );
  assert(workload?.kind === 'mass-failover');
  let lossMs = Number.POSITIVE_INFINITY;
  let openAtLoss: number[] = [];
  let openAfter: number[] = [];
  const open = (): number[] => group.members.map((_, member) => network.openTo(member));
  let result: WorkerResult | null = null;
  const spec = {
    workload,
    members: group.members,
    setPrefix: 's',
    worker: 0,
    workers: 1,
    seed: 1,
    sources: [],
  };
  void runMassFailoverTrial(spec, workload, {
    clock,
    connect: network.connect,
    stop: new Stop(clock),
    post: () => {},
    ready: (phase) => {
      if (phase === 'measure') {
        lossMs = clock.nowMs();
        openAtLoss = open();
        group.beating.clear();
        for (const [atMs, act] of Object.entries(afterLoss)) {
          clock.after(Number(atMs), () => act(group, [...group.sets.keys()].sort()));
        }
        clock.after(1_500, () => {
          openAfter = open();
        });
      }
      return Promise.resolve(clock.nowMs());
    },
    usage: () => () => ({ eventLoopUtilization: 0, cpuShare: 0 }),
  }).then((done) => {
    result = done;
  });
  while (result === null) {
    assert(clock.nowMs() < 60_000, 'the trial does not end');
    clock.advance(1);
    await nextTurn();
  }
  const done: WorkerResult = result;
  const merged = electionsOf(workload, [done], 0);
  return { clock, group, done, merged, workload, openAtLoss, openAfter, lossMs };
}

const all = (group: FakeGroup, names: string[]): void => {
  for (const name of names) group.failOver(name);
};

test('closed: the masters’ connections go for good, and each set is seen with its new master', async () => {
  const { merged, openAtLoss, openAfter, done } = await lose({
    loss: 'closed',
    afterLoss: {
      100: (group, names) => group.failOver(names[0] ?? ''),
      200: (group, [, ...rest]) => all(group, rest.slice(0, 3)),
      400: (group, names) => group.failOver(names[4] ?? ''),
    },
  });
  assert.deepEqual(merged.reasons, []);
  // 15 brokers and 4 tools, then 5 masters fewer.
  assert.deepEqual(openAtLoss, [19, 19, 19]);
  assert.deepEqual(openAfter, [14, 14, 14]);
  const { firstElectedMs, medianElectedMs, lastElectedMs, electionsPerSecond } = merged.figures;
  for (const [seen, at] of [
    [firstElectedMs, 100],
    [medianElectedMs, 200],
    [lastElectedMs, 400],
  ] as const) {
    // A look every 25 ms, and an answer after 1 ms.
    assert((seen ?? 0) >= at && (seen ?? 0) <= at + 30, `${seen} for ${at}`);
  }
  const span = ((lastElectedMs ?? 0) - (firstElectedMs ?? 0)) / 1_000;
  assert.equal(electionsPerSecond, (SETS - 1) / span);
  // The survivors ask every 5 s.
  assert((merged.figures['lastToldMs'] ?? 0) > 400 && (merged.figures['lastToldMs'] ?? 0) <= 5_500);
  assert(done.elections?.isChecked);
});

test('silent: connections stay open, the masters’ beats stop, the others’ go on', async () => {
  const { group, merged, openAtLoss, openAfter } = await lose({
    loss: 'silent',
    afterLoss: { 2000: all },
  });
  assert.deepEqual(merged.reasons, []);
  assert.deepEqual(openAfter, openAtLoss);
  const beating = new Set([...group.beating].map((key) => key.split(' ')[2]));
  assert.deepEqual([...beating].sort(), ['2', '3']);
  assert((merged.figures['firstElectedMs'] ?? 0) >= 2_000);
});

test('a set without a new master makes the trial invalid, with their number', async () => {
  const { merged } = await lose({
    loss: 'closed',
    afterLoss: { 100: (group, names) => all(group, names.slice(1)) },
  });
  assert.deepEqual(merged.reasons, ['1 of 5 broker sets had no new master after 5000 ms']);
  assert.deepEqual(merged.figures, {});
});

test('a wrong master makes the trial invalid, with who it was', async () => {
  const { merged } = await lose({
    loss: 'closed',
    afterLoss: {
      100: (group, names) => {
        all(group, names.slice(1));
        group.failOver(names[0] ?? '', 9);
      },
    },
  });
  assert.deepEqual(merged.reasons, [
    '1 of 5 elections were wrong: s000000: 9 is master in epoch 2, and was not in the SyncStateSet {1,2,3}',
  ]);
});

test('a second election that only the last look shows is found', async () => {
  const { merged } = await lose({
    loss: 'closed',
    settleMs: 100,
    afterLoss: {
      100: all,
      // The reader has seen all by then, and no survivor asks before the end.
      150: (group, names) => group.failOver(names[2] ?? '', 3),
    },
  });
  assert.match(
    merged.reasons.join(),
    /^1 of 5 elections were wrong: s000002: 3 is master in epoch 3, after 2/,
  );
});

test('what the trial made is taken out of the controllers again', async () => {
  const { group } = await lose({ loss: 'closed', afterLoss: { 100: all } });
  assert.equal(group.sets.size, 0);
});

test('a generator that looked too late, or lost the masters too slowly, makes the trial invalid', async () => {
  const { workload, done } = await lose({ loss: 'closed', afterLoss: { 100: all } });
  const { elections } = done;
  assert(elections !== null);
  const slow = { ...done, elections: { ...elections, lossTookMs: 301 } };
  const unseen = { ...done, elections: { ...elections, gapMs: [25, 301] } };
  const reasons = (result: WorkerResult, latenessMs: number): string =>
    electionsOf(workload, [result], latenessMs).reasons.join();
  assert.equal(reasons(unseen, 300), '');
  // It was late, but not where it mattered: every set was looked at often enough.
  assert.equal(reasons(done, 301), '');
  assert.match(
    reasons(unseen, 301),
    /^the generator was the limit: its timers were late by 301 ms/,
  );
  assert.match(
    reasons(slow, 0),
    /^the generator was the limit: it took 301 ms to lose all masters/,
  );
});
