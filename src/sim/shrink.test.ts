/** Shrinking finds what is needed for a failure, and stops within its bound. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shrink } from './shrink.js';

const numbers = Array.from({ length: 100 }, (_, i) => i);

test('only the parts that the failure needs are left', async () => {
  const needs = [7, 55, 56];
  const left = await shrink(numbers, async (parts) => needs.every((n) => parts.includes(n)), 1_000);
  assert.deepEqual(left, needs);
});

test('a failure that needs nothing shrinks to nothing', async () => {
  assert.deepEqual(await shrink(numbers, async () => true, 10), []);
});

test('no more tries than allowed', async () => {
  let tries = 0;
  await shrink(
    numbers,
    async (parts) => {
      tries += 1;
      return parts.includes(3) && parts.includes(90);
    },
    5,
  );
  assert.equal(tries, 5);
});

test('what never fails is left as it is', async () => {
  assert.deepEqual(await shrink(numbers, async () => false, 1_000), numbers);
});
