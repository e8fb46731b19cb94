/**
 * When may we say "faster"? Three conditions, all of them, or "no difference shown".
 *
 * 1. The interval of the ratio leaves out 1.
 * 2. The effect is at least {@link EFFECT_MIN}: a certain difference of 1 % helps nobody.
 * 3. With fewer than {@link ROUNDS_ENOUGH} trials a side, the trials themselves do not overlap, and
 *    the effect is at least {@link EFFECT_MIN_OF_FEW}. A bootstrap of three values cannot reach
 *    outside them, so its interval alone would call one A/A comparison in four a difference; and
 *    of three against three, one comparison in ten does not overlap by chance.
 */
import type { Interval } from './bootstrap.js';

/** Smallest relative change worth a word: a ratio between 1/1.05 and 1.05 is never a difference. */
export const EFFECT_MIN = 0.05;
export const EFFECT_MIN_OF_FEW = 0.2;
export const ROUNDS_ENOUGH = 6;

export const verdicts = [
  'faster',
  'slower',
  'no difference shown',
  'too few trials',
  'not comparable',
] as const;
export type Verdict = (typeof verdicts)[number];

export type Better = 'higher' | 'lower';

export interface Evidence {
  readonly better: Better;
  readonly target: readonly number[];
  readonly reference: readonly number[];
  /** median(target) ÷ median(reference). */
  readonly ratio: number;
  readonly interval: Interval | undefined;
}

export function judge({ better, target, reference, ratio, interval }: Evidence): Verdict {
  if (interval === undefined) return 'too few trials';
  const excludesOne = interval.low > 1 || interval.high < 1;
  const enough = Math.min(target.length, reference.length) >= ROUNDS_ENOUGH;
  // The tolerance keeps a change of exactly the minimum on the side of "a difference".
  const effectMin = (enough ? EFFECT_MIN : EFFECT_MIN_OF_FEW) - 1e-9;
  const matters = Math.max(ratio, 1 / ratio) >= 1 + effectMin;
  if (!excludesOne || !matters) return 'no difference shown';
  if (!enough && overlap(target, reference)) return 'no difference shown';
  return ratio > 1 === (better === 'higher') ? 'faster' : 'slower';
}

function overlap(one: readonly number[], other: readonly number[]): boolean {
  return Math.min(...one) <= Math.max(...other) && Math.min(...other) <= Math.max(...one);
}
