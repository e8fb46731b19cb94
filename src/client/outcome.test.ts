import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientFailureCode } from './errors.js';
import { outcomeOf } from './outcome.js';

const cases: readonly {
  readonly name: string;
  readonly got: ClientFailureCode | number;
  readonly write: string;
  readonly read: string;
}[] = [
  { name: 'success', got: 0, write: 'ok', read: 'ok' },
  {
    name: 'an exception, which may follow the append',
    got: 1,
    write: 'indefinite',
    read: 'rejected',
  },
  { name: 'a JRaft failure', got: 2015, write: 'indefinite', read: 'rejected' },
  { name: 'busy', got: 2, write: 'rejected', read: 'rejected' },
  { name: 'an unsupported code', got: 3, write: 'rejected', read: 'rejected' },
  { name: 'a fenced epoch', got: 2000, write: 'rejected', read: 'rejected' },
  { name: 'not leader', got: 2007, write: 'rejected', read: 'rejected' },
  { name: 'a full window', got: 'SHED', write: 'rejected', read: 'rejected' },
  { name: 'a refused connection', got: 'REFUSED', write: 'rejected', read: 'rejected' },
  { name: 'a timeout', got: 'TIMEOUT', write: 'indefinite', read: 'rejected' },
  { name: 'a lost connection', got: 'CONNECTION_LOST', write: 'indefinite', read: 'rejected' },
];
for (const { name, got, write, read } of cases) {
  test(`${name} is ${write} for a write and ${read} for a read`, () => {
    const failure = typeof got === 'string' ? got : null;
    const reply = typeof got === 'number' ? { ...empty, code: got } : null;
    const why = got === 0 ? {} : { why: got };
    assert.deepEqual(outcomeOf('write', failure, reply), { kind: write, ...why });
    assert.deepEqual(outcomeOf('read', failure, reply), { kind: read, ...why });
  });
}

const empty = {
  language: 'JAVA',
  version: 0,
  opaque: 1,
  flag: 1,
  remark: null,
  extFields: null,
  body: null,
};
