/**
 * Encoded HDR histograms in, merged distributions out.
 *
 * Percentiles are never averaged: histograms of the same thing are added bucket by bucket, and the
 * percentile is read from the sum.
 */
import hdr from 'hdr-histogram-js';
import { ResultsError } from '../measure/results.js';

const MICROS_PER_MS = 1_000;

/** A distribution of durations. Empty ones answer `undefined`, never 0. */
export interface Distribution {
  readonly count: number;
  readonly maxMs: number | undefined;
  /** @param percentile in (0, 100]. `undefined` when not one sample lies beyond it. */
  percentileMs(percentile: number): number | undefined;
}

/**
 * Adds encoded histograms (V2 compressed base64, microseconds) into one distribution.
 *
 * @param what names the data in the error, e.g. `isr-churn/optimized round 2`.
 * @throws {ResultsError} when a text is not an encoded histogram.
 */
export function mergeHistograms(encoded: readonly string[], what: string): Distribution {
  const [first, ...rest] = encoded.filter((text) => text !== '').map((text) => decode(text, what));
  if (first === undefined || (rest.length === 0 && first.totalCount === 0)) return empty;
  first.autoResize = true;
  for (const other of rest) first.add(other);
  const count = first.totalCount;
  if (count === 0) return empty;
  return {
    count,
    maxMs: first.maxValue / MICROS_PER_MS,
    percentileMs: (percentile) =>
      samplesBeyond(count, percentile) < 1
        ? undefined
        : first.getValueAtPercentile(percentile) / MICROS_PER_MS,
  };
}

const empty: Distribution = { count: 0, maxMs: undefined, percentileMs: () => undefined };

/** Rounded to a millionth, so that 1,000 samples do have one beyond the 99.9th percentile. */
function samplesBeyond(count: number, percentile: number): number {
  return Math.round(count * (100 - percentile) * 1e4) / 1e6;
}

function decode(text: string, what: string): ReturnType<typeof hdr.decodeFromCompressedBase64> {
  try {
    return hdr.decodeFromCompressedBase64(text);
  } catch (cause) {
    throw new ResultsError(`${what}: not an encoded histogram`, { cause });
  }
}
