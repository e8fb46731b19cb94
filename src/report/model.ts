/**
 * Results, comparison and environment → everything that a report shows, in the order it is shown.
 *
 * Pure. HTML, Markdown and the terminal are three ways to print this one view.
 */
import type { Comparison } from '../analyze/comparison.js';
import { mergeHistograms } from '../analyze/histograms.js';
import { nameOf, sum } from '../analyze/metrics.js';
import { familyOf } from '../analyze/reads.js';
import type { Results, Trial } from '../measure/results.js';
import { type Cast, castsOf, type Series, seriesOf } from './cast.js';
import {
  type Environment,
  type EnvironmentFact,
  environmentFacts,
  findFact,
} from './environment-facts.js';
import { duration, milliseconds, NOTHING, percent, plural, rounded } from './format.js';
import { latencyPanels } from './panels/latency.js';
import { measurePanels } from './panels/measures.js';
import { overTimePanels } from './panels/over-time.js';
import type { PanelGroup } from './panels/panel.js';
import { processesOf, processPanels, type TargetProcesses } from './panels/processes.js';
import { sweepPanels } from './panels/sweep.js';
import {
  type IsUnsteady,
  type OtherRow,
  otherRows,
  type SummaryTable,
  summaryTable,
} from './summary-table.js';
import { type VerdictWords, verdictWords } from './verdict-words.js';

export interface Fact {
  readonly name: string;
  readonly value: string;
}

export interface TrialRow {
  readonly order: number;
  readonly workload: string;
  readonly target: string;
  readonly round: number;
  readonly status: Trial['status'];
  readonly reasons: readonly string[];
  /** p99 of actual minus intended send. */
  readonly lateness: string;
  readonly utilization: string;
  readonly sent: string;
  readonly notOk: string;
}

export interface ReportView {
  readonly runId: string;
  readonly verdict: VerdictWords;
  readonly facts: readonly Fact[];
  /** What a reader should know before trusting a number. */
  readonly warnings: readonly string[];
  readonly casts: readonly Cast[];
  readonly series: readonly Series[];
  readonly tables: readonly SummaryTable[];
  readonly others: readonly OtherRow[];
  readonly reads: Comparison['reads'];
  readonly workloads: readonly {
    readonly name: string;
    readonly why: string;
    readonly load: string;
  }[];
  readonly panels: {
    readonly measures: readonly PanelGroup[];
    readonly latency: readonly PanelGroup[];
    readonly overTime: readonly PanelGroup[];
    readonly sweep: readonly PanelGroup[];
    readonly processes: readonly PanelGroup[];
  };
  readonly processes: readonly TargetProcesses[];
  readonly trials: readonly TrialRow[];
  readonly environment: readonly EnvironmentFact[];
  readonly method: Comparison['method'];
}

export function reportView(
  results: Results,
  comparison: Comparison,
  environment: Environment,
): ReportView {
  const casts = castsOf(results, comparison.reference);
  const series = seriesOf(results, casts);
  const processes = processesOf(results);
  const environmentShown = environmentFacts(environment);
  const isUnsteady = unsteadyIn(results);
  return {
    runId: results.run.id,
    verdict: verdictWords(comparison, casts, results.targets),
    facts: factsOf(results, environmentShown),
    warnings: warningsOf(results, comparison),
    casts,
    series,
    tables: casts
      .map((cast) => summaryTable(comparison, cast, isUnsteady))
      .filter(({ rows }) => rows.length > 0),
    others: casts.flatMap((cast) => otherRows(comparison, cast, isUnsteady)),
    reads: comparison.reads,
    workloads: comparison.workloads.map(({ workload, why, load }) => ({
      name: workload,
      why,
      load,
    })),
    panels: {
      measures: measurePanels(comparison, casts, series),
      latency: latencyPanels(results, casts, series),
      overTime: overTimePanels(results, comparison, { casts, series }),
      sweep: sweepPanels(comparison, casts, series),
      processes: processPanels(processes, casts, series),
    },
    processes,
    trials: [...results.trials].sort((one, other) => one.order - other.order).map(trialRow),
    environment: environmentShown,
    method: comparison.method,
  };
}

