import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Interval } from './bootstrap.js';
import { type Better, judge, type Verdict } from './verdict.js';

interface Case {
  readonly name: string;
  readonly better: Better;
  readonly target: readonly number[];
  readonly reference: readonly number[];
  readonly ratio: number;
  readonly interval: Interval | undefined;
  readonly expected: Verdict;
}

const cases: readonly Case[] = [
  {
    name: 'twice the throughput is faster',
    better: 'higher',
    target: [200, 201, 202],
    reference: [100, 101, 102],
    ratio: 2,
    interval: { low: 1.9, high: 2.1 },
    expected: 'faster',
  },
  {
    name: 'twice the latency is slower',
    better: 'lower',
    target: [200, 201, 202],
    reference: [100, 101, 102],
    ratio: 2,
    interval: { low: 1.9, high: 2.1 },
    expected: 'slower',
  },
  {
    name: 'half the latency is faster',
    better: 'lower',
    target: [50, 51, 52],
    reference: [100, 101, 102],
    ratio: 0.5,
    interval: { low: 0.48, high: 0.52 },
    expected: 'faster',
  },
  {
    name: 'no interval, no word',
    better: 'higher',
    target: [200, 201],
    reference: [100, 101],
    ratio: 2,
    interval: undefined,
    expected: 'too few trials',
  },
  {
    name: 'an interval that holds 1 shows nothing',
    better: 'higher',
    target: [90, 120, 150],
    reference: [80, 100, 110],
    ratio: 1.2,
    interval: { low: 0.9, high: 1.6 },
    expected: 'no difference shown',
  },
  {
    name: 'certain but too small to matter',
    better: 'higher',
    target: [103, 103, 103],
    reference: [100, 100, 100],
    ratio: 1.03,
    interval: { low: 1.02, high: 1.04 },
    expected: 'no difference shown',
  },
  {
    name: 'exactly the minimum effect counts, either way',
    better: 'higher',
    target: [100, 100, 100, 100, 100, 100],
    reference: [105, 105, 105, 105, 105, 105],
    ratio: 1 / 1.05,
    interval: { low: 0.95, high: 0.96 },
    expected: 'slower',
  },
  {
    name: 'three rounds that do not overlap must differ by more than chance often makes them',
    better: 'lower',
    target: [628, 589, 700],
    reference: [578, 550, 584],
    ratio: 1.09,
    interval: { low: 1.01, high: 1.62 },
    expected: 'no difference shown',
  },
  {
    name: 'three rounds that differ by a fifth and do not overlap do',
    better: 'higher',
    target: [120, 121, 122],
    reference: [100, 100, 100],
    ratio: 1.2,
    interval: { low: 1.19, high: 1.22 },
    expected: 'faster',
  },
  {
    name: 'five rounds whose trials overlap are not trusted to their interval',
    better: 'higher',
    target: [99, 120, 121, 122, 123],
    reference: [90, 91, 92, 93, 100],
    ratio: 1.3,
    interval: { low: 1.1, high: 1.4 },
    expected: 'no difference shown',
  },
  {
    name: 'six such rounds are',
    better: 'higher',
    target: [99, 120, 121, 122, 123, 124],
    reference: [90, 91, 92, 93, 94, 100],
    ratio: 1.3,
    interval: { low: 1.1, high: 1.4 },
    expected: 'faster',
  },
  {
    name: 'a target that did nothing at all is slower',
    better: 'higher',
    target: [0, 0, 0],
    reference: [100, 100, 100],
    ratio: 0,
    interval: { low: 0, high: 0 },
    expected: 'slower',
  },
];

for (const { name, expected, ...evidence } of cases) {
  test(name, () => assert.equal(judge(evidence), expected));
}
