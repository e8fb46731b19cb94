import assert from 'node:assert/strict';
import { test } from 'node:test';
import hdr from 'hdr-histogram-js';
import { mergeHistograms } from './histograms.js';

function encoded(values: readonly number[]): string {
  const histogram = hdr.build({ numberOfSignificantValueDigits: 3 });
  for (const value of values) histogram.recordValue(value);
  return hdr.encodeIntoCompressedBase64(histogram);
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

test('merged parts have the percentiles of the whole, not the mean of theirs', () => {
  const whole = mergeHistograms([encoded(upTo(1_000))], 'whole');
  const parts = mergeHistograms(
    [encoded(upTo(500)), encoded(upTo(1_000).slice(500))],
    'two halves',
  );
  assert.equal(parts.count, 1_000);
  for (const percentile of [50, 90, 99, 99.9]) {
    assert.equal(parts.percentileMs(percentile), whole.percentileMs(percentile));
  }
  assert.equal(parts.percentileMs(50), 0.5);
});

test('a part much slower than the first is not clipped', () => {
  const merged = mergeHistograms([encoded([10]), encoded([90_000_000])], 'clip');
  assert.ok((merged.maxMs ?? 0) >= 90_000);
});

test('a percentile needs a sample beyond it', () => {
  const hundred = mergeHistograms([encoded(upTo(100))], 'hundred');
  assert.notEqual(hundred.percentileMs(99), undefined);
  assert.equal(hundred.percentileMs(99.9), undefined);
  const thousand = mergeHistograms([encoded(upTo(1_000))], 'thousand');
  assert.notEqual(thousand.percentileMs(99.9), undefined);
});

test('nothing recorded is nothing said', () => {
  for (const texts of [[], [''], [encoded([])]]) {
    const none = mergeHistograms(texts, 'none');
    assert.deepEqual([none.count, none.maxMs, none.percentileMs(50)], [0, undefined, undefined]);
  }
});

test('what is no histogram is refused by name', () => {
  assert.throws(() => mergeHistograms(['not one'], 'isr-churn/optimized round 2'), {
    code: 'RESULTS_INVALID',
    message: 'isr-churn/optimized round 2: not an encoded histogram',
  });
});
