/** Which term each entry of a log has, kept as runs: a log has few terms and many entries. */
import assert from 'node:assert/strict';
import { type LogIndex, type Term, term } from '../lib/brand.js';
import type { TermRun } from '../raft/types.js';

export class TermLog {
  #runs: TermRun[] = [];

  get runs(): readonly TermRun[] {
    return this.#runs.slice();
  }

  get lastTerm(): Term {
    return this.#runs.at(-1)?.term ?? term(0);
  }

  /** Takes note of the log's next entry. Terms never fall. */
  add(index: LogIndex, entryTerm: Term): void {
    const last = this.lastTerm;
    assert(entryTerm >= last, `entry ${index} has term ${entryTerm} after term ${last}`);
    if (entryTerm > last || this.#runs.length === 0) {
      this.#runs.push({ first: index, term: entryTerm });
    }
  }

  /** The log begins at `first` now; what came before is forgotten. */
  compact(first: LogIndex): void {
    while ((this.#runs[1]?.first ?? Number.POSITIVE_INFINITY) <= first) this.#runs.shift();
    const [run] = this.#runs;
    if (run !== undefined && run.first < first) this.#runs[0] = { first, term: run.term };
  }

  clear(): void {
    this.#runs = [];
  }

  truncate(after: LogIndex): void {
    while ((this.#runs.at(-1)?.first ?? 0) > after) this.#runs.pop();
  }

  /** The term of an entry that the log holds; 0 before the log. */
  at(index: LogIndex): Term {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle]?.first ?? 0) <= index) low = middle + 1;
      else high = middle;
    }
    return this.#runs[low - 1]?.term ?? term(0);
  }
}
