/** What every reference store must hold: of two who change a record, who saw less is refused. */
import assert from 'node:assert/strict';
import type { ReferenceClient } from '../reference.js';

/** One client changes, another that saw less is fenced, reads, and changes. */
export async function fences(first: ReferenceClient, second: ReferenceClient): Promise<void> {
  await first.prepare(3);
  await second.read(2);
  assert.equal(await first.write(2), 'ok');
  assert.equal(await first.write(2), 'ok');
  assert.equal(await second.write(2), 'fenced');
  assert.equal(await second.read(2), 'ok');
  assert.equal(await second.write(2), 'ok');
  assert.equal(await first.write(2), 'fenced');
}
