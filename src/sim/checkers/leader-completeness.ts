/**
 * Leader completeness: whoever leads holds all that was committed in its term or before.
 *
 * Why: a leader never asks what others have committed, it takes its own log for the truth (Raft paper
 * §5.4). One that lacks an entry cuts it from every other log. Chance hides that where the cut is late.
 */
import type { Applied, Written } from '../replicated-log.js';
import { Violation } from './violation.js';

/** @param applied what was applied first, by anyone; entry n at n - 1 */
export function checkLeader(
  member: string,
  term: number,
  log: readonly Written[],
  applied: readonly Applied[],
): void {
  for (let index = applied.length; index >= 1; index -= 1) {
    const known = applied[index - 1];
    // It may have been elected long ago, and hear of it now.
    if (known === undefined || known.committedBy > term) continue;
    // A chain stands for all before it: the last one is enough.
    if (log[index - 1]?.chain === known.chain) return;
    throw new Violation(
      'leader-completeness',
      `${member} leads term ${term} without entry ${index} of term ${known.term}, which ${known.by} has applied`,
    );
  }
}
