/**
 * Results → comparison: per workload, metric and target the trials, their median, the ratio to the
 * reference at equal durability, and a verdict in words.
 *
 * Invalid and partial trials enter no number; they are listed with their reasons. Pure, and
 * seeded by the run, so redoing a report gives the same intervals.
 */
import type { Results, Trial } from '../measure/results.js';
import { CONFIDENCE, RESAMPLES, TRIALS_MIN } from './bootstrap.js';
import {
  COMPARISON_SCHEMA_VERSION,
  type Comparison,
  type Durability,
  type Group,
  type Outcome,
  type TargetValue,
  type WorkloadComparison,
} from './comparison.js';
import { estimate, ratioOf } from './estimate.js';
import {
  classOf,
  type Metric,
  type MetricValue,
  metricsOf,
  type OperationClass,
  operationClasses,
  sum,
} from './metrics.js';
import { readsOf } from './reads.js';
import { sweepsOf } from './saturation.js';
import { durabilitiesOf, isCompared, pickReference, referenceBase, targetsOf } from './targets.js';
import { EFFECT_MIN } from './verdict.js';

export interface CompareOptions {
  /** Base name of the targets to compare with: `baseline` unless told, else the first build. */
  readonly reference?: string;
}

/** @throws {ResultsError} when a histogram of the results cannot be decoded. */
export function compare(results: Results, options: CompareOptions = {}): Comparison {
  const base = referenceBase(results, options.reference);
  const seed = results.run.seed;
  return {
    schemaVersion: COMPARISON_SCHEMA_VERSION,
    runId: results.run.id,
    partial: results.run.partial,
    reference: base ?? null,
    method: {
      confidence: CONFIDENCE,
      resamples: RESAMPLES,
      trialsMin: TRIALS_MIN,
      effectMin: EFFECT_MIN,
      seed,
    },
    workloads: workloadsOf(results).map((workload) => compareWorkload(results, workload, base)),
    reads: readsOf(results, { base, seed }),
    sweeps: sweepsOf(results),
    excluded: results.trials.flatMap(({ workload, target, round, order, status, reasons }) =>
      status === 'valid' ? [] : [{ workload, target, round, order, status, reasons }],
    ),
  };
}

interface Named {
  readonly name: string;
  readonly why: string;
}

/** As the run lists them; one that only its trials mention comes last. Sweeps have their own place. */
function workloadsOf(results: Results): Named[] {
  const known = new Set(results.workloads.map(({ name }) => name));
  const unlisted = [...new Set(results.trials.map(({ workload }) => workload))].filter(
    (name) => !known.has(name),
  );
  return [
    ...results.workloads.filter(({ sweepOf }) => sweepOf === undefined),
    ...unlisted.map((name) => ({ name, why: '' })),
  ];
}

function compareWorkload(
  results: Results,
  { name, why }: Named,
  base: string | undefined,
): WorkloadComparison {
  const trials = results.trials.filter(({ workload }) => workload === name);
  const groups = durabilitiesOf(results).flatMap((durability): Group[] => {
    const targets = targetsOf(results, durability).map((target) => target.name);
    const own = trials.filter(({ target }) => targets.includes(target));
    if (own.length === 0) return [];
    return [groupOf(results, { durability, trials: own, base })];
  });
  const loads = [...new Set(trials.map(describeLoad))];
  return {
    workload: name,
    why,
    load: loads.join(', '),
    primary: primaryOf(trials, groups) ?? null,
    groups,
  };
}

