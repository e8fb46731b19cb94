/**
 * A log is taken for damaged only where something was damaged.
 *
 * Why: what a crash leaves behind, a torn tail or a file without a header, must be told from damage. Who
 * takes a crash for damage drops a whole log and fetches it anew, or refuses to start; the group goes on,
 * and nobody would notice, until two members do it at once.
 */
import { Violation } from './violation.js';

/** @param damaged members whose disks were damaged, or lied, in this run */
export function checkRebuild(member: string, damaged: ReadonlySet<string>): void {
  if (damaged.has(member)) return;
  throw new Violation(
    'no-false-damage',
    `${member} dropped its log as damaged, and nothing but crashes ever happened to it`,
  );
}
