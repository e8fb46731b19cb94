/** Module loader hooks that plant one mutant: they run on Node's loader thread. */
import { fileURLToPath } from 'node:url';
import { applyEdit, type Mutant } from './mutant.js';

interface LoadResult {
  readonly format: string;
  readonly shortCircuit?: boolean;
  readonly source?: string | ArrayBuffer | Uint8Array;
}

type NextLoad = (url: string, context: unknown) => Promise<LoadResult>;

let planted: Mutant | null = null;

export function initialize(mutant: Mutant): void {
  planted = mutant;
}

export async function load(url: string, context: unknown, next: NextLoad): Promise<LoadResult> {
  const loaded = await next(url, context);
  if (planted === null || !url.startsWith('file:') || loaded.source === undefined) return loaded;
  const path = fileURLToPath(url);
  const edits = planted.edits.filter(({ file }) => path.endsWith(`/${file}`));
  if (edits.length === 0) return loaded;
  let source =
    typeof loaded.source === 'string'
      ? loaded.source
      : Buffer.from(loaded.source as Uint8Array).toString();
  for (const edit of edits) source = applyEdit(source, edit, planted.name);
  return { ...loaded, source };
}
