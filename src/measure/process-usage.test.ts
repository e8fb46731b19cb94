import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { test } from 'node:test';
import type { Clock } from '../lib/clock.js';
import { systemClock } from '../lib/clock.js';
import { readUsage, type Usage, UsageSampler } from './process-usage.js';

/** Time that the test moves, and processes whose usage the test sets. */
function world() {
  let nowMs = 0;
  let tick: () => void = () => {};
  const usages = new Map<number, Usage>();
  const clock: Clock = {
    ...systemClock,
    nowMs: () => nowMs,
    every(_periodMs, action) {
      tick = action;
      return () => {
        tick = () => {};
      };
    },
  };
  return {
    options: { clock, read: (pid: number) => usages.get(pid) },
    uses: (pid: number, cpuMs: number, rssBytes: number) => usages.set(pid, { cpuMs, rssBytes }),
    dies: (pid: number) => usages.delete(pid),
    passes(ms: number): void {
      nowMs += ms;
      tick();
    },
  };
}

const n0 = { name: 'n0', kind: 'controller', pid: 7 } as const;

test('CPU counts from the start of the window, as cores between samples', () => {
  const { options, uses, passes } = world();
  uses(7, 5_000, 100);
  const sampler = new UsageSampler([n0], 500, options);
  sampler.start();
  uses(7, 5_400, 300);
  passes(500);
  uses(7, 6_400, 200);
  passes(500);
  assert.deepEqual(sampler.stop(), [
    {
      name: 'n0',
      kind: 'controller',
      cpuSeconds: 1.4,
      rssPeakBytes: 300,
      samples: [
        { atMs: 500, cpuCores: 0.8, rssBytes: 300 },
        { atMs: 1_000, cpuCores: 2, rssBytes: 200 },
      ],
    },
  ]);
});

test('a reset forgets the warm-up', () => {
  const { options, uses, passes } = world();
  uses(7, 0, 900);
  const sampler = new UsageSampler([n0], 500, options);
  sampler.start();
  uses(7, 500, 900);
  passes(500);
  sampler.reset();
  uses(7, 600, 100);
  passes(200);
  const [usage] = sampler.stop();
  assert.equal(usage?.cpuSeconds, 0.1);
  assert.equal(usage?.rssPeakBytes, 100);
  assert.deepEqual(usage?.samples, [{ atMs: 200, cpuCores: 0.5, rssBytes: 100 }]);
});

test('a process that dies keeps its samples, and its successor goes on under its name', () => {
  const { options, uses, dies, passes } = world();
  uses(7, 1_000, 100);
  const sampler = new UsageSampler([n0], 500, options);
  sampler.start();
  uses(7, 1_250, 100);
  passes(500);
  dies(7);
  passes(500);
  uses(8, 50, 40);
  sampler.replace('n0', 8);
  passes(500);
  uses(8, 300, 60);
  passes(500);
  const [usage] = sampler.stop();
  assert.equal(usage?.cpuSeconds, 0.25 + 0.3);
  assert.deepEqual(
    usage?.samples.map(({ atMs, cpuCores }) => [atMs, cpuCores]),
    [
      [500, 0.5],
      [1_500, 0.1],
      [2_000, 0.5],
    ],
  );
});

test('without /proc there are no samples, and no error', () => {
  const { options, passes } = world();
  const sampler = new UsageSampler([n0], 500, options);
  sampler.start();
  passes(500);
  assert.deepEqual(sampler.stop(), [
    { name: 'n0', kind: 'controller', cpuSeconds: 0, rssPeakBytes: 0, samples: [] },
  ]);
});

test('user and system time both count', () => {
  if (!fs.existsSync('/proc/self/stat')) return; // Not Linux: documented to be empty there.
  const usedMs = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1_000;
  while (process.cpuUsage().system < 100_000) fs.readFileSync('/proc/self/stat');
  const before = usedMs();
  const cpuMs = readUsage(process.pid)?.cpuMs ?? 0;
  const after = usedMs();
  const tickMs = 20; // Both figures are rounded down to 10 ms.
  assert.ok(before - tickMs <= cpuMs && cpuMs <= after + tickMs, `${before} ${cpuMs} ${after}`);
});

test('a real process is read from /proc until it is gone', async () => {
  if (!fs.existsSync('/proc/self/stat')) return; // Not Linux: documented to be empty there.
  const child = spawn(process.execPath, [
    '-e',
    'process.stdout.write("up"); setInterval(() => {}, 1000)',
  ]);
  const { pid } = child;
  assert.ok(pid !== undefined);
  await once(child.stdout, 'data');
  const usage = readUsage(pid);
  assert.ok(usage !== undefined && usage.cpuMs > 0 && usage.rssBytes > 1 << 20, `${usage}`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(readUsage(pid), undefined);
});
