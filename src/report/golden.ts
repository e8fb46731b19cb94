/** Golden files for tests: compared as text, rewritten by `UPDATE_GOLDEN=1`, reviewed as a diff. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectRoot } from '../lib/project-root.js';

/** @param name below `src/report/testdata`, for example `charts/bars.json`. */
export function matchesGolden(name: string, actual: string): void {
  const file = join(projectRoot(), 'src/report/testdata', name);
  const { UPDATE_GOLDEN } = process.env;
  if (UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, actual);
  }
  assert.equal(actual, readFileSync(file, 'utf8'), `${name} differs; UPDATE_GOLDEN=1 rewrites it`);
}