function groupOf(
  results: Results,
  parts: {
    readonly durability: Durability;
    readonly trials: readonly Trial[];
    readonly base: string | undefined;
  },
): Group {
  const { durability, trials, base } = parts;
  const seed = results.run.seed;
  const targets = targetsOf(results, durability).filter(({ name }) =>
    trials.some(({ target }) => target === name),
  );
  const measured = trials
    .filter(({ status }) => status === 'valid')
    .map((trial) => ({ trial, values: metricsOf(trial) }));
  const metrics = distinct(measured.flatMap(({ values }) => values.map(({ metric }) => metric)));
  return {
    durability,
    metrics: metrics.map((metric) => {
      const estimates = targets.flatMap((target) => {
        const found = estimate(
          measured
            .filter(({ trial }) => trial.target === target.name)
            .flatMap(({ trial, values }) => roundValue(trial, values, metric)),
          { seed, name: `${trials[0]?.workload} ${target.name} ${metric.id}` },
        );
        return found === undefined ? [] : [{ target, estimate: found }];
      });
      const candidates = estimates.filter(({ target }) => isCompared(target));
      const referenceName = pickReference(
        candidates.map(({ target }) => target.name),
        base,
      );
      const reference = candidates.find(({ target }) => target.name === referenceName);
      return {
        metric,
        targets: estimates.map(({ target, estimate: own }): TargetValue => {
          const comparable = reference !== undefined && isCompared(target);
          const ratio =
            comparable && reference.target !== target
              ? ratioOf({
                  target: own,
                  reference: reference.estimate,
                  referenceName: reference.target.name,
                  better: metric.better,
                  seed,
                  name: `${trials[0]?.workload} ${target.name} ${metric.id} ratio`,
                })
              : null;
          return { target: target.name, estimate: own, ratio };
        }),
      };
    }),
    outcomes: targets.map(({ name }) =>
      outcomeOf(
        name,
        trials.filter(({ target }) => target === name),
      ),
    ),
  };
}

function roundValue(trial: Trial, values: readonly MetricValue[], { id }: Metric) {
  const found = values.find(({ metric }) => metric.id === id);
  return found === undefined ? [] : [{ round: trial.round, value: found.value }];
}

/** Figures first, then class by class, whatever order the trials name them in. */
function distinct(metrics: readonly Metric[]): Metric[] {
  const place = ({ operationClass }: Metric): number =>
    operationClass === undefined ? -1 : operationClasses.indexOf(operationClass);
  return [...new Map(metrics.map((metric) => [metric.id, metric])).values()].sort(
    (one, other) => place(one) - place(other),
  );
}

function outcomeOf(target: string, trials: readonly Trial[]): Outcome {
  const valid = trials.filter(({ status }) => status === 'valid');
  const operations = valid.flatMap((trial) => trial.operations);
  return {
    target,
    trials: trials.length,
    valid: valid.length,
    ok: sum(operations.map(({ ok }) => ok)),
    rejected: addUp(operations.map(({ rejected }) => rejected)),
    failed: addUp(operations.map(({ failed }) => failed)),
  };
}

function addUp(records: readonly Record<string, number>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const [key, count] of records.flatMap((record) => Object.entries(record))) {
    total[key] = (total[key] ?? 0) + count;
  }
  return total;
}

function describeLoad({ load }: Trial): string {
  switch (load.mode) {
    case 'open':
      return `open loop, ${load.askedPerSecond.toLocaleString('en-US')}/s asked`;
    case 'closed':
      return `closed loop, ${load.outstanding.toLocaleString('en-US')} outstanding`;
    case 'script':
      return 'script';
  }
}

/**
 * The one metric that answers what the workload asks: its own figure or gap if it has one; the
 * tail at a given rate; the rate at a given concurrency; the median of one request at a time.
 */
function primaryOf(trials: readonly Trial[], groups: readonly Group[]): string | undefined {
  const ids = groups.flatMap(({ metrics }) => metrics.map(({ metric }) => metric.id));
  const load = trials[0]?.load;
  const figure =
    ids.find((id) => /^(figure\/.*Ms$|gap\/)/.test(id)) ??
    (load?.mode === 'script' ? ids.find((id) => id.startsWith('figure/')) : undefined);
  if (figure !== undefined) return figure;
  const name = primaryClass(trials);
  if (load === undefined || name === undefined) return undefined;
  const wished = load.mode !== 'closed' ? 'p99' : load.outstanding <= 1 ? 'p50' : 'throughput';
  return [`${wished}/${name}`, `p50/${name}`, `throughput/${name}`].find((id) => ids.includes(id));
}

/** Writes where they are a tenth of the answers, for they are what a log is for; else the most frequent. */
function primaryClass(trials: readonly Trial[]): OperationClass | undefined {
  const totals = new Map<OperationClass, number>();
  for (const operation of trials.flatMap((trial) => trial.operations)) {
    const name = classOf(operation);
    totals.set(name, (totals.get(name) ?? 0) + operation.ok);
  }
  const all = sum([...totals.values()]);
  if (all > 0 && (totals.get('write') ?? 0) >= all / 10) return 'write';
  return [...totals].sort(([, one], [, other]) => other - one)[0]?.[0];
}
