import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ratio } from '../analyze/comparison.js';
import type { Better } from '../analyze/verdict.js';
import { duration, factor, listed, milliseconds, percent, ratioLine, rounded } from './format.js';

const cases: readonly (readonly [string, string])[] = [
  [rounded(0), '0'],
  [rounded(8.249), '8.25'],
  [rounded(863.4), '863'],
  [rounded(43_512), '43,500'],
  [rounded(1_234_567), '1,230,000'],
  [rounded(999.7), '1,000'],
  [milliseconds(0.004), '<0.01 ms'],
  [milliseconds(0.483), '0.48 ms'],
  [milliseconds(29.44), '29.4 ms'],
  [milliseconds(1_376), '1.38 s'],
  [factor(50.6), '51×'],
  [factor(8.55), '8.6×'],
  [factor(2), '2×'],
  [factor(1.017), '1.02×'],
  [percent(0.0004), '<0.1 %'],
  [percent(0.123), '12.3 %'],
  [duration(281_000), '4 min 41 s'],
  [duration(38_000), '38 s'],
  [listed(['a']), 'a'],
  [listed(['a', 'b', 'c']), 'a, b and c'],
];
for (const [shown, expected] of cases) {
  test(`a number reads ${expected}`, () => assert.equal(shown, expected));
}

const base: Ratio = {
  reference: 'baseline',
  value: 1,
  interval: null,
  paired: true,
  trials: 3,
  verdict: 'faster',
};
const ratios: readonly {
  readonly ratio: Partial<Ratio>;
  readonly better: Better;
  readonly reads: string;
}[] = [
  {
    ratio: { value: 51, interval: { low: 48, high: 52 } },
    better: 'higher',
    reads: '51× more (48–52)',
  },
  {
    ratio: { value: 0.5, interval: { low: 0.4, high: 0.5 } },
    better: 'lower',
    reads: '2× shorter (2–2.5)',
  },
  { ratio: { value: 3, verdict: 'slower' }, better: 'lower', reads: '3× longer' },
  { ratio: { value: 0.5, verdict: 'slower' }, better: 'higher', reads: '2× less' },
  {
    ratio: { value: 0.98, interval: { low: 0.93, high: 1.04 }, verdict: 'no difference shown' },
    better: 'higher',
    reads: '0.98× (0.93–1.04)',
  },
  { ratio: { value: null, verdict: 'not comparable' }, better: 'higher', reads: '–' },
  {
    ratio: { value: 0, interval: { low: 0, high: 0 } },
    better: 'higher',
    reads: '0.00× less (0.00)',
  },
];
for (const { ratio, better, reads } of ratios) {
  test(`a ratio reads ${reads}`, () =>
    assert.equal(ratioLine({ ...base, ...ratio }, better), reads));
}
