/**
 * `quorumark sim`: whole groups of controllers on virtual time, under faults, checked.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { baseline } from '../../baseline/controller.js';
import { optimized } from '../../optimized/controller.js';
import { projectRoot } from '../lib/project-root.js';
import { planOf, runPlan, shrinkPlan, timelineOf } from '../sim/campaign.js';
import { Coverage, coverageTable } from '../sim/coverage.js';
import { describeFault } from '../sim/faults.js';
import type { RunPlan, RunResult } from '../sim/run.js';
import { firstSeedOfTree } from '../sim/seeds.js';
import { allFaultKinds, type SimOverrides } from '../sim/swarm.js';
import { timelineHtml } from '../sim/timeline.js';
import { ExitCode, InputError } from './exit-codes.js';
import { Progress } from './progress.js';
import { runSeeds, type Verdict } from './sim-pool.js';

export interface SimCommand {
  readonly seed?: number;
  readonly seeds: number;
  readonly first?: number;
  /** Seeds that follow from what the tree holds. */
  readonly tree: boolean;
  readonly minutes?: number;
  readonly replay?: string;
  readonly build?: 'baseline' | 'optimized';
  readonly subject?: 'controller' | 'kv';
  readonly jobs?: number;
  readonly out?: string;
  readonly shrink: boolean;
  readonly coverage: boolean;
}

const builds = { baseline, optimized };
/** After so many failures the rest tells nothing new. */
const FAILURES_MAX = 10;

export async function runSim(command: SimCommand): Promise<ExitCode> {
  if (command.replay !== undefined) return replayFile(command.replay, command);
  if (command.seed !== undefined)
    return runOne(planOf(command.seed, overridesOf(command)), command);
  return runMany(command);
}

function overridesOf({ build, subject }: SimCommand): SimOverrides {
  return { ...(build !== undefined && { build }), ...(subject !== undefined && { subject }) };
}

async function runMany(command: SimCommand): Promise<ExitCode> {
  const first = command.first ?? (command.tree ? firstSeedOfTree(projectRoot()) : 1);
  const jobs = command.jobs ?? availableParallelism();
  const endsAtMs =
    command.minutes === undefined
      ? Number.POSITIVE_INFINITY
      : performance.now() + command.minutes * 60_000;
  const seeds = command.minutes === undefined ? command.seeds : 2 ** 30;
  const coverage = new Coverage();
  const failures: Verdict[] = [];
  const totals = { runs: 0, simulatedMs: 0, events: 0, operations: 0, histories: 0, undecided: 0 };
  const startedMs = performance.now();
  const { minutes } = command;
  const progress =
    minutes === undefined ? new Progress(seeds, 'seeds') : new Progress(minutes * 60, 'seconds');
  let given = 0;
  await runSeeds({
    jobs,
    overrides: overridesOf(command),
    next: () => {
      const isOver = given >= seeds || performance.now() >= endsAtMs;
      if (isOver || failures.length >= FAILURES_MAX) return null;
      given += 1;
      return first + given - 1;
    },
    onVerdict: (verdict) => {
      totals.runs += 1;
      totals.simulatedMs += verdict.simulatedMs;
      totals.events += verdict.events;
      totals.operations += verdict.operations;
      totals.histories += verdict.decided.histories;
      totals.undecided += verdict.decided.undecided;
      coverage.merge(verdict.coverage);
      if (verdict.violation !== null) failures.push(verdict);
      const failed = failures.length === 0 ? '' : `, ${failures.length} failed`;
      if (minutes === undefined) progress.at(totals.runs, failed);
      else progress.at((performance.now() - startedMs) / 1_000, `, ${totals.runs} seeds${failed}`);
    },
  });
  progress.end();
  const wallS = (performance.now() - startedMs) / 1_000;
  if (command.coverage) console.log(`${coverageTable(coverage, allFaultKinds)}\n`);
  const number = (value: number): string => Math.round(value).toLocaleString('en');
  console.log(
    `${number(totals.runs)} seeds from ${first}: ${number(totals.simulatedMs / 1_000)} simulated s in ` +
      `${wallS.toFixed(1)} s (${number(totals.simulatedMs / 1_000 / wallS)}×, ${jobs} threads),\n` +
      `${number(totals.events)} events, ${number(totals.operations)} client operations, ` +
      `${failures.length} failed;\n` +
      `${number(totals.histories)} histories checked for linearizability, ` +
      `${number(totals.undecided)} of them too hard to decide`,
  );
  for (const { seed, violation } of failures) {
    console.log(`\nseed ${seed}: ${violation?.checker}: ${firstLine(violation?.what ?? '')}`);
    console.log(`  replay: ${replayCommand(seed, command)}`);
  }
  const [failure] = failures.sort((a, b) => a.seed - b.seed);
  if (failure === undefined) return ExitCode.Ok;
  const plan = planOf(failure.seed, overridesOf(command));
  console.log(`\noptions ${JSON.stringify(plan.options)}`);
  await explain(plan, await runPlan(plan, builds), command);
  return ExitCode.CheckFailed;
}

