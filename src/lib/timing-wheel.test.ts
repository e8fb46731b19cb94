import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TimingWheel } from './timing-wheel.js';

type Step =
  | { readonly add: string; readonly at: number }
  | { readonly remove: string; readonly was: boolean }
  | { readonly advance: number; readonly due: string };

/** Ticks of 10 ms, 4 slots: one round is 40 ms. */
const cases: readonly { readonly name: string; readonly steps: readonly Step[] }[] = [
  {
    name: 'an item is due at its deadline, not before, and once',
    steps: [
      { add: 'a', at: 25 },
      { advance: 24, due: '' },
      { advance: 25, due: 'a' },
      { advance: 90, due: '' },
    ],
  },
  {
    name: 'items come in the order of their deadlines, then of their adding',
    steps: [
      { add: 'late', at: 31 },
      { add: 'first', at: 12 },
      { add: 'second', at: 12 },
      { advance: 35, due: 'first second late' },
    ],
  },
  {
    name: 'a deadline that moves later is not due at the old one',
    steps: [
      { add: 'a', at: 15 },
      { add: 'a', at: 33 },
      { advance: 20, due: '' },
      { advance: 32, due: '' },
      { advance: 33, due: 'a' },
    ],
  },
  {
    name: 'a deadline that moves earlier is due at the new one',
    steps: [
      { advance: 0, due: '' },
      { add: 'a', at: 39 },
      { add: 'a', at: 5 },
      { advance: 6, due: 'a' },
      { advance: 60, due: '' },
    ],
  },
  {
    name: 'a deadline several rounds away waits for its round',
    steps: [
      { advance: 0, due: '' },
      { add: 'a', at: 205 },
      { advance: 45, due: '' },
      { advance: 204, due: '' },
      { advance: 205, due: 'a' },
    ],
  },
  {
    name: 'a past deadline is due at the next look',
    steps: [
      { advance: 100, due: '' },
      { add: 'a', at: 7 },
      { advance: 100, due: 'a' },
    ],
  },
  {
    name: 'what was removed is not due, and can come back',
    steps: [
      { add: 'a', at: 10 },
      { remove: 'a', was: true },
      { remove: 'a', was: false },
      { advance: 50, due: '' },
      { add: 'a', at: 60 },
      { advance: 60, due: 'a' },
    ],
  },
  {
    name: 'a long sleep finds everything that fell due in it',
    steps: [
      { advance: 0, due: '' },
      { add: 'a', at: 11 },
      { add: 'b', at: 999 },
      { add: 'c', at: 1_001 },
      { advance: 1_000, due: 'a b' },
      { advance: 1_001, due: 'c' },
    ],
  },
  {
    name: 'time that goes back changes nothing',
    steps: [
      { advance: 100, due: '' },
      { add: 'a', at: 105 },
      { advance: 50, due: '' },
      { advance: 105, due: 'a' },
    ],
  },
];

for (const { name, steps } of cases) {
  test(name, () => {
    const wheel = new TimingWheel<string>({ tickMs: 10, slots: 4 });
    for (const step of steps) {
      if ('add' in step) wheel.add(step.add, step.at);
      else if ('remove' in step) assert.equal(wheel.remove(step.remove), step.was);
      else assert.equal(wheel.advance(step.advance).join(' '), step.due);
    }
  });
}

test('a wheel behaves like a list that is searched from end to end', () => {
  const action = fc.oneof(
    fc.record({
      kind: fc.constant('add' as const),
      item: fc.nat(5),
      inMs: fc.integer({ min: -50, max: 400 }),
    }),
    fc.record({ kind: fc.constant('remove' as const), item: fc.nat(5) }),
    fc.record({ kind: fc.constant('advance' as const), byMs: fc.nat(60) }),
  );
  fc.assert(
    fc.property(
      fc.array(action, { maxLength: 80 }),
      fc.integer({ min: 1, max: 64 }),
      fc.constantFrom(1, 7, 10, 0.5),
      (actions, slots, tickMs) => {
        const wheel = new TimingWheel<number>({ tickMs, slots });
        let model: { item: number; deadlineMs: number }[] = [];
        let nowMs = 1_000;
        wheel.advance(nowMs);
        for (const step of actions) {
          if (step.kind === 'add') {
            const deadlineMs = nowMs + step.inMs;
            wheel.add(step.item, deadlineMs);
            model = model.filter(({ item }) => item !== step.item);
            model.push({ item: step.item, deadlineMs });
          } else if (step.kind === 'remove') {
            assert.equal(
              wheel.remove(step.item),
              model.some(({ item }) => item === step.item),
            );
            model = model.filter(({ item }) => item !== step.item);
          } else {
            nowMs += step.byMs;
            const due = model.filter(({ deadlineMs }) => deadlineMs <= nowMs);
            due.sort((a, b) => a.deadlineMs - b.deadlineMs);
            model = model.filter(({ deadlineMs }) => deadlineMs > nowMs);
            assert.deepEqual(
              wheel.advance(nowMs),
              due.map(({ item }) => item),
            );
          }
          assert.equal(wheel.size, model.length);
          const { nextMs } = wheel;
          assert.equal(nextMs === null, model.length === 0);
          if (nextMs === null) continue;
          const earliestMs = Math.min(...model.map(({ deadlineMs }) => deadlineMs));
          assert(nextMs <= Math.max(earliestMs, nowMs) + tickMs, 'nobody is woken too late');
          if (step.kind === 'advance') assert(nextMs > nowMs, 'nobody is woken at once');
        }
      },
    ),
    { seed: 20_261_122, numRuns: 500 },
  );
});
