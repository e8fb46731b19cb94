/**
 * Latency distributions as they travel and rest: HDR histograms of whole microseconds with three
 * significant digits, in the V2 compressed base64 form that every language's HDR library reads.
 *
 * They are recorded and merged in WebAssembly, and compressed by the platform's zlib, which is
 * several times faster than the library's own: a generator must not stall while it reports.
 *
 * @source HdrHistogram V2 encoding; hdr-histogram-js 3.0.1 encoding.ts
 */
import assert from 'node:assert/strict';
import { deflateSync } from 'node:zlib';
import {
  build,
  decodeFromCompressedBase64,
  type Histogram,
  initWebAssemblySync,
  WasmHistogram,
} from 'hdr-histogram-js';

/** 12 days. Longer than any trial, so that a value beyond it is a mistake and not a latency. */
export const HISTOGRAM_US_MAX = 2 ** 40;

const COMPRESSED_V2_COOKIE = 0x1c849314;

export class HistogramError extends Error {
  override readonly name = 'HistogramError';
  readonly code = 'HISTOGRAM_INVALID';
}

/** Grows by itself to the greatest value recorded. Lives outside the heap: `destroy` it. */
export function newHistogram(): WasmHistogram {
  initWebAssemblySync();
  const histogram = build({
    useWebAssembly: true,
    autoResize: true,
    highestTrackableValue: 2,
    numberOfSignificantValueDigits: 3,
  });
  assert(histogram instanceof WasmHistogram);
  return histogram;
}

export function encodeHistogram(histogram: WasmHistogram): string {
  if (histogram.totalCount === 0) return EMPTY_HISTOGRAM;
  return compressed(histogram);
}

/** The one form of "nothing recorded". */
export const EMPTY_HISTOGRAM: string = emptyHistogram();

/**
 * Adds distributions up, bucket by bucket: the result is what one recorder would have recorded.
 *
 * @throws {HistogramError} for anything that is not an encoded histogram.
 */
export function mergeHistograms(encoded: readonly string[]): string {
  const [first, ...others] = encoded.filter((one) => one !== EMPTY_HISTOGRAM);
  if (first === undefined) return EMPTY_HISTOGRAM;
  if (others.length === 0) return first;
  const sum = newHistogram();
  try {
    for (const one of [first, ...others]) {
      const part = decoded(one, true);
      assert(part instanceof WasmHistogram);
      sum.add(part);
      part.destroy();
    }
    return encodeHistogram(sum);
  } finally {
    sum.destroy();
  }
}

/** What a distribution says. All in microseconds; 0 when nothing was recorded. */
export interface HistogramReader {
  readonly count: number;
  readonly maxUs: number;
  readonly meanUs: number;
  /** @param percentile in [0, 100]. */
  percentileUs(percentile: number): number;
}

/** @throws {HistogramError} for anything that is not an encoded histogram. */
export function decode(encoded: string): HistogramReader {
  const histogram = decoded(encoded, false);
  const count = histogram.totalCount;
  return {
    count,
    maxUs: count === 0 ? 0 : histogram.maxValue,
    meanUs: count === 0 ? 0 : histogram.mean,
    percentileUs: (percentile) => (count === 0 ? 0 : histogram.getValueAtPercentile(percentile)),
  };
}

function decoded(encoded: string, useWebAssembly: boolean): Histogram {
  initWebAssemblySync();
  try {
    // Buckets of 64 bits outside WebAssembly: the counts of many hours add up.
    return decodeFromCompressedBase64(encoded, useWebAssembly ? 32 : 64, useWebAssembly);
  } catch (cause) {
    const start = encoded.slice(0, 16);
    throw new HistogramError(`not an encoded histogram: "${start}"…`, { cause });
  }
}

function compressed(histogram: WasmHistogram): string {
  const body = deflateSync(histogram.encode(), { level: 3 });
  const header = Buffer.alloc(8);
  header.writeUInt32BE(COMPRESSED_V2_COOKIE, 0);
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]).toString('base64');
}

function emptyHistogram(): string {
  const empty = newHistogram();
  try {
    return compressed(empty);
  } finally {
    empty.destroy();
  }
}
