/**
 * A member starts in no lower term than it knew in its life before.
 *
 * Why: a term is a promise not to vote in it again (Raft paper, figure 2: `currentTerm` and `votedFor` are
 * on stable storage). Whoever forgets one may vote twice, and two leaders of one term follow only later,
 * if at all.
 */
import type { Term } from '../../lib/brand.js';
import { Violation } from './violation.js';

export class TermsOnlyRise {
  readonly #known = new Map<string, number>();

  /** The highest term that this member was in, in any life. */
  of(member: string): number {
    return this.#known.get(member) ?? 0;
  }

  reached(member: string, term: Term): void {
    this.#known.set(member, Math.max(this.of(member), term));
  }

  started(member: string, term: Term): void {
    const known = this.of(member);
    if (term >= known) return;
    throw new Violation(
      'terms-only-rise',
      `${member} knew term ${known} and started in term ${term}`,
    );
  }
}
