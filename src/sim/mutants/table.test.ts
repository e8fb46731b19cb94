/** Every mutant still fits the code that it changes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { applyEdit } from './mutant.js';
import { mutants } from './table.js';

/** Of the build that this test belongs to. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

for (const { edits, name } of mutants) {
  test(`mutant ${name} changes the text that it means`, () => {
    const changed = new Map<string, string>();
    for (const edit of edits) {
      const before = changed.get(edit.file) ?? readFileSync(`${ROOT}${edit.file}`, 'utf8');
      const after = applyEdit(before, edit, name);
      assert.notEqual(after, before);
      changed.set(edit.file, after);
    }
  });
}

test('no two mutants share a name', () => {
  assert.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length);
});
