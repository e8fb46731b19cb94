/**
 * Puts a new file in the place of an old one so that a crash at any time leaves one of the two, whole:
 * written aside, synced, renamed, and the directory synced.
 */
import { dirname } from 'node:path';
import type { FileSystem } from './files.js';

/** Where `replaceFile` writes first; a crash may leave it there. */
export const draftOf = (path: string): string => `${path}.new`;

/**
 * Returns when the new content is durable.
 *
 * @param mode of the new file; what a crash left of an earlier draft is overwritten
 */
export function replaceFile(files: FileSystem, path: string, content: Buffer, mode?: number): void {
  const draft = draftOf(path);
  const file = files.open(draft, 'w', mode);
  try {
    files.write(file, content, content.length, 0);
    files.sync(file);
  } finally {
    files.close(file);
  }
  files.rename(draft, path);
  files.syncDirectory(dirname(path));
}
