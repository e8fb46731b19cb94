/**
 * A short real bench of both builds, then assertions on its result file: that everything ran, that
 * what must be proved was, and that nothing was left behind. No assertion on speed: machines differ.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../src/lib/project-root.js';
import { parseResults } from '../src/measure/results.js';

const WORKLOADS = ['bring-up', 'isr-churn', 'read-heavy', 'leader-kill'];
const out = mkdtempSync(join(tmpdir(), 'quorumark-smoke-'));
try {
  const bench = spawnSync(
    process.execPath,
    [
      join(projectRoot(), 'bin', 'quorumark.js'),
      'bench',
      ...['--targets', 'baseline,optimized,floor'],
      ...['--workload', WORKLOADS.join(',')],
      ...['--trials', '1', '--sets', '100', '--durability', 'background,group', '--out', out],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], timeout: 300_000 },
  );
  assert.equal(bench.status, 0, 'the bench ends well');

  const directory = join(out, 'latest');
  const file = join(directory, 'results.json');
  const results = parseResults(file, JSON.parse(readFileSync(file, 'utf8')));
  assert.equal(results.run.partial, false);
  const trial = (workload: string, target: string) => {
    const found = results.trials.find((one) => one.workload === workload && one.target === target);
    assert(found !== undefined, `${workload} met ${target}`);
    return found;
  };
  for (const target of ['baseline', 'optimized']) {
    for (const workload of WORKLOADS) {
      const { operations } = trial(workload, target);
      assert.ok(
        operations.some(({ ok }) => ok > 0),
        `${workload} on ${target}: nothing succeeded`,
      );
    }
    assert.ok((trial('bring-up', target).figures['bringUpMs'] ?? 0) > 0);
    const [fault] = trial('leader-kill', target).faults;
    assert.equal(fault?.kind, 'kill-leader');
    assert.ok((fault.gapMs ?? 0) > 0, `${target}: the gap was measured`);
  }
  for (const target of ['baseline@group', 'optimized@group', 'floor', 'floor@group']) {
    const writes = trial('isr-churn', target).operations.find(({ kind }) => kind === 'write');
    assert.ok((writes?.ok ?? 0) > 0, `${target} wrote`);
  }
  const proofs = (target: string) =>
    trial('read-heavy', target)
      .operations.filter(({ kind }) => kind === 'read')
      .map(({ proof }) => proof);
  assert.ok(proofs('baseline').every((proof) => proof === 'unproved'));
  assert.ok(proofs('baseline@processReadEvent').every((proof) => proof === 'log'));
  assert.ok(proofs('optimized').every((proof) => proof === 'read-index'));

  for (const name of ['environment.json', 'comparison.json', 'report.html', 'summary.md']) {
    assert.ok(statSync(join(directory, name)).size > 0, `${name} was written`);
  }
  assert.deepEqual(ourProcesses(), [], 'no process was left behind');
  console.log('smoke bench: all assertions hold');
} finally {
  rmSync(out, { recursive: true, force: true });
}

/** Controllers and floor nodes that were started from this very package, where /proc can tell. */
function ourProcesses(): string[] {
  let pids: string[];
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  return pids.filter((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return command.includes(join(projectRoot(), 'dist')) && /controller|floor-node/.test(command);
    } catch {
      return false; // It ended while we looked.
    }
  });
}
