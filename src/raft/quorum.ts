/**
 * What a majority has reached: the median of what each member has reached.
 */
import assert from 'node:assert/strict';

export const quorumSize = (members: number): number => Math.floor(members / 2) + 1;

/**
 * The highest value that a majority has reached or passed. Sorts `reached` in place (the caller
 * keeps one scratch array, because this runs once per acknowledgement).
 */
export function reachedByQuorum(reached: number[]): number {
  assert(reached.length > 0, 'a group has at least one member');
  // Insertion sort, descending: groups have three or five members.
  for (let i = 1; i < reached.length; i += 1) {
    const value = at(reached, i);
    let j = i - 1;
    while (j >= 0 && at(reached, j) < value) {
      reached[j + 1] = at(reached, j);
      j -= 1;
    }
    reached[j + 1] = value;
  }
  return at(reached, quorumSize(reached.length) - 1);
}

function at(values: readonly number[], index: number): number {
  return values[index] as number; // Every caller's index is within the array.
}
