/** What one address may spend, and for how long it is remembered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressLimits } from './address-limits.js';

test('a bucket holds a second’s worth, fills with time, and is shared by all connections', () => {
  const limits = new AddressLimits({ connectionsMax: 0, requestsPerSecondMax: 10 });
  const [first, second] = [limits.enter('a', 0), limits.enter('a', 0)];
  assert.equal(first, second);
  const taken = (nowMs: number): number => {
    let count = 0;
    while (first?.take(nowMs) === true) count += 1;
    return count;
  };
  assert.deepEqual([0, 0, 99, 100, 1_100, 60_000].map(taken), [10, 0, 0, 1, 10, 10]);
});

test('an address with as many connections as it may have gets no more; another does', () => {
  const limits = new AddressLimits({ connectionsMax: 2, requestsPerSecondMax: 0 });
  assert.ok(limits.enter('a', 0));
  assert.ok(limits.enter('a', 0));
  assert.equal(limits.enter('a', 0), null);
  assert.ok(limits.enter('b', 0));
  limits.leave('a', 0);
  assert.ok(limits.enter('a', 0));
});

test('who comes back soon finds the bucket as it was; who stays away is forgotten', () => {
  const limits = new AddressLimits({ connectionsMax: 0, requestsPerSecondMax: 1 });
  assert.equal(limits.enter('a', 0)?.take(0), true);
  limits.leave('a', 0);
  assert.equal(limits.enter('a', 100)?.take(100), false);
  limits.leave('a', 100);
  limits.sweep(900);
  assert.equal(limits.size, 1);
  limits.sweep(1_000);
  assert.equal(limits.size, 0);
});
