import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleResults } from '../analyze/sample.js';
import type { Results, Trial } from '../measure/results.js';
import { BAND, calibrationOf, calibrationPlan, calibrationTable } from './calibration.js';

/** Trials that made so many writes in one second. */
function resultsOf(
  rates: readonly (readonly [target: string, outstanding: number, perSecond: number])[],
  status: Trial['status'] = 'valid',
): Results {
  const sample = sampleResults({ rounds: 1 });
  const trial = sample.trials.find(({ workload }) => workload === 'isr-churn');
  const operation = trial?.operations[0];
  assert.ok(trial !== undefined && operation !== undefined);
  return {
    ...sample,
    trials: rates.map(([target, outstanding, ok]) => ({
      ...trial,
      target,
      workload: `writes@${outstanding}`,
      status,
      measuredMs: 1_000,
      operations: [{ ...operation, ok }],
    })),
  };
}

test('calibration: both take turns, with the same writes, as upstream waits and promises', () => {
  const { sessions, targets } = calibrationPlan({ concurrency: [1, 64], rounds: 2 });
  assert.deepEqual(
    sessions.map(({ round, target, workloads }) => [
      round,
      target.name,
      workloads.map(({ name }) => name).join(),
    ]),
    [
      [1, 'baseline', 'writes@1,writes@64'],
      [1, 'java-dledger', 'writes@1,writes@64'],
      [2, 'baseline', 'writes@1,writes@64'],
      [2, 'java-dledger', 'writes@1,writes@64'],
    ],
  );
  assert.deepEqual(
    targets.map(({ handoff, durability, electionProfile }) => [
      handoff,
      durability,
      electionProfile,
    ]),
    [
      ['poll', 'background', 'dledger'],
      ['poll', 'background', 'dledger'],
    ],
  );
});

const edge = Math.round(1_000 * (1 + BAND));
for (const { name, model, verdict } of [
  { name: 'as fast', model: [700, 1_000], verdict: 'within' },
  { name: 'just below the upper edge', model: [700, edge - 1], verdict: 'within' },
  { name: 'above it', model: [700, edge + 1], verdict: 'outside' },
  {
    name: 'below the lower edge at one number outstanding',
    model: [480, 1_000],
    verdict: 'outside',
  },
  { name: 'not measured at one number outstanding', model: [700], verdict: 'incomplete' },
] as const) {
  test(`calibration: a model that is ${name} is ${verdict}`, () => {
    const results = resultsOf([
      ...model.map((rate, index) => ['baseline', index === 0 ? 1 : 64, rate] as const),
      ['java-dledger', 1, 700],
      ['java-dledger', 64, 1_000],
    ]);
    assert.equal(calibrationOf(results, [1, 64]).verdict, verdict);
  });
}

test('calibration: the median of the rounds counts, and invalid trials do not', () => {
  const rates = [
    ['baseline', 1, 100],
    ['baseline', 1, 900],
    ['baseline', 1, 300],
    ['java-dledger', 1, 300],
  ] as const;
  assert.equal(calibrationOf(resultsOf(rates), [1]).rows[0]?.ratio, 1);
  assert.equal(calibrationOf(resultsOf(rates, 'invalid'), [1]).verdict, 'incomplete');
});

test('calibration: the table fits a terminal and says what came of it', () => {
  const results = resultsOf([
    ['baseline', 1, 600],
    ['java-dledger', 1, 718],
  ]);
  const table = calibrationTable(calibrationOf(results, [1, 1_024]));
  assert.deepEqual(table.split('\n').slice(1), [
    '           1           600/s           718/s     0.84     within',
    '       1,024               –               –        –          –',
    '',
    'Figures are missing: nothing can be said.',
  ]);
  assert.ok(table.split('\n').every((line) => line.length <= 80));
});
