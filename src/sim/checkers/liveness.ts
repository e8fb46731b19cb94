/**
 * In bounded time after healing somebody serves, and all members have applied all that was written.
 *
 * Why: a group that does nothing breaks no promise of safety. What blocks for ever (a candidate that never
 * asks, a follower that is never sent what it lacks, a proof that nobody answers) is found by nothing else.
 */
import type { LogEngine } from '../../engine/log-engine.js';
import { Violation } from './violation.js';

export interface Member {
  readonly id: string;
  readonly isRunning: boolean;
  readonly log: LogEngine | null;
}

/** Whether all of the group follow this leader, and nothing is left to be done. */
export function servesAndAgrees(leader: Member | undefined, group: readonly Member[]): boolean {
  if (leader === undefined) return false;
  const { id, log } = leader;
  return group.every(
    (member) =>
      member.isRunning &&
      member.log?.status.leader === id &&
      member.log.appliedIndex === log?.commitIndex &&
      log?.lastIndex === log?.commitIndex,
  );
}

/** @param when it was not so */
export const disagreement = (when: string, state: string): Violation =>
  new Violation('liveness', `${when}: ${state}`);
