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
import { findEtcd } from '../src/target/etcd.js';
import { findPeers, PeersError } from '../src/target/peers.js';

/** As `quorumark --help` lists them. */
const OK = 0;
const RUN_INVALID = 4;
const WORKLOADS = ['bring-up', 'isr-churn', 'read-heavy', 'leader-kill'];
const out = mkdtempSync(join(tmpdir(), 'quorumark-smoke-'));
try {
  const { directory, results, status } = bench('ours', [
    ...['--targets', 'baseline,optimized,floor', '--workload', WORKLOADS.join(',')],
    ...['--sets', '100', '--durability', 'background,group'],
  ]);
  assert.equal(status, OK, 'the bench ends well');
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
  for (const targets of [['java-dledger', 'java-jraft'], ['etcd']]) benchOthers(targets);
  console.log('smoke bench: all assertions hold');
} finally {
  rmSync(out, { recursive: true, force: true });
}

function bench(name: string, args: readonly string[]) {
  const ran = spawnSync(
    process.execPath,
    [
      ...[join(projectRoot(), 'bin', 'quorumark.js'), 'bench', ...args],
      ...['--trials', '1', '--out', join(out, name)],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], timeout: 600_000 },
  );
  const directory = join(out, name, 'latest');
  const file = join(directory, 'results.json');
  const results = parseResults(file, JSON.parse(readFileSync(file, 'utf8')));
  assert.equal(results.run.partial, false);
  return { status: ran.status, directory, results };
}

/** Whether a trial is valid depends on how quiet the machine is, so only what ran is looked at. */
function benchOthers(targets: readonly string[]): void {
  const name = targets.join(',');
  try {
    if (name === 'etcd') findEtcd();
    else findPeers();
  } catch (error) {
    if (!(error instanceof PeersError)) throw error;
    console.log(`skipped: ${name}: ${error.message}`);
    return;
  }
  const { results, status } = bench(name, [
    ...['--targets', name, '--workload', 'single-write', '--sets', '16'],
  ]);
  assert.ok(status === OK || status === RUN_INVALID, `exit code ${status}`);
  for (const target of targets) {
    const trial = results.trials.find((one) => one.target === target);
    assert.ok((trial?.operations[0]?.ok ?? 0) > 0, `${target} wrote`);
  }
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