function factsOf({ run, trials }: Results, environment: readonly EnvironmentFact[]): Fact[] {
  const rounds = Math.max(0, ...trials.map(({ round }) => round));
  const valid = trials.filter(({ status }) => status === 'valid').length;
  const cpu = findFact(environment, /cpu.*(brand|model)|(brand|model).*cpu/i);
  const cores = findFact(environment, /^cpu\.cores$/);
  const node = findFact(environment, /(^|\.)node(js)?(\.?version)?$|versions?\.node$/i);
  const facts: (Fact | undefined)[] = [
    { name: 'started', value: run.startedAt.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC') },
    { name: 'took', value: duration(Date.parse(run.endedAt) - Date.parse(run.startedAt)) },
    { name: 'commit', value: `${run.commit}${run.dirty ? ' with local changes' : ''}` },
    { name: 'version', value: run.version },
    {
      name: 'trials',
      value: `${valid} valid of ${trials.length}, up to ${plural(rounds, 'round')}`,
    },
    { name: 'seed', value: String(run.seed) },
    cpu === undefined
      ? undefined
      : {
          name: 'machine',
          value: cores === undefined ? cpu : `${cpu}, ${plural(Number(cores), 'core')}`,
        },
    node === undefined ? undefined : { name: 'Node', value: node },
    { name: 'command', value: run.command },
  ];
  return facts.filter((fact) => fact !== undefined);
}

/** Rows of a table join the points of a sweep, and reads that are proved with those that are not. */
function unsteadyIn({ trials, workloads }: Results): IsUnsteady {
  const sweeps = new Map(workloads.map(({ name, sweepOf }) => [name, sweepOf ?? name]));
  const met = trials
    .filter(isUnsteadyTrial)
    .map(({ workload, target }) => `${familyOf(sweeps.get(workload) ?? workload)} ${target}`);
  return (workload, target) => met.includes(`${familyOf(workload)} ${target}`);
}

const isUnsteadyTrial = ({ status, warmUp }: Trial): boolean =>
  status === 'valid' && warmUp?.steady === false;

function warningsOf(results: Results, comparison: Comparison): string[] {
  const unplanned = results.trials.flatMap((trial) =>
    trial.faults
      .filter(({ planned }) => !planned)
      .map(({ kind, member, atMs, gapMs }) => {
        const gap =
          gapMs === undefined ? '' : `; next acknowledged write after ${milliseconds(gapMs)}`;
        return `${nameOf(trial)}: ${member} (${kind}) at ${milliseconds(atMs)}, not by the bench${gap}.`;
      }),
  );
  const excluded = comparison.excluded.map(
    ({ workload, target, round, status, reasons }) =>
      `${workload}/${target} round ${round} is ${status}: ${reasons.join('; ') || 'no reason given'}.`,
  );
  const unanswered = results.trials.flatMap((trial) =>
    trial.faults
      .filter(({ kind, gapMs }) => kind === 'kill-leader' && gapMs === undefined)
      .map(() => `${nameOf(trial)}: no acknowledged write followed the kill of the leader.`),
  );
  const unsteady = results.trials.filter(isUnsteadyTrial).map((trial) => {
    const rates = trial.warmUp?.ratesPerSecond.map(rounded).join(', ');
    return `${nameOf(trial)} was measured before its rates were steady: ${rates}/s.`;
  });
  const partial = comparison.partial
    ? ['The run was interrupted: this is what had been measured until then.']
    : [];
  return [...partial, ...excluded, ...unplanned, ...unanswered, ...unsteady];
}

function trialRow(trial: Trial): TrialRow {
  const { generator, operations } = trial;
  const lateness = mergeHistograms([trial.lateness], nameOf(trial)).percentileMs(99);
  const ok = sum(operations.map((each) => each.ok));
  const notOk = sum(
    operations.flatMap(({ rejected, failed }) => [
      ...Object.values(rejected),
      ...Object.values(failed),
    ]),
  );
  return {
    order: trial.order,
    workload: trial.workload,
    target: trial.target,
    round: trial.round,
    status: trial.status,
    reasons: trial.reasons,
    lateness: lateness === undefined ? NOTHING : milliseconds(lateness),
    utilization: percent(generator.eventLoopUtilization),
    sent: generator.asked === 0 ? NOTHING : percent(generator.sent / generator.asked),
    notOk: ok + notOk === 0 ? NOTHING : percent(notOk / (ok + notOk)),
  };
}
