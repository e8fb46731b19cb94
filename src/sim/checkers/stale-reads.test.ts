import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Operation } from '../history.js';
import { checkStaleReads } from './stale-reads.js';

type Kind = 'put' | 'delete' | 'stale-get';

/** `end` null: nobody answered. */
function call(kind: Kind, value: number | null, begin: number, end: number | null): Operation {
  return {
    client: 'a',
    partition: 'key',
    input: { kind, value, expected: null, maxStalenessMs: null },
    invokedAtMs: begin,
    returnedAtMs: end ?? Number.POSITIVE_INFINITY,
    outcome: end === null ? 'indefinite' : 'ok',
    output: { done: true, value: null, stalenessMs: 0 },
    why: '',
  };
}
const put = (value: number, begin: number, end: number | null) => call('put', value, begin, end);
const read = (value: number | null, at: number, stalenessMs: number, maxStalenessMs = 1_000) => ({
  ...call('stale-get', null, at, at + 5),
  input: { kind: 'stale-get', value: null, expected: null, maxStalenessMs },
  output: { done: true, value, stalenessMs },
});

const cases: readonly {
  readonly name: string;
  readonly operations: readonly Operation[];
  readonly isWrong: boolean;
}[] = [
  {
    name: 'what was overwritten within its age',
    operations: [put(1, 0, 10), put(2, 100, 110), read(1, 200, 150)],
    isWrong: false,
  },
  {
    name: 'what was overwritten before that',
    operations: [put(1, 0, 10), put(2, 100, 110), read(1, 200, 50)],
    isWrong: true,
  },
  {
    name: 'an honest age, older than was asked for',
    operations: [put(1, 0, 10), put(2, 100, 110), read(1, 200, 150, 50)],
    isWrong: true,
  },
  {
    name: 'what an unanswered write may have put back',
    operations: [put(1, 0, null), put(2, 100, 110), read(1, 500, 0)],
    isWrong: false,
  },
  {
    name: 'writes that were beside each other',
    operations: [put(1, 0, 50), put(2, 40, 110), read(1, 500, 0)],
    isWrong: false,
  },
  {
    name: 'nothing, where something was written',
    operations: [put(1, 0, 10), read(null, 500, 100)],
    isWrong: true,
  },
  {
    name: 'nothing, after a deletion',
    operations: [put(1, 0, 10), call('delete', null, 20, 30), read(null, 500, 100)],
    isWrong: false,
  },
  {
    name: 'what nobody had begun to write',
    operations: [read(1, 0, 0), put(1, 50, 60)],
    isWrong: true,
  },
];
for (const { isWrong, name, operations } of cases) {
  test(`a stale read of ${name} is ${isWrong ? 'wrong' : 'right'}`, () => {
    if (isWrong) assert.throws(() => checkStaleReads(operations), { checker: 'stale-reads' });
    else checkStaleReads(operations);
  });
}
