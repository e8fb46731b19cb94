/**
 * `quorumark bench`: the main job. Plans, runs, writes the report, and says what came of it.
 */
import { randomInt } from 'node:crypto';
import { join, resolve } from 'node:path';
import {
  type AddressTarget,
  canMeet,
  javaModeOf,
  makePlan,
  type Plan,
  referenceOf,
} from '../bench/plan.js';
import { createProgress } from '../bench/progress.js';
import { type BenchOutcome, runBench } from '../bench/run.js';
import { MEMBERS } from '../bench/targets.js';
import type { Handoff } from '../engine/log-engine.js';
import { projectRoot } from '../lib/project-root.js';
import { DEFAULT_THREADS } from '../load/generator.js';
import { readLimits, shortages, socketNeeds } from '../load/resources.js';
import type { ElectionProfile } from '../server/config.js';
import type { Durability } from '../storage/log-store.js';
import { isLocal } from '../target/listener-pid.js';
import { findPeers, PeersError } from '../target/peers.js';
import { referenceVersion } from '../target/start-reference.js';
import { loadWorkload, loadWorkloads } from '../workload/parse.js';
import { type WorkloadPoint, workloadPoints } from '../workload/points.js';
import { type AddressCommand, addressTarget, agreeToWrite } from './bench-address.js';
import { resolveBuild } from './builds.js';
import { ExitCode, InputError } from './exit-codes.js';
import { stopSignal } from './stop.js';

