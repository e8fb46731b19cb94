/**
 * A log in memory, with the promises of the one on disk, for tests and simulation.
 *
 * `completion: 'manual'` leaves it to the test when appends become durable; `crash` gives the store
 * that a restart would find: term and vote, and of the log only what was durable by then.
 */
import assert from 'node:assert/strict';
import { type LogIndex, logIndex, type Term, term } from '../lib/brand.js';
import type { Entry, HardState, TermRun } from '../raft/types.js';
import { Batch } from './batch.js';
import type { LogStore } from './log-store.js';
import { TermLog } from './term-log.js';

export interface MemoryStoreOptions {
  /** `at-once`: durable and done in the turn of the append. `manual`: when the test calls `sync`. */
  readonly completion: 'at-once' | 'manual';
}

export class MemoryStore implements LogStore {
  readonly #completion: MemoryStoreOptions['completion'];
  readonly #entries: Entry[] = [];
  readonly #terms = new TermLog();
  #hardState: HardState = { term: term(0), votedFor: null };
  #durable = logIndex(0);
  #waiting: ((error?: Error) => void)[] = [];
  #failure: Error | undefined;
  #isClosed = false;

  constructor(options: MemoryStoreOptions = { completion: 'at-once' }) {
    this.#completion = options.completion;
  }

  get lastIndex(): LogIndex {
    return logIndex(this.#entries.length);
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  /** Appends whose `done` has not been called. */
  get waiting(): number {
    return this.#waiting.length;
  }

  termRuns(): readonly TermRun[] {
    return this.#terms.runs;
  }

  termAt(index: LogIndex): Term {
    assert(index <= this.lastIndex, `entry ${index} is behind the last, ${this.lastIndex}`);
    return this.#terms.at(index);
  }

  append(entries: readonly Entry[], done: (error?: Error) => void): void {
    assert(!this.#isClosed, 'append to a closed store');
    assert(entries.length > 0, 'an append of nothing');
    if (this.#failure === undefined) for (const entry of entries) this.#add(entry);
    this.#waiting.push(done);
    if (this.#completion === 'at-once' || this.#failure !== undefined) {
      queueMicrotask(() => this.sync());
    }
  }

  truncate(after: LogIndex): void {
    assert(!this.#isClosed, 'truncate of a closed store');
    assert(after <= this.lastIndex, `truncate after ${after} of ${this.lastIndex}`);
    if (this.#failure !== undefined) throw this.#failure;
    if (after === this.lastIndex) return;
    this.#entries.length = after;
    this.#terms.truncate(after);
    // As on disk, a cut syncs what it leaves, so nothing has to wait any more.
    this.#durable = after;
    const gone = this.#waiting.splice(0);
    queueMicrotask(() => {
      for (const done of gone) done();
    });
  }

  entries(first: LogIndex, last: LogIndex, bytesMax: number): readonly Entry[] {
    assert(first >= 1 && first <= last && last <= this.lastIndex, `no entries ${first}..${last}`);
    const batch = new Batch(bytesMax);
    for (let i = first - 1; i < last && !batch.isFull; i += 1) {
      const entry = this.#entries[i];
      assert(entry !== undefined, `entry ${i + 1} is missing`);
      batch.offer(entry);
    }
    return batch.entries;
  }

  saveHardState(state: HardState): void {
    assert(!this.#isClosed, 'vote in a closed store');
    assert(state.term >= this.#hardState.term, `term ${state.term} < ${this.#hardState.term}`);
    if (this.#failure !== undefined) throw this.#failure;
    this.#hardState = state;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.sync();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Makes everything appended so far durable and calls its `done`, oldest first. */
  sync(): void {
    if (this.#failure === undefined) this.#durable = this.lastIndex;
    this.#settle();
  }

  /** The disk breaks: every append that waits, and every later one, ends with `failure`. */
  fail(failure: Error): void {
    this.#failure = failure;
    queueMicrotask(() => this.#settle());
  }

  /** The store after a crash and a restart. This one must not be used any more. */
  crash(): MemoryStore {
    this.#isClosed = true;
    this.#waiting = [];
    const restarted = new MemoryStore({ completion: this.#completion });
    restarted.#hardState = this.#hardState;
    for (const entry of this.#entries.slice(0, this.#durable)) restarted.#add(entry);
    restarted.#durable = this.#durable;
    return restarted;
  }

  #add(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, `entry ${entry.index} after ${this.lastIndex}`);
    this.#terms.add(entry.index, entry.term);
    this.#entries.push(entry);
  }

  #settle(): void {
    for (const done of this.#waiting.splice(0)) done(this.#failure);
  }
}
