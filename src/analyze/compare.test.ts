import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Results, Trial } from '../measure/results.js';
import { compare } from './compare.js';
import { type Comparison, comparisonSchema } from './comparison.js';
import { sampleAgainstItself, sampleResults } from './sample.js';

const sample = sampleResults();
const comparison = compare(sample);

interface Where {
  readonly workload: string;
  readonly metric: string;
  readonly target: string;
  readonly durability?: string;
}

function find(from: Comparison, { workload, metric, target, durability = 'background' }: Where) {
  const found = from.workloads
    .find((each) => each.workload === workload)
    ?.groups.find((group) => group.durability === durability)
    ?.metrics.find((each) => each.metric.id === metric)
    ?.targets.find((each) => each.target === target);
  assert.ok(found, `${workload} ${metric} ${target}`);
  return found;
}

const verdictCases: readonly (Where & { readonly expected: string })[] = [
  { workload: 'isr-churn', metric: 'throughput/write', target: 'optimized', expected: 'faster' },
  { workload: 'isr-churn', metric: 'p99/write', target: 'optimized', expected: 'faster' },
  {
    workload: 'isr-churn',
    metric: 'throughput/write',
    target: 'baseline@poll',
    expected: 'slower',
  },
  { workload: 'bring-up', metric: 'figure/bringUpMs', target: 'optimized', expected: 'faster' },
  { workload: 'leader-kill', metric: 'figure/failoverMs', target: 'optimized', expected: 'faster' },
  {
    workload: 'isr-churn',
    metric: 'throughput/write',
    target: 'optimized@group',
    durability: 'group',
    expected: 'faster',
  },
];
for (const { expected, ...where } of verdictCases) {
  test(`${where.workload}: ${where.metric} of ${where.target} is ${expected}`, () => {
    assert.equal(find(comparison, where).ratio?.verdict, expected);
  });
}

test('a ratio is of medians, against the reference of equal durability, paired by round', () => {
  const where = {
    workload: 'isr-churn',
    metric: 'throughput/write',
    target: 'optimized@group',
    durability: 'group',
  };
  const { estimate, ratio } = find(comparison, where);
  const reference = find(comparison, { ...where, target: 'baseline@group' });
  assert.equal(ratio?.reference, 'baseline@group');
  assert.equal(ratio.value, estimate.median / reference.estimate.median);
  assert.deepEqual([ratio.paired, ratio.trials], [true, 3]);
  assert.ok(ratio.interval && ratio.interval.low <= ratio.value);
});

test('neither the reference nor the floor is judged', () => {
  for (const target of ['baseline', 'floor']) {
    const where = { workload: 'isr-churn', metric: 'throughput/write', target };
    assert.equal(find(comparison, where).ratio, null);
  }
});

test('unproved and proved reads never share a ratio; proved reads do, across workloads', () => {
  const where = { workload: 'read-heavy', metric: 'throughput/proved-read', target: 'optimized' };
  assert.equal(find(comparison, where).ratio, null);
  const [reads] = comparison.reads;
  assert.deepEqual(
    reads?.columns.map(({ proof, target, ratio }) => [proof, target, ratio?.verdict]),
    [
      ['unproved', 'baseline', undefined],
      ['log', 'baseline', undefined],
      ['read-index', 'optimized', 'faster'],
    ],
  );
});

const primaries: readonly (readonly [string, string])[] = [
  ['bring-up', 'figure/bringUpMs'],
  ['steady-state', 'p99/heartbeat'],
  ['isr-churn', 'throughput/write'],
  ['mixed', 'p99/write'],
  ['leader-kill', 'figure/failoverMs'],
  ['single-write', 'p50/write'],
];
for (const [workload, primary] of primaries) {
  test(`${workload} is judged by ${primary}`, () => {
    assert.equal(comparison.workloads.find((each) => each.workload === workload)?.primary, primary);
  });
}

