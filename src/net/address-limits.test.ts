/** What one address may spend, and for how long it is remembered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressLimits } from './address-limits.js';

const none = { connectionsMax: 0, requestsPerSecondMax: 0, unfinishedBytesMax: 0 };

test('a bucket holds a second’s worth, fills with time, and is shared by all connections', () => {
  const limits = new AddressLimits({ ...none, requestsPerSecondMax: 10 });
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
  const limits = new AddressLimits({ ...none, connectionsMax: 2 });
  assert.ok(limits.enter('a', 0));
  assert.ok(limits.enter('a', 0));
  assert.equal(limits.enter('a', 0), null);
  assert.ok(limits.enter('b', 0));
  limits.leave('a', 0);
  assert.ok(limits.enter('a', 0));
});

test('who comes back soon finds the bucket as it was; who stays away is forgotten', () => {
  const limits = new AddressLimits({ ...none, requestsPerSecondMax: 1 });
  assert.equal(limits.enter('a', 0)?.take(0), true);
  limits.leave('a', 0);
  assert.equal(limits.enter('a', 100)?.take(100), false);
  limits.leave('a', 100);
  limits.sweep(900);
  assert.equal(limits.size, 1);
  limits.sweep(1_000);
  assert.equal(limits.size, 0);
});

test('bytes of unfinished frames over the limit cost whoever holds most, and only those', () => {
  const refused: string[] = [];
  const limits = new AddressLimits({ ...none, unfinishedBytesMax: 100 });
  const budget = limits.enter('a', 0);
  assert(budget);
  const [large, small, late] = ['large', 'small', 'late'].map((name) => ({
    refuse: (reason: string) => {
      refused.push(`${name}: ${reason}`);
    },
  }));
  assert(large && small && late);
  budget.hold(small, 10);
  budget.hold(large, 80);
  budget.hold(large, 90);
  assert.deepEqual(refused, [], 'as many as there may be');
  budget.hold(late, 1);
  assert.deepEqual(refused, ['large: 100 bytes of unfinished frames of this address']);
  assert.equal(budget.unfinishedBytes, 11);
  budget.hold(small, 0);
  budget.hold(late, 100);
  assert.equal(refused.length, 1, 'what is complete does not count');
  budget.hold(late, 101);
  assert.equal(refused.length, 2, 'the one that asks may be the one that holds most');
  assert.equal(budget.unfinishedBytes, 0);
  const other = limits.enter('b', 0);
  other?.hold(small, 100);
  assert.equal(refused.length, 2, 'each address has its own');
});
