/**
 * The port to durable storage: one member's log, snapshot, term and vote.
 *
 * Appends are asynchronous in their durability but ordered; reads see what was appended at once.
 * The log begins somewhere at or before the entry after the snapshot: `compact` decides where.
 */
import type { LogIndex, Term } from '../lib/brand.js';
import type { Configuration, Entry, HardState, SnapshotHead, TermRun } from '../raft/types.js';

/**
 * When an append counts as done.
 * - `background`: when written to the page cache; flushed every 10 ms behind the ack (upstream's way).
 * - `group`: after an fdatasync that all appends waiting for it share.
 * - `each`: after an fdatasync of its own.
 */
export type Durability = 'background' | 'group' | 'each';

/** The snapshot that a store holds whole and durable. */
export interface StoredSnapshot extends SnapshotHead {
  readonly totalBytes: number;
}

/** A snapshot being written: parts in order, then one of the two ends. */
export interface SnapshotWriter {
  /** @throws {StoreError} STORE_FULL, and the draft is gone; anything else makes the store unusable. */
  write(part: Uint8Array): void;
  /**
   * Makes it the store's snapshot, durably and atomically: a crash leaves the old or the new.
   * `done` is called once, never before this returned.
   */
  commit(done: (error?: Error) => void): void;
  /** Forgets what was written. */
  abort(): void;
}

export interface LogStore {
  /** The index of the first entry held; `lastIndex + 1` when none is. */
  readonly firstIndex: LogIndex;
  /** The last index; the snapshot's when the log is empty, 0 when there is neither. */
  readonly lastIndex: LogIndex;
  readonly hardState: HardState;
  /** null: none was ever taken, and the log begins at 1. */
  readonly snapshot: StoredSnapshot | null;
  /** Terms of the entries held, oldest first; the first run is cut to `firstIndex`. */
  termRuns(): readonly TermRun[];
  /** The configurations among the entries held, oldest first. */
  configurations(): readonly {
    readonly index: LogIndex;
    readonly configuration: Configuration;
  }[];
  /**
   * Adds entries after `lastIndex`. `done` is called once, never before `append` returned, when
   * they are as durable as the policy asks, or with the error that made the store unusable.
   * A full disk is different: `append` throws STORE_FULL before anything was written, `done` is
   * never called, and the store goes on; the same append may be tried again later.
   */
  append(entries: readonly Entry[], done: (error?: Error) => void): void;
  /** Removes every entry after `index`, durably enough that it cannot come back after a later append. */
  truncate(after: LogIndex): void;
  /** Entries from `first` (not before `firstIndex`) to at most `last`, at least one, stopping once `bytesMax` is passed. */
  entries(first: LogIndex, last: LogIndex, bytesMax: number): readonly Entry[];
  /** Returns when term and vote are synced. Rare (elections), so it may block. */
  saveHardState(state: HardState): void;
  /** Of an entry held, or of the snapshot's own index. */
  termAt(index: LogIndex): Term;

  /** One at a time: beginning another aborts the first. */
  beginSnapshot(head: SnapshotHead): SnapshotWriter;
  /** Part of the store's snapshot; empty at its end. `bytesMax` at most. */
  readSnapshot(offset: number, bytesMax: number): Uint8Array;
  /**
   * Adds a part of the snapshot of another member. Offset 0 begins anew and forgets what was
   * received of any other; else the part begins where the last one ended.
   *
   * @throws {StoreError} as `SnapshotWriter.write`.
   */
  receiveSnapshot(head: SnapshotHead, offset: number, part: Uint8Array): void;
  /**
   * Makes what was received the store's snapshot, atomically. Keeps the log after `head.index` if
   * that entry is held with `head.term`; else drops all of it. Returns when that is durable.
   *
   * @throws {StoreError} STORE_FULL, and what was received is gone, and nothing else has changed;
   *   anything else makes the store unusable.
   */
  installSnapshot(head: SnapshotHead): void;
  /** Deletes entries up to `index` (at most the snapshot's) as far as that frees whole segments. */
  compact(upTo: LogIndex): void;
  /** Whether an append is likely to fit again after STORE_FULL. Cheap. */
  hasRoom(): boolean;
  /**
   * Damage was found, and what could not be trusted was put aside: the member may have acknowledged
   * entries up to here that it no longer holds. 0: none. Survives restarts until `caughtUp`.
   */
  readonly mustCatchUpTo: LogIndex;
  /** The log holds again what was committed up to `mustCatchUpTo`. */
  caughtUp(): void;

  /** Syncs what is unsynced and releases the store. */
  close(): Promise<void>;
}
