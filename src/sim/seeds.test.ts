/** The batch of a tree depends on the tree and on nothing else. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { firstSeedOfTree } from './seeds.js';

test('equal trees have equal seeds, wherever they lie; any change brings others', (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'quorumark-seeds-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const one = join(parent, 'one');
  for (const folder of ['src/a', 'baseline', 'optimized']) {
    mkdirSync(join(one, folder), { recursive: true });
    writeFileSync(join(one, folder, 'x.ts'), folder);
  }
  const other = join(parent, 'the-other');
  cpSync(one, other, { recursive: true });
  assert.equal(firstSeedOfTree(one), firstSeedOfTree(other));
  writeFileSync(join(other, 'optimized', 'x.ts'), 'changed');
  assert.notEqual(firstSeedOfTree(one), firstSeedOfTree(other));
});
