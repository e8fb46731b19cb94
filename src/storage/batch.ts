/** Collects entries for one answer: at least one, then as many as fit within a bound of body bytes. */
import type { Entry } from '../raft/types.js';

export class Batch {
  readonly entries: Entry[] = [];
  readonly #bytesMax: number;
  #bytes = 0;
  #isFull = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** True once an entry was refused; it takes no more, so that no gap can arise. */
  get isFull(): boolean {
    return this.#isFull;
  }

  offer(entry: Entry): void {
    const bytes = this.#bytes + entry.body.length;
    if (this.#isFull || (this.entries.length > 0 && bytes > this.#bytesMax)) {
      this.#isFull = true;
      return;
    }
    this.#bytes = bytes;
    this.entries.push(entry);
  }
}
