/**
 * What a mutant is: a known bug, planted on purpose in one member's code.
 *
 * A mutant is a change of compiled text, made while the module is loaded (`hooks.ts`). So shipped
 * code has no branch for it, no flag can turn it on, and only a process that was started with
 * `register.ts` can have one.
 */
import type { SimOverrides } from '../swarm.js';

export interface Edit {
  /** From the root of the build, for example `src/raft/raft.js`. */
  readonly file: string;
  /** Occurs exactly once in the file as compiled, blanks counted as one. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  /** What is wrong, in a sentence. */
  readonly bug: string;
  /** Where the field met it. */
  readonly source: string;
  readonly edits: readonly Edit[];
  /** Which options bring the bug out, where not every seed can: see `Swarm`. */
  readonly needs?: SimOverrides;
}

/** @throws {Error} when the text is not there exactly once: the mutant no longer fits the code. */
export function applyEdit(source: string, edit: Edit, name: string): string {
  const pattern = new RegExp(
    edit.find
      .trim()
      .split(/\s+/)
      .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('\\s+'),
    'g',
  );
  const found = source.match(pattern)?.length ?? 0;
  if (found !== 1) throw new Error(`mutant ${name}: ${edit.file} has its text ${found} times`);
  return source.replace(pattern, () => edit.replace);
}
