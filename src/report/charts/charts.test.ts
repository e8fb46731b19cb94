import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, type TopLevelSpec } from 'vega-lite';
import { drawSvg } from '../draw.js';
import { matchesGolden } from '../golden.js';
import { challenger, floor, reference } from '../palette.js';
import { barsChart } from './bars.js';
import { type ChartSpec, logDomain, logTicks } from './base.js';
import { latencyChart } from './latency.js';
import { p99OverTime, sharedBounds, throughputOverTime } from './over-time.js';
import { cpuChart, memoryChart } from './processes.js';
import { saturationChart } from './saturation.js';

const hues = [
  { name: 'baseline', colour: reference },
  { name: 'optimized', colour: challenger },
  { name: 'floor', colour: floor },
];

const bars = [
  { row: 'baseline', hue: 'baseline', median: 860, low: 840, high: 880, text: '860/s' },
  { row: 'optimized', hue: 'optimized', median: 43_000, low: null, high: null, text: '43,000/s' },
].map((bar) => ({ ...bar, trials: [bar.median * 0.98, bar.median] }));

const overTime = [0.5, 1.5, 2.5, 3.5].map((atS) => ({
  series: 'baseline',
  trial: 'leader-kill/baseline round 1',
  atS,
  perSecond: atS === 1.5 ? 0 : 500,
  p99Ms: atS === 1.5 ? null : 12 * atS,
}));
const fault = { atS: 1.2, untilS: 2.1, label: 'leader killed (n0): no write for 900 ms' };
const timeline = { points: overTime, faults: [fault], hues, ...sharedBounds(overTime) };

const processes = {
  points: (['n0', 'n1', 'load'] as const).map((process, index) => ({
    workload: 'isr-churn',
    process,
    kind: process === 'load' ? ('load' as const) : ('controller' as const),
    cpuCores: 0.4 + index / 10,
    rssPeakMb: 90 + 40 * index,
  })),
  colour: challenger,
  cpuCoresMax: 2,
  rssMbMax: 256,
};

const steps = [500, 1_000, 2_000].map((askedPerSecond) => ({
  series: 'baseline',
  askedPerSecond,
  achievedPerSecond: Math.min(askedPerSecond, 900),
  p99Ms: askedPerSecond > 900 ? 800 : 6,
  isKnee: askedPerSecond === 500,
}));

const charts: readonly {
  readonly name: string;
  readonly spec: ChartSpec;
  readonly marks: RegExp;
}[] = [
  {
    name: 'bars',
    spec: barsChart({ bars, hues, floor: { value: 131_000, text: '131,000/s' } }),
    marks: /floor 131,000\/s/,
  },
  {
    name: 'latency',
    spec: latencyChart({
      points: [50, 90, 99, 99.9].map((percentile) => ({
        series: 'baseline',
        percentile,
        latencyMs: percentile / 10,
      })),
      hues,
      dashed: ['floor'],
    }),
    marks: /<title>baseline: p99\.9 9\.99 ms<\/title>/,
  },
  {
    name: 'throughput-over-time',
    spec: throughputOverTime(timeline),
    marks: /no write for 900 ms/,
  },
  { name: 'p99-over-time', spec: p99OverTime(timeline), marks: /p99 response time/ },
  {
    name: 'saturation',
    spec: saturationChart({ points: steps, hues, limitMs: 50 }),
    marks: /50 ms limit/,
  },
  { name: 'cpu', spec: cpuChart(processes), marks: /<title>isr-churn, n1: 0\.50 cores<\/title>/ },
  {
    name: 'memory',
    spec: memoryChart(processes),
    marks: /<title>isr-churn, load: 170 MB<\/title>/,
  },
];

for (const { name, spec, marks } of charts) {
  test(`${name}: the spec is as reviewed`, () => {
    matchesGolden(`charts/${name}.json`, `${JSON.stringify(spec, null, 1)}\n`);
  });

  test(`${name}: Vega-Lite accepts it without a warning, and it draws`, async () => {
    compile(spec as unknown as TopLevelSpec, { logger: strictLogger });
    const svg = await drawSvg(spec, { label: `the "${name}" chart`, id: name });
    assert.match(svg, /^<svg class="chart" role="img" aria-label="the &quot;/);
    assert.match(svg, marks);
    assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
  });
}

/** What Vega-Lite would print and go on, is a failure here. */
const strictLogger = {
  level: () => strictLogger,
  error: (...said: readonly unknown[]) => assert.fail(said.join(' ')),
  warn: (...said: readonly unknown[]) => assert.fail(said.join(' ')),
  info: () => strictLogger,
  debug: () => strictLogger,
};

test('the gap is a band from the fault to the next write, and the line of p99 breaks in it', async () => {
  const svg = await drawSvg(p99OverTime(timeline), { label: 'p99', id: 'p99' });
  const plot = 420 - 56 - 14;
  const widthOf = ((2.1 - 1.2) / 4) * plot;
  const band = /<path d="M([\d.]+),0h([\d.]+)v110[^"]*" fill="#c02b34" opacity="0.14"/.exec(svg);
  assert.ok(Math.abs(Number(band?.[1]) - (1.2 / 4) * plot) < 0.1, String(band?.[1]));
  assert.ok(Math.abs(Number(band?.[2]) - widthOf) < 0.1, String(band?.[2]));
  const line = /stroke="#b9560b"[^>]*>|<path d="([^"]*)"[^>]*stroke="#b9560b"/.exec(svg)?.[1] ?? '';
  assert.equal(line.split('M').length - 1, 2, `one piece each side of the gap: ${line}`);
});

const ticks: readonly {
  readonly low: number;
  readonly high: number;
  readonly are: readonly number[];
}[] = [
  { low: 0.5, high: 2_000, are: [1, 10, 100, 1_000] },
  { low: 0.15, high: 6, are: [0.2, 0.5, 1, 2, 5] },
  { low: 0.01, high: 0.03, are: [0.01, 0.02] },
  { low: 1.4, high: 3.2, are: [1.5, 2, 3] },
];
for (const { low, high, are } of ticks) {
  test(`ticks from ${low} to ${high} are ${are.join(', ')}`, () => {
    assert.deepEqual(logTicks(low, high), are);
  });
}

test('a log axis has a domain even when nothing can be drawn on it', () => {
  assert.deepEqual(logDomain([]), [0.1, 10]);
  assert.deepEqual(logDomain([0]), [0.1, 10]);
});
