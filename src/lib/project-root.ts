/**
 * Where the package lies on disk: compiled code finds data files (workloads, test fixtures) by it,
 * wherever it was compiled to.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let found: string | undefined;

export function projectRoot(): string {
  if (found !== undefined) return found;
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error('package.json not found above the compiled code');
    directory = parent;
  }
  found = directory;
  return directory;
}
