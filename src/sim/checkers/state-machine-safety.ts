/**
 * State-machine safety: no two members apply different entries at one index, and each applies its own log,
 * in its order, every entry once.
 *
 * Why: it is what all the rest of Raft is for (paper §5.4.3). Members that applied otherwise have told their
 * clients otherwise, and nothing brings them together again.
 */
import type { Entry } from '../../raft/types.js';
import type { Applied, Written } from '../replicated-log.js';
import { Violation } from './violation.js';

const violation = (what: string): Violation => new Violation('state-machine-safety', what);

/** @param last what this member applied before */
export function checkOrder(member: string, index: number, last: number): void {
  if (index <= last) throw violation(`${member} applied entry ${index} after entry ${last}`);
}

/** @returns what the member's log holds in the entry's place */
export function checkIsInLog(
  member: string,
  { index, term }: Entry,
  written: Written | undefined,
): Written {
  if (written === undefined || written.term !== term) {
    throw violation(
      `${member} applied entry ${index} of term ${term}, which its log does not hold`,
    );
  }
  return written;
}

/** @param known what was applied first at this index */
export function checkIsSame(
  member: string,
  { index, term }: Entry,
  written: Written,
  known: Applied,
): void {
  if (known.chain === written.chain) return;
  throw violation(
    `at index ${index} ${member} applied an entry of term ${term}, ${known.by} another of term ${known.term}`,
  );
}

/** Of entries that are not given to the state machine, before one that is. */
export function checkIsKnown(
  member: string,
  index: number,
  at: number,
  written: Written | undefined,
): Written {
  if (written !== undefined) return written;
  throw violation(`${member} applied entry ${index} without having seen entry ${at}`);
}

/** @returns what was applied at a snapshot's end */
export function checkSnapshot(index: number, applied: Applied | undefined): Applied {
  if (applied !== undefined) return applied;
  throw violation(`a snapshot holds entry ${index}, which nobody has applied`);
}
