/**
 * A leader's reign is not ended by those who are outside the core.
 *
 * Why: a member that is deaf, or was removed unawares, must not depose leaders whom all others follow
 * (thesis §4.2.3; Jensen et al., "Examining Raft's behaviour during partial network failures", 2021). Each
 * election stops all writes for a while, and an outsider can cause one after the other.
 */
import { Violation } from './violation.js';

/** Who led, and in which term, at the beginning and at the end of a time in which nothing struck. */
export interface Calm {
  readonly before: string;
  readonly after: string;
  /** Where the end of a reign has a reason of its own. */
  readonly mayEnd: boolean;
  /** For people: who was outside, and how all are. */
  readonly outside: string;
  state(): string;
}

export function checkReign({ after, before, mayEnd, outside, state }: Calm): void {
  if (mayEnd || after === before) return;
  throw new Violation('core-undisturbed', `${before} was over with ${outside}: ${state()}`);
}
