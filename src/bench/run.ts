/**
 * Runs a plan: starts each target, lets it meet its workloads, and keeps what was measured even when
 * it is cut short. Leaves no process behind, however it ends.
 */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LoadPool, type LoadProgress } from '../load/generator.js';
import { describeEnvironment, type Environment } from '../measure/environment.js';
import { RESULTS_SCHEMA_VERSION, type Results, type Trial } from '../measure/results.js';
import { type WrittenReport, writeReport } from '../report/write.js';
import type { RunningTarget } from '../target/target.js';
import { mayRunOnJvm, type Plan, type Session } from './plan.js';
import type { Progress } from './progress.js';
import { describeTarget, startTarget } from './targets.js';
import { makeLoad, runTrial } from './trial.js';
import { onJvm, onNode, warm } from './warm.js';

export interface BenchOptions {
  readonly plan: Plan;
  readonly seed: number;
  /** Load threads; default: one less than there are cores. */
  readonly workers: number | undefined;
  /** Where the run's own directory is made. */
  readonly runsDirectory: string;
  readonly command: string;
  readonly version: string;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

export interface BenchOutcome {
  readonly directory: string;
  readonly results: Results;
  readonly report: WrittenReport;
  /** Targets that did not start or were lost, one sentence each. */
  readonly failures: readonly string[];
}

export async function runBench(options: BenchOptions): Promise<BenchOutcome> {
  const { plan, progress, signal } = options;
  const startedAt = new Date();
  const environment = await describeEnvironment();
  const trials: Trial[] = [];
  const failures: string[] = [];
  const total = plan.sessions.reduce((sum, { workloads }) => sum + workloads.length, 0);

  const pool = new LoadPool(options.workers);
  try {
    for (const session of plan.sessions) {
      if (signal.aborted) break;
      await runSession(session, { ...options, pool, trials, failures, total });
    }
  } finally {
    await pool.close();
  }
  progress.stop();

  const commit = environment.commit ?? 'unknown';
  const id = `${startedAt.toISOString().replace(/[-:]/g, '').slice(0, 15)}Z-${commit.slice(0, 10)}`;
  const results: Results = {
    schemaVersion: RESULTS_SCHEMA_VERSION,
    run: {
      id,
      startedAt: startedAt.toISOString(),
      endedAt: new Date().toISOString(),
      commit,
      dirty: environment.dirty ?? false,
      version: options.version,
      command: options.command,
      seed: options.seed,
      partial: signal.aborted,
    },
    targets: plan.targets.map((spec) => describeTarget(spec, options.version)),
    workloads: plan.workloads.map((workload) => ({ ...workload })),
    trials,
  };
  const directory = join(options.runsDirectory, id);
  const report = await keep(directory, results, environment);
  return { directory, results, report, failures };
}

interface SessionContext extends BenchOptions {
  readonly pool: LoadPool;
  readonly trials: Trial[];
  readonly failures: string[];
  readonly total: number;
}

async function runSession(session: Session, context: SessionContext): Promise<void> {
  const { target: spec, round, workloads } = session;
  const { signal, progress, trials, failures, total, seed } = context;
  const report = (where: string, state: Partial<LoadProgress> & { phase: string }): void =>
    progress.update({
      where,
      phase: state.phase,
      asked: state.askedPerSecond ?? null,
      achieved: state.achievedPerSecond ?? null,
      p50Us: state.p50Us ?? null,
      p99Us: state.p99Us ?? null,
      errors: state.errors ?? 0,
    });
  report(`[${trials.length + 1}/${total}] ${spec.name}`, { phase: 'starting' });
  let target: RunningTarget;
  try {
    target = await startTarget(spec, signal, workloads);
  } catch (error) {
    if (!signal.aborted) failures.push(`${spec.name}, round ${round}: ${String(error)}`);
    return;
  }
  try {
    for (const workload of workloads) {
      if (signal.aborted) break;
      const order = trials.length + 1;
      const where = `[${order}/${total}] ${spec.name} ${workload.name}`;
      // The same round asks the same of every target.
      const shared = { workload, seed: seed + round, signal };
      const onProgress = (state: LoadProgress): void => report(where, state);
      try {
        await mend(target);
        const { pool } = context;
        const { addresses: members, tls } = target;
        const tell = (state: LoadProgress): void =>
          onProgress({ ...state, phase: 'warm until steady' });
        const warmUp = context.plan.warmsUntilSteady
          ? await warm(
              mayRunOnJvm(spec) ? onJvm : onNode,
              workload,
              (point) =>
                makeLoad({
                  ...shared,
                  workload: point,
                  spec,
                  members,
                  tls,
                  pool,
                  onProgress: tell,
                }),
              signal,
            )
          : null;
        const trial = await runTrial({
          ...shared,
          spec,
          target,
          round,
          order,
          pool,
          warmUp,
          onProgress,
        });
        trials.push(trial);
        if (trial.status !== 'valid') {
          progress.note(`${where}, round ${round}: ${trial.status}: ${trial.reasons.join('; ')}`);
        }
      } catch (error) {
        // The next workload may still be met: each says for itself what it lacked.
        if (signal.aborted) break;
        failures.push(`${spec.name} ${workload.name}, round ${round}: ${String(error)}`);
      }
    }
  } finally {
    await target.close();
  }
}

/** Brings back members that a fault, planned or not, took away. */
async function mend(target: RunningTarget): Promise<void> {
  for (const member of target.members()) {
    if (member.pid !== null && !isRunning(member.pid)) await target.restart(member.id);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Writes the run, and points `latest` beside it at it. */
async function keep(
  directory: string,
  results: Results,
  environment: Environment,
): Promise<WrittenReport> {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'environment.json'), `${JSON.stringify(environment, null, 2)}\n`);
  writeFileSync(join(directory, 'results.json'), `${JSON.stringify(results)}\n`);
  const report = await writeReport(directory, results, { ...environment });
  const latest = join(dirname(directory), 'latest');
  rmSync(latest, { force: true });
  symlinkSync(results.run.id, latest);
  return report;
}
