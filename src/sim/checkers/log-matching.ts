/**
 * Log matching: two logs that agree on (index, term) of an entry agree on everything up to it.
 *
 * Why: it is what makes one comparison of the last place enough for a push (Raft paper §5.3). A follower
 * that keeps an entry of another history, or skips one, goes unnoticed until it leads.
 */
import { Violation } from './violation.js';

export class LogMatching {
  /** Chains by `index:term`, by whoever wrote such an entry first. */
  readonly #chains = new Map<string, { readonly chain: number; readonly by: string }>();

  /**
   * @param length of the member's log before the entry
   * @param chain of the entry and of all before it
   */
  appended(member: string, length: number, index: number, term: number, chain: number): void {
    if (index !== length + 1) {
      throw new Violation('log-matching', `${member} wrote entry ${index} after entry ${length}`);
    }
    const key = `${index}:${term}`;
    const known = this.#chains.get(key);
    if (known === undefined) this.#chains.set(key, { chain, by: member });
    else if (known.chain !== chain) {
      throw new Violation(
        'log-matching',
        `${member} and ${known.by} have different logs up to entry ${index} of term ${term}`,
      );
    }
  }
}
