/**
 * The newest entries in memory, within a bound of bytes: what followers in step are sent, and what
 * is applied next, is read from here and not from disk.
 */
import type { LogIndex } from '../lib/brand.js';
import type { Entry } from '../raft/types.js';

/** Rough cost of the objects around one body, so that many empty bodies count too. */
const ENTRY_OVERHEAD_BYTES = 128;

export class EntryTail {
  readonly #bytesMax: number;
  #entries: (Entry | undefined)[] = [];
  /** Slots before it are emptied, and dropped from the array in bulk. */
  #head = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The oldest index held; Infinity when nothing is. */
  get first(): number {
    return this.#entries[this.#head]?.index ?? Number.POSITIVE_INFINITY;
  }

  /** Keeps the log's next entry; the oldest give way, and one greater than the bound is not kept. */
  add(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += cost(entry);
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#entries[this.#head];
      if (oldest === undefined) break;
      this.#bytes -= cost(oldest);
      this.#entries[this.#head] = undefined;
      this.#head += 1;
    }
    if (this.#head >= 1_024 && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The entry of an index that is held: from `first` to the log's last. */
  at(index: LogIndex): Entry | undefined {
    return this.#entries[this.#head + index - this.first];
  }

  clear(): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  truncate(after: LogIndex): void {
    while (this.#entries.length > this.#head) {
      const newest = this.#entries.at(-1);
      if (newest === undefined || newest.index <= after) break;
      this.#entries.pop();
      this.#bytes -= cost(newest);
    }
    if (this.#entries.length === this.#head) {
      this.#entries = [];
      this.#head = 0;
    }
  }
}

function cost(entry: Entry): number {
  return entry.body.length + ENTRY_OVERHEAD_BYTES;
}
