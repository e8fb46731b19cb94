/**
 * What becomes of a bench that the world interferes with: a leader killed by hand, Ctrl-C at any
 * time. Its report must be there and true, and no process may be left.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../lib/until.js';
import { parseResults, type Results } from '../measure/results.js';
import { CLI } from './testing/run-cli.js';

interface Bench {
  readonly stdout: () => string;
  /** The controllers that it runs now. */
  members(): Promise<readonly Member[]>;
  signal(signal: NodeJS.Signals): void;
  readonly exited: Promise<number | null>;
  /** As the run left it, read as `quorumark report` reads it. */
  results(): Results;
  reportBytes(): number;
}

interface Member {
  readonly pid: number;
  readonly isLeader: boolean;
}

/** Runs `body` with a small bench that has ended when the test has, whatever happened. */
function benchTest(
  name: string,
  args: readonly string[],
  body: (bench: Bench) => Promise<void>,
): void {
  test(name, { timeout: 90_000 }, async () => {
    const out = mkdtempSync(join(tmpdir(), 'quorumark-test-'));
    const fixed = '--trials 1 --sets 20 --workload isr-churn --durability background --seed 1';
    const child = spawn(
      process.execPath,
      [CLI, 'bench', ...fixed.split(' '), ...args, '--out', out],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    const exited = once(child, 'exit').then(([code]) => code as number | null);
    const run = join(out, 'latest');
    try {
      await body({
        stdout: () => stdout,
        members: () => membersOf(child.pid ?? 0),
        signal: (signal) => child.kill(signal),
        exited,
        results: () => {
          const file = join(run, 'results.json');
          return parseResults(file, JSON.parse(readFileSync(file, 'utf8')));
        },
        reportBytes: () => statSync(join(run, 'report.html')).size,
      });
      assert.equal(stderr, '');
    } finally {
      child.kill('SIGKILL');
      await exited;
      rmSync(out, { recursive: true, force: true });
    }
  });
}

benchTest(
  'a leader killed by hand is a gap in a finished, valid report',
  // Long against what passes before the kill: progress is said every 2 s, an election takes less than 1.
  ['--targets', 'baseline,optimized', '--duration', '9000'],
  async (bench) => {
    await until('a trial is measured', 30_000, () => /\bmeasure\b/.test(bench.stdout()));
    const leader = await until('there is a leader', 2_000, async () =>
      (await bench.members()).find(({ isLeader }) => isLeader),
    );
    process.kill(leader.pid, 'SIGKILL');
    assert.equal(await bench.exited, 0);
    const { run, trials } = bench.results();
    assert.deepEqual(
      trials.map(({ target, status }) => [target, status]),
      [
        ['baseline', 'valid'],
        ['optimized', 'valid'],
      ],
    );
    assert.equal(run.partial, false);
    const [first, second] = trials;
    assert.deepEqual(
      first?.faults.map(({ kind, planned }) => [kind, planned]),
      [['member-exit', false]],
    );
    const [fault] = first?.faults ?? [];
    assert.ok((fault?.gapMs ?? 0) > 0, `writes went on after ${fault?.gapMs} ms`);
    assert.match(
      first?.reasons.join() ?? '',
      new RegExp(`^note: ${fault?.member} exited at \\d+ ms`),
    );
    assert.deepEqual([second?.faults, second?.reasons], [[], []]);
    assert.ok(bench.reportBytes() > 10_000);
  },
);

for (const [when, seen] of [
  ['starts', /\bstarting\b/],
  ['measures', /\bmeasure\b/],
] as const) {
  benchTest(
    `Ctrl-C while it ${when} keeps what was measured and leaves no process`,
    ['--targets', 'optimized', '--duration', '30000'],
    async (bench) => {
      await until(`it ${when}`, 30_000, () => seen.test(bench.stdout()));
      const members = await until('members run', 5_000, async () => {
        const running = await bench.members();
        return running.length === 3 && running;
      });
      bench.signal('SIGINT');
      assert.equal(await bench.exited, 130);
      for (const { pid } of members) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
      const { run, trials } = bench.results();
      assert.equal(run.partial, true);
      assert.deepEqual(
        trials.map(({ status }) => status),
        when === 'starts' ? [] : ['partial'],
      );
      assert.ok(bench.reportBytes() > 10_000);
    },
  );
}

async function membersOf(parent: number): Promise<readonly Member[]> {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=', '-o', 'ppid=', '-o', 'args='], {
    encoding: 'utf8',
  });
  const members: Member[] = [];
  for (const line of lines.split('\n')) {
    const [, pid, parentPid, config] =
      /^\s*(\d+)\s+(\d+)\s.*\scontroller\s.*--config (\S+)/.exec(line) ?? [];
    if (Number(parentPid) !== parent || config === undefined) continue;
    members.push({ pid: Number(pid), isLeader: await leads(config) });
  }
  return members;
}

async function leads(config: string): Promise<boolean> {
  const [, port] = /^httpPort=(\d+)$/m.exec(readFileSync(config, 'utf8')) ?? [];
  const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
  const status = response === null ? null : ((await response.json()) as { readonly role: string });
  return status?.role === 'leader';
}
