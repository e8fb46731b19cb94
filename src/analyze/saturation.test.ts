import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SweepPoint } from './comparison.js';
import { sampleResults } from './sample.js';
import { knee, sweepsOf } from './saturation.js';

const cases: readonly {
  readonly name: string;
  /** asked, achieved, p99 in ms. */
  readonly points: readonly (readonly [number, number, number | null])[];
  readonly expected: ReturnType<typeof knee>;
}[] = [
  {
    name: 'the highest rate that was kept, and a higher one that was not',
    points: [
      [500, 500, 4],
      [1_000, 995, 30],
      [2_000, 1_100, 900],
    ],
    expected: { kneePerSecond: 1_000, bracketed: true },
  },
  {
    name: 'all answered, but too late',
    points: [
      [500, 500, 4],
      [1_000, 1_000, 50],
    ],
    expected: { kneePerSecond: 500, bracketed: true },
  },
  {
    name: 'never pushed to its limit: at least',
    points: [
      [500, 500, 4],
      [1_000, 1_000, 5],
    ],
    expected: { kneePerSecond: 1_000, bracketed: false },
  },
  {
    name: 'not even the lowest',
    points: [[500, 100, 4_000]],
    expected: { kneePerSecond: null, bracketed: true },
  },
  {
    name: 'nothing answered has no tail to praise',
    points: [[500, 0, null]],
    expected: { kneePerSecond: null, bracketed: true },
  },
];

for (const { name, points, expected } of cases) {
  test(name, () => {
    const full = points.map(
      ([askedPerSecond, achievedPerSecond, p99Ms]): SweepPoint => ({
        askedPerSecond,
        achievedPerSecond,
        p99Ms,
        p50Ms: p99Ms,
        trials: 1,
      }),
    );
    assert.deepEqual(knee(full), expected);
  });
}

test('a sweep gathers its workloads by what they say they belong to', () => {
  const [sweep, ...others] = sweepsOf(sampleResults());
  assert.equal(others.length, 0);
  assert.deepEqual(
    sweep?.targets.map(({ target, points, kneePerSecond }) => [
      target,
      points.length,
      kneePerSecond,
    ]),
    [
      ['baseline', 2, 500],
      ['optimized', 6, 40_000],
      ['floor', 6, 60_000],
    ],
  );
});
