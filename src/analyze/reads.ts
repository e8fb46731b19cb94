/**
 * Reads in three columns, by what an answer proves: nothing, a log entry, a ReadIndex round.
 *
 * The same question may be asked in several workloads (`read-heavy`, and `read-heavy-proved` for a
 * build that must be told to prove); they are one family here. Ratios join equal promises only:
 * proved with proved, unproved with unproved.
 */
import type { Results, Trial } from '../measure/results.js';
import type { Comparison, ReadColumn } from './comparison.js';
import { estimate, type RoundValue, ratioOf } from './estimate.js';
import { mergeHistograms } from './histograms.js';
import { nameOf, sum } from './metrics.js';
import { durabilitiesOf, pickReference, targetsOf } from './targets.js';

/** A workload is about reads when they are at least this share of its answers. */
const READ_SHARE_MIN = 0.9;
const proofs = ['unproved', 'log', 'read-index'] as const;

export const familyOf = (workload: string): string => workload.replace(/-proved$/, '');

export function readsOf(
  results: Results,
  { base, seed }: { readonly base: string | undefined; readonly seed: number },
): Comparison['reads'] {
  const swept = new Set(
    results.workloads.filter(({ sweepOf }) => sweepOf !== undefined).map(({ name }) => name),
  );
  const trials = results.trials.filter(
    (trial) =>
      trial.status === 'valid' &&
      trial.load.mode === 'closed' &&
      !swept.has(trial.workload) &&
      readShare(trial) >= READ_SHARE_MIN,
  );
  const families = [...new Set(trials.map((trial) => familyOf(trial.workload)))];
  return families.flatMap((workload) =>
    durabilitiesOf(results).flatMap((durability) => {
      const names = new Set(targetsOf(results, durability).map(({ name }) => name));
      const own = trials.filter(
        (trial) => familyOf(trial.workload) === workload && names.has(trial.target),
      );
      const columns = columnsOf(own, seed);
      if (columns.length === 0) return [];
      return [{ workload, durability, columns: withRatios(columns, { base, seed }) }];
    }),
  );
}

function columnsOf(trials: readonly Trial[], seed: number): ReadColumn[] {
  const sources = new Map(
    trials.map(({ target, workload }) => [`${target} ${workload}`, { target, workload }]),
  );
  return proofs.flatMap((proof) =>
    [...sources.values()].flatMap(({ target, workload }) => {
      const own = trials.filter(
        (trial) => trial.target === target && trial.workload === workload && reads(trial, proof)[0],
      );
      const name = `reads ${workload} ${target} ${proof}`;
      const over = (what: string, value: (trial: Trial) => number | undefined) =>
        estimate(values(own, value), { seed, name: `${name} ${what}` });
      const perSecond = over('rate', (trial) => rate(trial, proof));
      if (perSecond === undefined) return [];
      const operations = [
        ...new Set(own.flatMap((trial) => reads(trial, proof).map((each) => each.name))),
      ];
      const column: ReadColumn = {
        proof,
        target,
        workload,
        operations,
        perSecond,
        p50Ms: over('p50', (trial) => percentile(trial, proof, 50)) ?? null,
        p99Ms: over('p99', (trial) => percentile(trial, proof, 99)) ?? null,
        ratio: null,
      };
      return [column];
    }),
  );
}

function withRatios(
  columns: readonly ReadColumn[],
  { base, seed }: { readonly base: string | undefined; readonly seed: number },
): ReadColumn[] {
  return columns.map((column) => {
    const alike = columns.filter((other) => isProved(other) === isProved(column));
    const referenceName = pickReference(
      alike.map(({ target }) => target),
      base,
    );
    const reference = alike.find(({ target }) => target === referenceName);
    if (reference === undefined || referenceName === undefined || reference === column) {
      return column;
    }
    const ratio = ratioOf({
      target: column.perSecond,
      reference: reference.perSecond,
      referenceName,
      better: 'higher',
      seed,
      name: `reads ratio ${column.workload} ${column.target} ${column.proof}`,
    });
    return { ...column, ratio };
  });
}

const isProved = (column: ReadColumn): boolean => column.proof !== 'unproved';

/** The floor's reads carry no proof at all, and are not shown among those that could. */
function reads(trial: Trial, proof: ReadColumn['proof']) {
  return trial.operations.filter((each) => each.kind === 'read' && each.proof === proof);
}

function readShare(trial: Trial): number {
  const all = sum(trial.operations.map((each) => each.ok));
  const read = sum(trial.operations.filter((each) => each.kind === 'read').map((each) => each.ok));
  return all === 0 ? 0 : read / all;
}

function rate(trial: Trial, proof: ReadColumn['proof']): number | undefined {
  if (trial.measuredMs <= 0) return undefined;
  return (sum(reads(trial, proof).map((each) => each.ok)) * 1_000) / trial.measuredMs;
}

function percentile(trial: Trial, proof: ReadColumn['proof'], at: number): number | undefined {
  const encoded = reads(trial, proof).map((each) => each.responseTime);
  return mergeHistograms(encoded, nameOf(trial)).percentileMs(at);
}

function values(
  trials: readonly Trial[],
  value: (trial: Trial) => number | undefined,
): RoundValue[] {
  return trials.flatMap((trial) => {
    const found = value(trial);
    return found === undefined ? [] : [{ round: trial.round, value: found }];
  });
}
