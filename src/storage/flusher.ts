/**
 * Decides when an append counts as done, and when the file is synced for it.
 *
 * At most one sync runs at a time. What it covers is fixed when it starts: an append that was
 * written later may have reached the disk with it, or not, and waits for the next.
 *
 * Appends that wait are bounded by the caller: each holds an entry that the engine counts as
 * uncommitted, and the engine refuses proposals beyond its bound.
 */
import assert from 'node:assert/strict';
import { type LogIndex, logIndex } from '../lib/brand.js';
import type { Cancel, Clock } from '../lib/clock.js';
import { StoreError } from './errors.js';
import type { Durability } from './log-store.js';

type Done = (error?: Error) => void;

export interface FlusherOptions {
  readonly durability: Durability;
  /** Between syncs of the `background` policy. */
  readonly intervalMs: number;
  readonly clock: Clock;
  /** Starts a sync of all that is written. */
  readonly sync: (done: (error: Error | null) => void) => void;
  /** Called after each sync, whatever came of it. */
  readonly afterSync: () => void;
  readonly onFailure: (failure: StoreError) => void;
}

export class Flusher {
  readonly #options: FlusherOptions;
  /** Appends not yet done, oldest first. */
  #waiting: { readonly last: LogIndex; readonly done: Done }[] = [];
  /** How many of them are as durable as they need to be and will hear of it in this turn. */
  #ready = 0;
  #written: LogIndex;
  #synced: LogIndex;
  #isSyncing = false;
  #isStopped = false;
  /** Counts blocking syncs: a sync that started before one has nothing left to say. */
  #epoch = 0;
  #cancelTimer: Cancel | undefined;
  #failure: StoreError | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(last: LogIndex, options: FlusherOptions) {
    this.#options = options;
    this.#written = last;
    this.#synced = last;
  }

  /** Set once, for good: after a failed sync nobody knows what the disk holds. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  /** Everything up to here has been covered by a sync. */
  get synced(): LogIndex {
    return this.#synced;
  }

  get isDirty(): boolean {
    return this.#written > this.#synced;
  }

  get isSyncing(): boolean {
    return this.#isSyncing;
  }

  /** Entries up to `last` are in the page cache. `done` is never called before this returned. */
  wrote(last: LogIndex, done: Done): void {
    this.#written = last;
    this.#waiting.push({ last, done });
    if (this.#options.durability === 'background') {
      this.#settleSoon(this.#waiting.length);
      this.#armTimer();
    } else if (!this.#isSyncing) {
      this.#startSync();
    }
  }

  /** The caller has synced by a blocking call, and the log now ends with `last`. */
  allSynced(last: LogIndex): void {
    this.#epoch += 1;
    this.#written = last;
    this.#synced = last;
    this.#settleSoon(this.#waiting.length);
  }

  /** Every append that waits, and every one to come, ends with this error. */
  fail(cause: unknown): StoreError {
    if (this.#failure !== undefined) return this.#failure;
    const why = cause instanceof Error ? cause.message : String(cause);
    const failure = new StoreError('STORE_UNUSABLE', `store is unusable: ${why}`, { cause });
    this.#failure = failure;
    this.#cancelTimer?.();
    this.#settleSoon(this.#waiting.length);
    this.#options.onFailure(failure);
    return failure;
  }

  /** Answers an append that could not be written, after those before it. */
  refuse(done: Done): void {
    this.#waiting.push({ last: this.#written, done });
    this.#settleSoon(this.#waiting.length);
  }

  /** Starts no sync by timer any more; resolves when none runs and no append waits. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTimer?.();
    if (!this.#isSyncing) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  #settleSoon(count: number): void {
    if (this.#ready === 0 && count > 0) queueMicrotask(() => this.#settle());
    this.#ready = count;
  }

  #settle(): void {
    const ready = this.#waiting.splice(0, this.#ready);
    this.#ready = 0;
    for (const { done } of ready) done(this.#failure);
  }

  #startSync(): void {
    const { durability } = this.#options;
    // Those that are ready leave the queue before this sync ends.
    const upTo = durability === 'each' ? this.#ready + 1 : this.#waiting.length;
    const covered = upTo - this.#ready;
    const last = durability === 'background' ? this.#written : this.#waiting[upTo - 1]?.last;
    assert(last !== undefined, 'a sync with nothing to cover');
    const epoch = this.#epoch;
    this.#isSyncing = true;
    this.#options.sync((error) => {
      this.#isSyncing = false;
      this.#options.afterSync();
      if (error !== null) this.fail(error);
      else if (epoch === this.#epoch) this.#ended(covered, last);
      this.#next();
      if (!this.#isSyncing) for (const resolve of this.#whenIdle.splice(0)) resolve();
    });
  }

  #ended(covered: number, last: LogIndex): void {
    this.#synced = logIndex(Math.max(this.#synced, last));
    if (this.#options.durability === 'background') return;
    this.#ready = covered;
  }

  /** The next sync starts before the appends of this one hear of it, so disk and CPU overlap. */
  #next(): void {
    if (this.#failure !== undefined) return;
    if (this.#options.durability === 'background') {
      if (this.isDirty) this.#armTimer();
      return;
    }
    if (this.#waiting.length > this.#ready) this.#startSync();
    this.#settle();
  }

  #armTimer(): void {
    if (this.#cancelTimer !== undefined || this.#isSyncing || this.#isStopped) return;
    this.#cancelTimer = this.#options.clock.after(this.#options.intervalMs, () => {
      this.#cancelTimer = undefined;
      if (this.isDirty) this.#startSync();
    });
  }
}
