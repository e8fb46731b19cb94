import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../lib/prng.js';
import { median, medianInterval, pairedRatioInterval, ratioInterval } from './bootstrap.js';

const medians: readonly { readonly values: readonly number[]; readonly is: number }[] = [
  { values: [7], is: 7 },
  { values: [9, 1], is: 5 },
  { values: [10, 2, 3], is: 3 },
  { values: [4, 1, 3, 2], is: 2.5 },
];
for (const { values, is } of medians) {
  test(`the median of ${values.join(', ')} is ${is}`, () => assert.equal(median(values), is));
}

test('two trials have no interval, three have', () => {
  assert.equal(medianInterval([1, 2], new Prng(1)), undefined);
  assert.notEqual(medianInterval([1, 2, 3], new Prng(1)), undefined);
});

test('three trials: the interval is their range, as far as a bootstrap can reach', () => {
  assert.deepEqual(medianInterval([30, 10, 20], new Prng(1)), { low: 10, high: 30 });
});

test('trials that agree exactly leave no doubt', () => {
  const interval = ratioInterval({ target: [20, 20, 20], reference: [10, 10, 10] }, new Prng(1));
  assert.deepEqual(interval, { low: 2, high: 2 });
});

test('one seed, one interval', () => {
  const sides = { target: [21, 19, 24, 20, 22], reference: [10, 11, 9, 12, 10] };
  assert.deepEqual(ratioInterval(sides, new Prng(7)), ratioInterval(sides, new Prng(7)));
});

test('a side with too few trials, or a reference of zero, has no ratio interval', () => {
  const three = [1, 2, 3];
  assert.equal(ratioInterval({ target: three, reference: [1, 2] }, new Prng(1)), undefined);
  assert.equal(ratioInterval({ target: three, reference: [0, 1, 2] }, new Prng(1)), undefined);
  const pair = { target: 1, reference: 1 };
  assert.equal(pairedRatioInterval([pair, pair], new Prng(1)), undefined);
  assert.equal(
    pairedRatioInterval([pair, pair, { target: 1, reference: 0 }], new Prng(1)),
    undefined,
  );
});

test('pairing takes out what disturbed both sides of a round alike', () => {
  // The machine slows down from round to round; the target is always twice as fast.
  const pairs = [100, 80, 60, 40, 20].map((speed) => ({ target: 2 * speed, reference: speed }));
  assert.deepEqual(pairedRatioInterval(pairs, new Prng(3)), { low: 2, high: 2 });
  const apart = ratioInterval(
    {
      target: pairs.map(({ target }) => target),
      reference: pairs.map(({ reference }) => reference),
    },
    new Prng(3),
  );
  assert.ok(apart !== undefined && apart.low < 1.5 && apart.high > 2.5);
});

test('of many samples of known spread, about 95 in 100 intervals hold the true median', () => {
  const chance = new Prng(42);
  let held = 0;
  for (let sample = 0; sample < 100; sample += 1) {
    const values = Array.from({ length: 25 }, () => chance.unit());
    const interval = medianInterval(values, chance);
    if (interval !== undefined && interval.low <= 0.5 && interval.high >= 0.5) held += 1;
  }
  assert.ok(held >= 88 && held <= 100, `${held} of 100`);
});