export interface BenchCommand extends AddressCommand {
  readonly targets: readonly string[];
  readonly workload?: readonly string[];
  readonly trials: number;
  readonly durability: readonly Durability[];
  readonly handoff: Handoff;
  readonly electionProfile: ElectionProfile;
  /** Milliseconds of each measured window. */
  readonly duration?: number;
  readonly sets?: number;
  readonly seed?: number;
  readonly out?: string;
  readonly workers?: number;
  /** Where the program is. */
  readonly etcd?: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** @throws {InputError | WorkloadError} for a target, workload or size that cannot be. */
export async function runBenchCommand(command: BenchCommand, version: string): Promise<ExitCode> {
  const seed = command.seed ?? randomInt(1, 2 ** 31);
  const { plan, skipped } = planOf(command);
  if (command.dryRun) {
    for (const line of skipped) process.stderr.write(`${line}\n`);
    process.stdout.write(command.json ? `${JSON.stringify(plan, null, 2)}\n` : describePlan(plan));
    return ExitCode.Ok;
  }
  const stop = stopSignal();
  // What people read goes to stderr when stdout is for a machine.
  const progress = createProgress(command.json ? process.stderr : process.stdout, () =>
    performance.now(),
  );
  for (const line of skipped) progress.note(line);
  for (const target of plan.targets) {
    if (target.kind !== 'address') continue;
    await agreeToWrite(target, command.yes, (line) => progress.note(line));
  }
  progress.note(
    `quorumark ${version}: ${countTrials(plan)} trials, about ${minutes(plan.expectedSeconds)}, seed ${seed}`,
  );
  const outcome = await runBench({
    plan,
    seed,
    workers: command.workers,
    runsDirectory: resolve(command.out ?? join(projectRoot(), 'reports', 'runs')),
    command: `quorumark ${process.argv.slice(2).join(' ')}`,
    version,
    signal: stop,
    progress,
  });
  for (const failure of outcome.failures) progress.note(`failed: ${failure}`);
  if (command.json) {
    process.stdout.write(`${JSON.stringify(outcome.results)}\n`);
  } else {
    process.stdout.write(`\n${outcome.report.summary}\nreport ${outcome.report.html}\n`);
  }
  return exitCodeOf(outcome, stop.aborted);
}

function exitCodeOf({ results, failures }: BenchOutcome, interrupted: boolean): ExitCode {
  if (interrupted) return ExitCode.Interrupted;
  if (failures.length > 0) return ExitCode.TargetFailed;
  // One invalid trial among several is shown, not fatal; a run in which nothing counts is no run.
  return results.trials.some(({ status }) => status === 'valid')
    ? ExitCode.Ok
    : ExitCode.RunInvalid;
}

/** @returns the plan, and a line for whatever was asked and is not in it. */
function planOf(command: BenchCommand): { readonly plan: Plan; readonly skipped: string[] } {
  const { targets, skipped } = targetsThere(command);
  const address = addressTarget(command, targets);
  const running = address === null ? [] : [address];
  const all = loadWorkloads();
  const standing = all.filter(({ byDefault }) => byDefault);
  const wanted = command.workload ?? standing.map(({ name }) => name);
  const workloads: WorkloadPoint[] = wanted.flatMap((name) => {
    const workload = name.endsWith('.yaml')
      ? loadWorkload(name)
      : all.find((known) => known.name === name);
    if (workload === undefined) {
      throw new InputError(
        `no workload '${name}': there is ${all.map((known) => known.name).join(', ')}`,
      );
    }
    const { sets, duration: durationMs } = command;
    return workloadPoints(workload, { sets, durationMs });
  });
  const lacking = whatFallsShort(command, workloads, targets.length > 0, address);
  if (lacking.length > 0) throw new InputError(lacking.join('\n'));
  const plan = makePlan({
    targets,
    running,
    paths: { etcd: command.etcd },
    trials: command.trials,
    durabilities: command.durability,
    handoff: command.handoff,
    electionProfile: command.electionProfile,
    workloads,
    provedBaseline: true,
  });
  for (const target of running) {
    for (const point of workloads.filter((workload) => !canMeet(target, workload))) {
      skipped.push(`skipped: ${point.name} on ${target.name}: it would kill what others run`);
    }
  }
  if (plan.sessions.length === 0) {
    throw new InputError(['nothing is left to measure', ...skipped].join('\n'));
  }
  return { plan, skipped };
}

/** Files and ports for the largest group among the targets, and for one that is not on this machine. */
function whatFallsShort(
  { workers: threads = DEFAULT_THREADS }: BenchCommand,
  workloads: readonly WorkloadPoint[],
  startsSome: boolean,
  address: AddressTarget | null,
): string[] {
  const { addresses = [] } = address ?? {};
  const members = Math.max(startsSome ? MEMBERS : 0, addresses.length);
  const needs = workloads.map((point) => socketNeeds(point, members, threads));
  return shortages(needs, readLimits(), !addresses.every(isLocal));
}

/**
 * What others made and is not installed is left out, for the rest tells enough without it: one line
 * for each thing that is missing, before anything starts.
 */
function targetsThere(command: BenchCommand): { targets: string[]; skipped: string[] } {
  const lacking = new Map<string, string[]>();
  const targets = command.targets.filter((target) => {
    const why = whatLacks(target, command);
    if (why !== null) lacking.set(why, [...(lacking.get(why) ?? []), target]);
    return why === null;
  });
  const skipped = [...lacking].map(([why, names]) => `skipped: ${names.join(', ')}: ${why}`);
  return { targets, skipped };
}

/** Why a target cannot be started on this machine; null when it can. @throws {InputError} for a name that is none. */
function whatLacks(target: string, { etcd }: BenchCommand): string | null {
  const store = referenceOf(target);
  try {
    if (javaModeOf(target) !== null) findPeers();
    else if (store !== null) referenceVersion(store, { etcd });
    else if (target !== 'floor') resolveBuild(target);
    return null;
  } catch (error) {
    if (!(error instanceof PeersError)) throw error;
    return error.message;
  }
}

function describePlan(plan: Plan): string {
  const lines = plan.sessions.map(
    ({ target, round, workloads }) =>
      `round ${round}  ${target.name} (${target.durability}, ${target.handoff}): ` +
      workloads.map(({ name }) => name).join(', '),
  );
  return `${lines.join('\n')}\n${countTrials(plan)} trials, about ${minutes(plan.expectedSeconds)}\n`;
}

function countTrials({ sessions }: Plan): number {
  return sessions.reduce((sum, { workloads }) => sum + workloads.length, 0);
}

function minutes(seconds: number): string {
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
