/**
 * A proved read sees every write that was acknowledged, anywhere, before the read began.
 *
 * Why: it is what "linearizable read" means, and where Raft implementations fail most often: an
 * index taken before the leader committed in its own term, an old round that confirms a new read,
 * a lease that outlives the leadership.
 */
import { Violation } from './violation.js';

/** Reads that begin and end; more than this at once is a leak of the run. */
const OPEN_MAX = 100_000;

export class ReadIndexNeverStale {
  readonly #open = new Map<number, number>();
  #next = 1;

  /** @param acknowledgedMax the highest index acknowledged to anyone by now. */
  begun(acknowledgedMax: number): number {
    const read = this.#next;
    this.#next += 1;
    if (this.#open.size >= OPEN_MAX) this.#open.clear();
    this.#open.set(read, acknowledgedMax);
    return read;
  }

  proved(member: string, read: number, appliedIndex: number): void {
    const needs = this.#open.get(read);
    this.#open.delete(read);
    if (needs === undefined || appliedIndex >= needs) return;
    throw new Violation(
      'read-index-never-stale',
      `${member} proved a read at index ${appliedIndex}; entry ${needs} had been acknowledged before it began`,
    );
  }
}
