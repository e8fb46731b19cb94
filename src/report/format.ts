/**
 * Numbers for people: few significant digits, and never a number without its unit.
 */

import type { Interval } from '../analyze/bootstrap.js';
import type { Estimate, Ratio } from '../analyze/comparison.js';
import type { Unit } from '../analyze/metrics.js';
import type { Better } from '../analyze/verdict.js';

export const NOTHING = '–';

/** `8.2`, `863`, `43,500`: three significant digits, thousands grouped. */
export function rounded(value: number): string {
  if (value === 0) return '0';
  const digits = Math.floor(Math.log10(Math.abs(value)));
  const step = 10 ** Math.max(digits - 2, 0);
  const decimals = Math.min(Math.max(2 - digits, 0), 2);
  const kept = digits > 2 ? Math.round(value / step) * step : value;
  return kept.toLocaleString('en-US', { maximumFractionDigits: decimals });
}

/** `0.48 ms`, `29.4 ms`, `1,380 ms` is `1.38 s`. */
export function milliseconds(value: number): string {
  if (value >= 1_000) return `${rounded(value / 1_000)} s`;
  return value > 0 && value < 0.01 ? '<0.01 ms' : `${rounded(value)} ms`;
}

export function megabytes(bytes: number): string {
  if (bytes >= 10 * 2 ** 30) return `${rounded(bytes / 2 ** 30)} GB`;
  return `${rounded(bytes / 2 ** 20)} MB`;
}

export function withUnit(value: number, unit: Unit): string {
  switch (unit) {
    case 'ms':
      return milliseconds(value);
    case 'bytes':
      return megabytes(value);
    case '/s':
      return `${rounded(value)}/s`;
    case '':
      return rounded(value);
  }
}

/** `43,500/s` and its interval `42,900–44,100`, the latter only when there is one. */
export function estimateText(
  estimate: Estimate,
  unit: Unit,
): { readonly value: string; readonly interval: string | undefined } {
  const { median, interval } = estimate;
  return {
    value: withUnit(median, unit),
    interval:
      interval === null ? undefined : range(interval, (each) => inUnitOf(each, median, unit)),
  };
}

/** In the unit that the median is shown in, without repeating it. */
function inUnitOf(value: number, median: number, unit: Unit): string {
  if (unit === 'ms') return rounded(median >= 1_000 ? value / 1_000 : value);
  return unit === 'bytes' ? rounded(value / 2 ** 20) : rounded(value);
}

function range({ low, high }: Interval, show: (value: number) => string): string {
  return show(low) === show(high) ? show(low) : `${show(low)}–${show(high)}`;
}

/** `51×`, `8.6×`, `1.02×`. */
export function factor(value: number): string {
  const [least, most] = value >= 10 ? [0, 0] : value >= 2 ? [0, 1] : [2, 2];
  const digits = { minimumFractionDigits: least, maximumFractionDigits: most };
  return `${value.toLocaleString('en-US', digits)}×`;
}

export interface RatioText {
  /** `51×`; always at least 1 when a word says which way. */
  readonly factor: string;
  /** `more`, `shorter`, …; empty when no difference is shown. */
  readonly word: string;
  /** `48–52`, in the same direction as the factor. */
  readonly interval: string | undefined;
}

/**
 * A ratio as it is spoken: "51× more", "8.6× shorter". Times are turned over, so that the larger
 * number is always the larger difference.
 */
export function ratioText(ratio: Ratio, better: Better): RatioText | undefined {
  const { value, interval, verdict } = ratio;
  if (value === null) return undefined;
  const undecided = verdict === 'no difference shown';
  const turned = value > 0 && value < 1 && !undecided;
  const turn = (each: number): number => (turned && each > 0 ? 1 / each : each);
  const words =
    better === 'higher' ? (['more', 'less'] as const) : (['longer', 'shorter'] as const);
  const shown = interval === null ? undefined : ordered(turn(interval.low), turn(interval.high));
  const bare = (each: number): string => factor(each).slice(0, -1);
  return {
    factor: factor(turn(value)),
    word: undecided ? '' : value >= 1 ? words[0] : words[1],
    interval: shown === undefined ? undefined : range(shown, bare),
  };
}

function ordered(one: number, other: number): Interval {
  return { low: Math.min(one, other), high: Math.max(one, other) };
}

/** `51× more (48–52)`. */
export function ratioLine(ratio: Ratio, better: Better): string {
  const text = ratioText(ratio, better);
  if (text === undefined) return NOTHING;
  const interval = text.interval === undefined ? '' : ` (${text.interval})`;
  return [text.factor, text.word].filter((part) => part !== '').join(' ') + interval;
}

export function percent(share: number): string {
  const value = share * 100;
  return value > 0 && value < 0.1 ? '<0.1 %' : `${rounded(value)} %`;
}

/** `4 min 41 s`, `38 s`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`;
}

/** `1 trial`, `3 trials`. */
export const plural = (count: number, word: string): string =>
  `${count.toLocaleString('en-US')} ${word}${count === 1 ? '' : 's'}`;

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;
}
