/**
 * A log in memory, with the promises of the one on disk, for tests and simulation.
 *
 * `completion: 'manual'` leaves it to the test when appends become durable; `crash` gives the store
 * that a restart would find: term and vote, and of the log only what was durable by then.
 */
import assert from 'node:assert/strict';
import { type LogIndex, logIndex, type Term, term } from '../lib/brand.js';
import { decodeConfiguration } from '../raft/configuration.js';
import type { Entry, HardState, SnapshotHead, TermRun } from '../raft/types.js';
import { Batch } from './batch.js';
import { StoreError } from './errors.js';
import type { LogStore, SnapshotWriter, StoredSnapshot } from './log-store.js';
import { TermLog } from './term-log.js';

export interface MemoryStoreOptions {
  /** `at-once`: durable and done in the turn of the append. `manual`: when the test calls `sync`. */
  readonly completion: 'at-once' | 'manual';
}

export class MemoryStore implements LogStore {
  readonly #completion: MemoryStoreOptions['completion'];
  /** Entry n is at n - firstIndex. */
  #entries: Entry[] = [];
  #first = logIndex(1);
  #snapshot: StoredSnapshot | null = null;
  #snapshotBytes = new Uint8Array(0);
  #incoming: { readonly head: SnapshotHead; bytes: Uint8Array } | null = null;
  /** Tests fill the disk and free it. */
  isFull = false;
  readonly #terms = new TermLog();
  #hardState: HardState = { term: term(0), votedFor: null };
  #durable = logIndex(0);
  #waiting: ((error?: Error) => void)[] = [];
  #failure: Error | undefined;
  #isClosed = false;

  constructor(options: MemoryStoreOptions = { completion: 'at-once' }) {
    this.#completion = options.completion;
  }

  get firstIndex(): LogIndex {
    return this.#first;
  }

  get lastIndex(): LogIndex {
    return logIndex(this.#first + this.#entries.length - 1);
  }

  get snapshot(): StoredSnapshot | null {
    return this.#snapshot;
  }

  get mustCatchUpTo(): LogIndex {
    return logIndex(0);
  }

  caughtUp(): void {}

  hasRoom(): boolean {
    return !this.isFull;
  }

  configurations(): ReturnType<LogStore['configurations']> {
    return this.#entries
      .filter(({ kind }) => kind === 'configuration')
      .map(({ body, index }) => ({ index, configuration: decodeConfiguration(body) }));
  }

  beginSnapshot(head: SnapshotHead): SnapshotWriter {
    const parts: Uint8Array[] = [];
    return {
      write: (part) => {
        if (this.isFull) throw new StoreError('STORE_FULL', 'the disk is full');
        parts.push(part.slice());
      },
      commit: (done) => {
        queueMicrotask(() => {
          if (head.index > (this.#snapshot?.index ?? 0)) this.#keep(head, Buffer.concat(parts));
          done();
        });
      },
      abort: () => {
        parts.length = 0;
      },
    };
  }

  readSnapshot(offset: number, bytesMax: number): Uint8Array {
    return this.#snapshotBytes.subarray(offset, offset + bytesMax);
  }

  receiveSnapshot(head: SnapshotHead, offset: number, part: Uint8Array): void {
    if (offset === 0) this.#incoming = { head, bytes: new Uint8Array(0) };
    const incoming = this.#incoming;
    assert(incoming?.bytes.length === offset, 'a part that nothing leads up to');
    incoming.bytes = Buffer.concat([incoming.bytes, part]);
  }

  installSnapshot(head: SnapshotHead): void {
    const incoming = this.#incoming;
    assert(incoming !== null && incoming.head.index === head.index, 'nothing was received');
    if (this.isFull) {
      this.#incoming = null;
      throw new StoreError('STORE_FULL', 'the disk is full: no room for a snapshot');
    }
    const { index, term: headTerm } = head;
    const isHeld =
      index >= this.#first && index <= this.lastIndex && this.#terms.at(index) === headTerm;
    this.#keep(head, incoming.bytes);
    this.#incoming = null;
    if (isHeld) return;
    this.#entries = [];
    this.#terms.clear();
    this.#first = logIndex(index + 1);
    this.#durable = index;
  }

  compact(upTo: LogIndex): void {
    const first = logIndex(Math.min(upTo, this.#snapshot?.index ?? 0) + 1);
    if (first <= this.#first) return;
    this.#entries = this.#entries.slice(first - this.#first);
    this.#first = first;
    this.#terms.compact(first);
    if (this.#entries.length === 0) this.#terms.clear();
  }

  #keep(head: SnapshotHead, bytes: Uint8Array): void {
    this.#snapshot = { ...head, totalBytes: bytes.length };
    this.#snapshotBytes = new Uint8Array(bytes);
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
    if (this.#snapshot?.index === index) return this.#snapshot.term;
    return this.#terms.at(index);
  }

  append(entries: readonly Entry[], done: (error?: Error) => void): void {
    assert(!this.#isClosed, 'append to a closed store');
    assert(entries.length > 0, 'an append of nothing');
    if (this.isFull) throw new StoreError('STORE_FULL', 'the disk is full: nothing was written');
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
    this.#entries.length = after - this.#first + 1;
    this.#terms.truncate(after);
    // As on disk, a cut syncs what it leaves, so nothing has to wait any more.
    this.#durable = after;
    const gone = this.#waiting.splice(0);
    queueMicrotask(() => {
      for (const done of gone) done();
    });
  }

  entries(first: LogIndex, last: LogIndex, bytesMax: number): readonly Entry[] {
    assert(
      first >= this.#first && first <= last && last <= this.lastIndex,
      `no entries ${first}..${last}`,
    );
    const batch = new Batch(bytesMax);
    for (let index: number = first; index <= last && !batch.isFull; index += 1) {
      const entry = this.#entries[index - this.#first];
      assert(entry !== undefined, `entry ${index} is missing`);
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
    restarted.#first = this.#first;
    restarted.#snapshot = this.#snapshot;
    restarted.#snapshotBytes = this.#snapshotBytes;
    const durable = Math.max(0, this.#durable - this.#first + 1);
    for (const entry of this.#entries.slice(0, durable)) restarted.#add(entry);
    restarted.#durable = restarted.lastIndex;
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
