/** Whoever objects to a run is a checker: it has a file here, and the file says why it exists. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../lib/project-root.js';

const ROOT = join(projectRoot(), 'src', 'sim');
const HERE = /^checkers[\\/]/;

const objectors = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
  .filter(({ text }) => text.includes('new Violation('));

test('every checker has its place and its reason', () => {
  assert(objectors.length > 10, 'the checkers were not found');
  for (const { path, text } of objectors) {
    assert.match(path, HERE);
    const opening = text.slice(0, text.indexOf('*/'));
    assert.match(opening, /Why\b/, path);
  }
});
