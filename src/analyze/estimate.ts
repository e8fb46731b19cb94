/** Trials of one thing → median, interval; two of them → ratio, interval, verdict. */
import { Prng } from '../lib/prng.js';
import {
  median,
  medianInterval,
  pairedRatioInterval,
  ratioInterval,
  TRIALS_MIN,
} from './bootstrap.js';
import type { Estimate, Ratio } from './comparison.js';
import { type Better, judge } from './verdict.js';

export interface RoundValue {
  readonly round: number;
  readonly value: number;
}

/** @param name seeds this estimate alone, so that adding a metric changes no other interval. */
export function estimate(
  values: readonly RoundValue[],
  { seed, name }: { readonly seed: number; readonly name: string },
): Estimate | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a.round - b.round);
  const plain = sorted.map(({ value }) => value);
  return {
    values: sorted.map(({ round, value }) => ({ round, value })),
    median: median(plain),
    interval: medianInterval(plain, chanceFor(seed, name)) ?? null,
  };
}

export interface RatioQuestion {
  readonly target: Estimate;
  readonly reference: Estimate;
  readonly referenceName: string;
  readonly better: Better;
  readonly seed: number;
  readonly name: string;
}

/** Paired by round where at least three rounds have both sides, else each side on its own. */
export function ratioOf(question: RatioQuestion): Ratio {
  const { target, reference, referenceName, better, seed, name } = question;
  const pairs = target.values.flatMap(({ round, value }) => {
    const other = reference.values.find((candidate) => candidate.round === round);
    return other === undefined ? [] : [{ target: value, reference: other.value }];
  });
  const paired = pairs.length >= TRIALS_MIN;
  const sides = paired
    ? { target: pairs.map((p) => p.target), reference: pairs.map((p) => p.reference) }
    : {
        target: target.values.map(({ value }) => value),
        reference: reference.values.map(({ value }) => value),
      };
  const trials = Math.min(sides.target.length, sides.reference.length);
  const shape = { reference: referenceName, paired, trials };
  if (median(sides.reference) <= 0) {
    return { ...shape, value: null, interval: null, verdict: 'not comparable' };
  }
  const ratio = median(sides.target) / median(sides.reference);
  const chance = chanceFor(seed, name);
  const interval = paired ? pairedRatioInterval(pairs, chance) : ratioInterval(sides, chance);
  const verdict = judge({ better, ...sides, ratio, interval });
  return { ...shape, value: ratio, interval: interval ?? null, verdict };
}

/** @source FNV-1a, 32 bit */
function chanceFor(seed: number, name: string): Prng {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return new Prng((hash ^ seed) >>> 0);
}
