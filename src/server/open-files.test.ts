/** As many connections as configured, unless the system has not the files for them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionsThatFit } from './open-files.js';

const rows = [
  { configured: 10_000, files: Number.POSITIVE_INFINITY, fit: 10_000 },
  { configured: 10_000, files: 20_000, fit: 10_000 },
  { configured: 10_000, files: 10_512, fit: 10_000 },
  { configured: 10_000, files: 4_096, fit: 3_584 },
  { configured: 10_000, files: 256, fit: 128 },
  { configured: 100, files: 256, fit: 100 },
];
for (const { configured, files, fit } of rows) {
  test(`${configured} connections, ${files} files: ${fit}`, () => {
    assert.equal(connectionsThatFit(configured, files), fit);
  });
}
