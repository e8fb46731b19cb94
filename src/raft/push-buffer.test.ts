/** Early pushes: sorted, bounded, one for each place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logIndex, term } from '../lib/brand.js';
import { type Push, PushBuffer } from './push-buffer.js';

const cases: readonly {
  readonly name: string;
  readonly kept: readonly (readonly [number, number])[];
  readonly end: number;
  readonly taken: string;
}[] = [
  {
    name: 'used in order',
    kept: [
      [5, 1],
      [4, 1],
      [6, 1],
    ],
    end: 4,
    taken: '4+1 5+1 6+1',
  },
  {
    name: 'not before the gap is filled',
    kept: [
      [5, 1],
      [6, 1],
    ],
    end: 4,
    taken: '',
  },
  {
    name: 'up to the next gap',
    kept: [
      [4, 1],
      [6, 1],
    ],
    end: 4,
    taken: '4+1',
  },
  {
    name: 'of two for one place the longer',
    kept: [
      [4, 1],
      [4, 3],
      [4, 2],
    ],
    end: 4,
    taken: '4+3',
  },
  {
    name: 'overlaps are handed out too',
    kept: [
      [5, 4],
      [6, 1],
    ],
    end: 7,
    taken: '5+4 6+1',
  },
  {
    name: 'a fourth is dropped',
    kept: [
      [7, 1],
      [6, 1],
      [5, 1],
      [4, 1],
    ],
    end: 5,
    taken: '5+1 6+1 7+1',
  },
];

for (const { name, kept, end, taken } of cases) {
  test(`early pushes: ${name}`, () => {
    const buffer = new PushBuffer(3);
    for (const [prev, length] of kept) buffer.keep(push(prev, length));
    const out: string[] = [];
    let reached = end;
    for (;;) {
      const next = buffer.takeFollowing(logIndex(reached));
      if (next === undefined) break;
      out.push(`${next.prevIndex}+${next.entries.length}`);
      reached = Math.max(reached, next.prevIndex + next.entries.length);
    }
    assert.equal(out.join(' '), taken);
  });
}

function push(prev: number, length: number): Push {
  return {
    kind: 'push',
    from: 'n1',
    to: 'n2',
    term: term(1),
    prevIndex: logIndex(prev),
    prevTerm: term(1),
    commitIndex: logIndex(0),
    entries: Array.from({ length }, (_, i) => ({
      term: term(1),
      index: logIndex(prev + i + 1),
      kind: 'data',
      body: new Uint8Array(0),
    })),
  };
}
