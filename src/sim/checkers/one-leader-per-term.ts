/**
 * At most one member leads in a term, over all its lives.
 *
 * Why: everything else in Raft rests on it (paper §5.2, Election Safety). Two leaders in one term
 * write different entries under the same (term, index), and no later check can tell them apart. A
 * vote that was promised before it was on disk, or given twice, shows here first.
 */
import type { Term } from '../../lib/brand.js';
import { Violation } from './violation.js';

export class OneLeaderPerTerm {
  /** Member and life that led, by term. */
  readonly #leaders = new Map<Term, string>();

  led(member: string, life: number, term: Term): void {
    const leader = `${member} (life ${life})`;
    const known = this.#leaders.get(term);
    if (known !== undefined && known !== leader) {
      throw new Violation('one-leader-per-term', `${known} and ${leader} both led in term ${term}`);
    }
    this.#leaders.set(term, leader);
  }
}
