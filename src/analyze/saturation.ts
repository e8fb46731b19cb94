/**
 * Where a controller stops keeping up: a stepped sweep of open-loop rates, and its knee.
 *
 * The knee is the highest asked rate that was kept: nearly all of it answered, and the tail short.
 * It is a point of the grid that was tried, so it carries no interval.
 */
import type { Results, Trial } from '../measure/results.js';
import { median } from './bootstrap.js';
import type { Comparison, SweepPoint, SweepTarget } from './comparison.js';
import { mergeHistograms } from './histograms.js';
import { nameOf, throughputOf } from './metrics.js';
import { durabilitiesOf, targetsOf } from './targets.js';

export const ACHIEVED_MIN = 0.99;
export const P99_MAX_MS = 50;

/** Kept means: at least 99 % of the asked rate answered, with a p99 response time below 50 ms. */
export function keeps(point: SweepPoint): boolean {
  return (
    point.achievedPerSecond >= ACHIEVED_MIN * point.askedPerSecond &&
    point.p99Ms !== null &&
    point.p99Ms < P99_MAX_MS
  );
}

export function knee(points: readonly SweepPoint[]): Omit<SweepTarget, 'target' | 'points'> {
  const kept = points.filter(keeps).map((point) => point.askedPerSecond);
  const kneePerSecond = kept.length === 0 ? null : Math.max(...kept);
  const bracketed = points.some((point) => point.askedPerSecond > (kneePerSecond ?? 0));
  return { kneePerSecond, bracketed };
}

/** One entry per sweep and durability, from valid trials only. */
export function sweepsOf(results: Results): Comparison['sweeps'] {
  const members = new Map<string, Set<string>>();
  for (const { name, sweepOf } of results.workloads) {
    if (sweepOf === undefined) continue;
    members.set(sweepOf, (members.get(sweepOf) ?? new Set()).add(name));
  }
  return [...members].flatMap(([sweep, workloads]) =>
    durabilitiesOf(results).flatMap((durability) => {
      const targets = targetsOf(results, durability).flatMap(({ name: target }) => {
        const points = pointsOf(
          results.trials.filter(
            (trial) =>
              trial.target === target && trial.status === 'valid' && workloads.has(trial.workload),
          ),
        );
        return points.length === 0 ? [] : [{ target, points, ...knee(points) }];
      });
      return targets.length === 0 ? [] : [{ sweep, durability, targets }];
    }),
  );
}

function pointsOf(trials: readonly Trial[]): SweepPoint[] {
  const byRate = new Map<number, Trial[]>();
  for (const trial of trials) {
    if (trial.load.mode !== 'open') continue;
    const rate = trial.load.askedPerSecond;
    byRate.set(rate, [...(byRate.get(rate) ?? []), trial]);
  }
  return [...byRate]
    .sort(([one], [other]) => one - other)
    .map(([askedPerSecond, same]) => {
      const encoded = same.flatMap((trial) => trial.operations.map((each) => each.responseTime));
      const merged = mergeHistograms(encoded, same.map(nameOf).join(', '));
      return {
        askedPerSecond,
        achievedPerSecond: median(same.map((trial) => throughputOf(trial))),
        p50Ms: merged.percentileMs(50) ?? null,
        p99Ms: merged.percentileMs(99) ?? null,
        trials: same.length,
      };
    });
}