test('the same thing twice: no difference shown, in nineteen of twenty comparisons', () => {
  const ratios = Array.from({ length: 8 }, (_, seed) =>
    compare(sampleAgainstItself({ seed, rounds: 6 })),
  ).flatMap((each) =>
    each.workloads.flatMap(({ groups }) =>
      groups.flatMap(({ metrics }) =>
        metrics.flatMap(({ targets }) => targets.flatMap(({ ratio }) => ratio ?? [])),
      ),
    ),
  );
  const wrong = ratios.filter(({ verdict }) => verdict !== 'no difference shown');
  assert.ok(ratios.length > 100);
  assert.ok(wrong.length <= ratios.length / 20, `${wrong.length} of ${ratios.length}`);
});

test('two rounds are too few to say', () => {
  const where = { workload: 'isr-churn', metric: 'throughput/write', target: 'optimized' };
  const { estimate, ratio } = find(compare(sampleResults({ rounds: 2 })), where);
  assert.equal(ratio?.verdict, 'too few trials');
  assert.deepEqual([estimate.interval, ratio.interval], [null, null]);
  assert.ok((ratio.value ?? 0) > 10, 'the ratio itself is still told');
});

const change = (results: Results, of: (trial: Trial) => Partial<Trial>): Results => ({
  ...results,
  trials: results.trials.map((trial) => ({ ...trial, ...of(trial) })),
});
const isChurn = (trial: Trial, target: string): boolean =>
  trial.workload === 'isr-churn' && trial.target === target;

test('an invalid trial enters no number, and is listed with its reason', () => {
  const reasons = ['the generator was late: p99 12 ms'];
  const spoilt = change(sample, (trial) =>
    isChurn(trial, 'optimized') && trial.round === 2 ? { status: 'invalid', reasons } : {},
  );
  const changed = compare(spoilt);
  const where = { workload: 'isr-churn', metric: 'throughput/write', target: 'optimized' };
  const rounds = find(changed, where).estimate.values.map(({ round }) => round);
  assert.deepEqual(rounds, [1, 3]);
  assert.equal(find(changed, where).ratio?.verdict, 'too few trials');
  assert.deepEqual(
    changed.excluded.map((each) => [each.workload, each.target, each.round, each.reasons]),
    [['isr-churn', 'optimized', 2, reasons]],
  );
});

test('a workload with no valid trial says so, and its verdict is not guessed', () => {
  const failed = compare(
    change(sample, (trial) =>
      isChurn(trial, 'optimized') ? { status: 'invalid', reasons: ['no leader'] } : {},
    ),
  );
  const group = failed.workloads.find(({ workload }) => workload === 'isr-churn')?.groups[0];
  assert.equal(group?.outcomes.find(({ target }) => target === 'optimized')?.valid, 0);
  assert.ok(
    group?.metrics.every(({ targets }) => targets.every(({ target }) => target !== 'optimized')),
  );
});

test('a reference that answered nothing gives no ratio, rather than an infinite one', () => {
  const silent = compare(
    change(sample, (trial) =>
      isChurn(trial, 'baseline')
        ? { operations: trial.operations.map((each) => ({ ...each, ok: 0, responseTime: '' })) }
        : {},
    ),
  );
  const where = { workload: 'isr-churn', metric: 'throughput/write', target: 'optimized' };
  assert.equal(find(silent, where).ratio?.value, null);
  assert.equal(find(silent, where).ratio?.verdict, 'not comparable');
});

const awkward: readonly { readonly name: string; readonly results: Results }[] = [
  { name: 'the sample', results: sample },
  { name: 'no trials at all', results: { ...sample, trials: [] } },
  { name: 'no targets', results: { ...sample, trials: [], targets: [] } },
  { name: 'windows of no length', results: change(sample, () => ({ measuredMs: 0 })) },
  { name: 'no operations', results: change(sample, () => ({ operations: [], figures: {} })) },
  {
    name: 'only partial trials',
    results: change(sample, () => ({ status: 'partial', reasons: ['interrupted'] })),
  },
  { name: 'workloads that the run did not list', results: { ...sample, workloads: [] } },
];
for (const { name, results } of awkward) {
  test(`comparison.json is valid for ${name}: never NaN, never infinite`, () => {
    const written = JSON.parse(JSON.stringify(compare(results)));
    assert.deepEqual(comparisonSchema.parse(written), written);
    assert.deepEqual(written, compare(results));
  });
}
