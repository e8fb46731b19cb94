/** The log of terms, against a plain array of terms. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { logIndex, term } from '../lib/brand.js';
import { TermLog } from './log.js';

test('runs answer as an array of terms would, through appends and truncations', () => {
  const change = fc.record({
    cut: fc.nat(3),
    raise: fc.nat(2),
    add: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const log = new TermLog([], logIndex(0));
      const terms: number[] = [];
      let now = 1;
      for (const { cut, raise, add } of changes) {
        if (cut > 0 && cut <= terms.length) {
          terms.length -= cut;
          log.truncate(logIndex(terms.length));
        }
        now += raise;
        for (let i = 0; i < add; i += 1) terms.push(now);
        log.append(logIndex(terms.length), term(now));

        assert.equal(log.lastIndex, terms.length);
        assert.equal(log.lastTerm, terms.at(-1) ?? 0);
        for (let index = 0; index <= terms.length; index += 1) {
          const at = index === 0 ? 0 : (terms[index - 1] as number);
          assert.equal(log.termAt(logIndex(index)), at);
          assert.equal(log.runStart(logIndex(index)), index === 0 ? 0 : terms.indexOf(at) + 1);
          assert(log.holds(logIndex(index), term(at)));
          assert(!log.holds(logIndex(index), term(at + 1)));
        }
      }
    }),
    { seed: 1 },
  );
});

test('beyond the end nothing is held', () => {
  const log = new TermLog([{ first: logIndex(1), term: term(2) }], logIndex(3));
  assert(!log.holds(logIndex(4), term(2)));
  assert.throws(() => log.termAt(logIndex(4)), /beyond the end/);
});

const broken = [
  {
    name: 'a run after the end',
    runs: [
      [1, 1],
      [5, 2],
    ],
    last: 4,
  },
  {
    name: 'falling terms',
    runs: [
      [1, 2],
      [3, 1],
    ],
    last: 4,
  },
  { name: 'a log that begins later than at 1', runs: [[2, 1]], last: 4 },
  { name: 'entries without a term', runs: [], last: 4 },
] as const;

for (const { name, runs, last } of broken) {
  test(`${name} is refused at the start`, () => {
    const restored = runs.map(([first, of]) => ({ first: logIndex(first), term: term(of) }));
    assert.throws(() => new TermLog(restored, logIndex(last)), assert.AssertionError);
  });
}
