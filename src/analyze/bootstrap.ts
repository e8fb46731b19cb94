/**
 * How sure can we be of a ratio, given so few trials? Percentile bootstrap, seeded.
 *
 * The unit of replication is the trial, never the request: a million requests to one cluster on one
 * morning are still one observation of that cluster. With fewer than three trials a side there is
 * no interval at all, rather than one that means nothing.
 *
 * @source Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), §13.3
 */
import assert from 'node:assert/strict';
import type { Prng } from '../lib/prng.js';

/** Fewer trials a side than this, and nothing is said about certainty. */
export const TRIALS_MIN = 3;
export const CONFIDENCE = 0.95;
export const RESAMPLES = 2_000;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Pair {
  readonly target: number;
  readonly reference: number;
}

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  assert(values.length > 0, 'median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  assert(upper !== undefined && lower !== undefined);
  return (lower + upper) / 2;
}

/** @returns `undefined` with fewer than {@link TRIALS_MIN} values. */
export function medianInterval(values: readonly number[], chance: Prng): Interval | undefined {
  if (values.length < TRIALS_MIN) return undefined;
  return percentiles(() => median(resample(values, chance)));
}

/**
 * Interval of median(target) ÷ median(reference), each side resampled on its own.
 *
 * @returns `undefined` with too few trials on either side, or when a reference is not positive.
 */
export function ratioInterval(
  sides: { readonly target: readonly number[]; readonly reference: readonly number[] },
  chance: Prng,
): Interval | undefined {
  const { target, reference } = sides;
  if (Math.min(target.length, reference.length) < TRIALS_MIN) return undefined;
  if (!reference.every((value) => value > 0)) return undefined;
  return percentiles(() => median(resample(target, chance)) / median(resample(reference, chance)));
}

/**
 * The same for trials that ran next to each other: rounds are resampled whole, so that what
 * disturbed both sides of a round alike does not widen the interval.
 */
export function pairedRatioInterval(pairs: readonly Pair[], chance: Prng): Interval | undefined {
  if (pairs.length < TRIALS_MIN) return undefined;
  if (!pairs.every((pair) => pair.reference > 0)) return undefined;
  return percentiles(() => {
    const drawn = resample(pairs, chance);
    return median(drawn.map((pair) => pair.target)) / median(drawn.map((pair) => pair.reference));
  });
}

function percentiles(statistic: () => number): Interval {
  const drawn = Array.from({ length: RESAMPLES }, statistic).sort((a, b) => a - b);
  const tail = (1 - CONFIDENCE) / 2;
  const low = drawn[Math.floor(tail * RESAMPLES)];
  const high = drawn[Math.ceil((1 - tail) * RESAMPLES) - 1];
  assert(low !== undefined && high !== undefined);
  return { low, high };
}

function resample<Item>(items: readonly Item[], chance: Prng): Item[] {
  return items.map(() => chance.pick(items));
}
