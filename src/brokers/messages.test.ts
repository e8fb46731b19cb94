import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { acknowledged, audit, failedAttempts, missingOf } from './messages.js';

/** A body as the Java client makes it, here by hand. */
function hash(id: number): string {
  const head = `run:${id}:`;
  const letters = Array.from({ length: 1024 - head.length }, (_, at) =>
    String.fromCharCode(97 + ((head.length + at + id) % 26)),
  );
  return createHash('sha1')
    .update(`${head}${letters.join('')}`)
    .digest('hex');
}

const read = (id: number, as = hash(id)): string => `read ${id} ${as}`;
const sent = acknowledged(['acked 1 1000', 'acked 2 1005', 'acked 3 1010']);

const cases: readonly {
  readonly name: string;
  readonly lines: readonly string[];
  readonly is: ReturnType<typeof audit> | RegExp;
}[] = [
  {
    name: 'all there, in any order',
    lines: [read(3), read(1), read(2), 'done 3'],
    is: { found: 3, duplicates: 0 },
  },
  {
    name: 'a message twice is a duplicate, not a loss',
    lines: [read(1), read(2), read(2), read(3)],
    is: { found: 3, duplicates: 1 },
  },
  {
    name: 'a message that was never acknowledged may be there',
    lines: [read(1), read(2), read(3), read(4)],
    is: { found: 4, duplicates: 0 },
  },
  {
    name: 'a missing message is named',
    lines: [read(1), read(3)],
    is: /^acknowledged, but not read: 2$/,
  },
  {
    name: 'a changed message is named',
    lines: [read(1), read(2, hash(1)), read(3)],
    is: /^read, but not as they were sent: 2$/,
  },
  {
    name: 'what was received was not read',
    lines: [`received 1 ${hash(1)} 1000`, read(2), read(3)],
    is: /^acknowledged, but not read: 1$/,
  },
];
for (const { name, lines, is } of cases) {
  test(`audit: ${name}`, () => {
    const run = () => audit('run', sent, lines, 'read');
    if (is instanceof RegExp) assert.throws(run, { message: is });
    else assert.deepEqual(run(), is);
  });
}

test('the lines of a producer: what was acknowledged, and attempts that were not', () => {
  const lines = ['acked 1 1000', 'failed 2 1001 SLAVE_NOT_AVAILABLE', 'acked 2 1050', 'done 2'];
  assert.deepEqual(acknowledged(lines), [
    { id: 1, atMs: 1000 },
    { id: 2, atMs: 1050 },
  ]);
  assert.equal(failedAttempts(lines), 1);
});

test('what is missing so far is what a consumer has yet to receive', () => {
  const lines = ['started', 'received 1 x 5', 'received 1 x 6', 'received 3 y 7'];
  assert.deepEqual(missingOf(sent, lines, 'received'), [2]);
});
