/** The median, whatever the order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quorumSize, reachedByQuorum } from './quorum.js';

const cases: readonly { readonly reached: readonly number[]; readonly quorum: number }[] = [
  { reached: [7], quorum: 7 },
  { reached: [7, 3], quorum: 3 },
  { reached: [3, 7, 5], quorum: 5 },
  { reached: [0, 9, 0], quorum: 0 },
  { reached: [1, 2, 3, 4], quorum: 2 },
  { reached: [5, 1, 4, 2, 3], quorum: 3 },
  { reached: [4, 4, 4, 0, 0], quorum: 4 },
];

for (const { reached, quorum } of cases) {
  test(`of ${reached.join(', ')} a quorum has reached ${quorum}`, () => {
    assert.equal(reachedByQuorum([...reached]), quorum);
    assert.equal(reachedByQuorum([...reached].reverse()), quorum);
  });
}

test('a quorum is more than half', () => {
  assert.deepEqual([1, 2, 3, 4, 5].map(quorumSize), [1, 2, 2, 3, 3]);
});
