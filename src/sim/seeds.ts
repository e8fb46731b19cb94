/**
 * Seeds that follow from what the tree holds: whoever has the same tree runs the same batch, and
 * every change of the code meets new seeds.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What decides how a run goes. */
const FOLDERS = ['src', 'baseline', 'optimized'];

/** @returns the first seed of the batch, in [1, 2³⁰]. */
export function firstSeedOfTree(root: string): number {
  const hash = createHash('sha256');
  for (const folder of FOLDERS) {
    const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    for (const file of files) {
      // The name as it is everywhere, not where this copy happens to lie.
      hash.update(file.slice(root.length).replaceAll('\\', '/')).update('\0');
      hash.update(readFileSync(file)).update('\0');
    }
  }
  return 1 + (hash.digest().readUInt32BE(0) % 2 ** 30);
}
