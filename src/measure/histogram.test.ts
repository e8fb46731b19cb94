import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import hdr from 'hdr-histogram-js';
import { Prng } from '../lib/prng.js';
import {
  decode,
  EMPTY_HISTOGRAM,
  encodeHistogram,
  HISTOGRAM_US_MAX,
  mergeHistograms,
  newHistogram,
} from './histogram.js';

function encoded(values: readonly number[]): string {
  const histogram = newHistogram();
  for (const value of values) histogram.recordValue(value);
  const text = encodeHistogram(histogram);
  histogram.destroy();
  return text;
}

test('the library reads what we compress, bucket for bucket', () => {
  const prng = new Prng(5);
  const values = Array.from({ length: 5_000 }, () => Math.floor(2 ** (prng.unit() * 40)));
  const theirs = hdr.build();
  for (const value of values) theirs.recordValue(value);
  const [ours, own] = [encoded(values), hdr.encodeIntoCompressedBase64(theirs)].map((text) =>
    hdr.decodeFromCompressedBase64(text).outputPercentileDistribution(),
  );
  assert.equal(ours, own);
  assert.match(encoded(values), /^HIST/);
});

test('merged parts are what one recorder would have recorded', () => {
  const value = fc.oneof(fc.nat(1_000), fc.nat(10_000_000), fc.nat(HISTOGRAM_US_MAX));
  fc.assert(
    fc.property(fc.array(fc.array(value, { maxLength: 30 }), { maxLength: 5 }), (parts) => {
      const merged = decode(mergeHistograms(parts.map(encoded)));
      const whole = decode(encoded(parts.flat()));
      assert.equal(merged.count, parts.flat().length);
      assert.equal(merged.maxUs, whole.maxUs);
      for (const percentile of [0, 1, 50, 90, 99, 99.9, 100]) {
        assert.equal(merged.percentileUs(percentile), whole.percentileUs(percentile));
      }
    }),
    { seed: 20_261_122, numRuns: 200 },
  );
});

test('percentiles are within a thousandth of the exact ones', () => {
  const prng = new Prng(11);
  const values = Array.from({ length: 10_000 }, () => prng.between(1, 5_000_000));
  const reader = decode(encoded(values));
  values.sort((a, b) => a - b);
  for (const percentile of [1, 25, 50, 75, 99, 99.9]) {
    const exact = values[Math.ceil((percentile / 100) * values.length) - 1] ?? 0;
    const off = Math.abs(reader.percentileUs(percentile) - exact) / exact;
    assert.ok(off <= 0.001, `p${percentile} is off by ${off}`);
  }
});

test('nothing recorded has one form, and reads as zeros', () => {
  assert.equal(encoded([]), EMPTY_HISTOGRAM);
  assert.equal(mergeHistograms([]), EMPTY_HISTOGRAM);
  assert.equal(mergeHistograms([EMPTY_HISTOGRAM, EMPTY_HISTOGRAM]), EMPTY_HISTOGRAM);
  const { count, maxUs, meanUs, percentileUs } = decode(EMPTY_HISTOGRAM);
  assert.deepEqual(
    { count, maxUs, meanUs, p99: percentileUs(99) },
    {
      count: 0,
      maxUs: 0,
      meanUs: 0,
      p99: 0,
    },
  );
});

test('what is no histogram is refused by name', () => {
  const cut = encoded([1, 2, 3]).slice(0, 12);
  for (const text of ['', 'nonsense', 'SElTVA==', cut]) {
    assert.throws(() => decode(text), { code: 'HISTOGRAM_INVALID' }, `"${text}"`);
    assert.throws(() => mergeHistograms([text, encoded([1])]), { code: 'HISTOGRAM_INVALID' });
  }
});

test('a greatest value is never clipped', () => {
  const reader = decode(encoded([1, HISTOGRAM_US_MAX]));
  assert.ok(reader.maxUs >= HISTOGRAM_US_MAX);
  assert.equal(reader.count, 2);
});