async function replayFile(file: string, command: SimCommand): Promise<ExitCode> {
  let plan: RunPlan;
  try {
    plan = JSON.parse(readFileSync(file, 'utf8')) as RunPlan;
  } catch (error) {
    throw new InputError(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  return runOne(plan, { ...command, shrink: false });
}

async function runOne(plan: RunPlan, command: SimCommand): Promise<ExitCode> {
  console.log(`options ${JSON.stringify(plan.options)}\n`);
  for (const { atMs, fault } of plan.faults) {
    console.log(`${String(atMs).padStart(7)} ms  ${describeFault(fault)}`);
  }
  const startedMs = performance.now();
  const result = await runPlan(plan, builds);
  const wallMs = performance.now() - startedMs;
  console.log(
    `\ntrace ${result.traceHash}: ${result.events.toLocaleString('en')} events, ` +
      `${(result.simulatedMs / 1_000).toFixed(1)} simulated s in ${Math.round(wallMs)} ms`,
  );
  if (result.violation === null) {
    console.log('no violation');
    if (command.out !== undefined) keep(plan, result, command);
    return ExitCode.Ok;
  }
  await explain(plan, result, command);
  return ExitCode.CheckFailed;
}

/** Says what went wrong, makes it smaller, and writes its story. */
async function explain(plan: RunPlan, result: RunResult, command: SimCommand): Promise<void> {
  const { violation } = result;
  console.log(
    `\nVIOLATION ${violation?.checker} at ${Math.round(violation?.atMs ?? 0)} ms: ${violation?.what}`,
  );
  let smallest = plan;
  if (command.shrink && violation !== null) {
    const progress = new Progress(160, 'runs to shrink');
    smallest = await shrinkPlan(plan, result, builds, (runs) => progress.at(runs));
    progress.end();
    console.log(
      `shrunk from ${plan.faults.length} faults and ${plan.workload.length} operations ` +
        `to ${smallest.faults.length} and ${smallest.workload.length}`,
    );
    for (const { atMs, fault } of smallest.faults) {
      console.log(`${String(atMs).padStart(7)} ms  ${describeFault(fault)}`);
    }
  }
  keep(smallest, smallest === plan ? result : await runPlan(smallest, builds), command);
}

function keep(plan: RunPlan, result: RunResult, command: SimCommand): void {
  const directory = command.out ?? join(projectRoot(), 'reports', 'sim');
  mkdirSync(directory, { recursive: true });
  const base = join(directory, `seed-${plan.options.seed}`);
  writeFileSync(`${base}.json`, `${JSON.stringify(plan)}\n`);
  const replay = `quorumark sim --replay ${base}.json`;
  writeFileSync(`${base}.html`, timelineHtml(timelineOf(plan, result, replay)));
  console.log(`replay: ${replay}\nstory:  ${base}.html`);
}

const firstLine = (text: string): string => text.split('\n')[0] ?? '';

function replayCommand(seed: number, { build, subject }: SimCommand): string {
  const flags = [
    ...(build === undefined ? [] : [`--build ${build}`]),
    ...(subject === undefined ? [] : [`--subject ${subject}`]),
  ];
  return ['quorumark sim --seed', seed, ...flags].join(' ');
}
