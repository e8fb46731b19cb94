/**
 * The port to durable storage: one member's log, term and vote.
 *
 * Appends are asynchronous in their durability but ordered; reads see what was appended at once.
 */
import type { LogIndex, Term } from '../lib/brand.js';
import type { Entry, HardState, TermRun } from '../raft/types.js';

/**
 * When an append counts as done.
 * - `background`: when written to the page cache; flushed every 10 ms behind the ack (upstream's way).
 * - `group`: after an fdatasync that all appends waiting for it share.
 * - `each`: after an fdatasync of its own.
 */
export type Durability = 'background' | 'group' | 'each';

export interface LogStore {
  /** The last index, 0 when empty. */
  readonly lastIndex: LogIndex;
  readonly hardState: HardState;
  /** Terms of the whole log, oldest first. */
  termRuns(): readonly TermRun[];
  /**
   * Adds entries after `lastIndex`. `done` is called once, never before `append` returned, when
   * they are as durable as the policy asks, or with the error that made the store unusable.
   */
  append(entries: readonly Entry[], done: (error?: Error) => void): void;
  /** Removes every entry after `index`, durably enough that it cannot come back after a later append. */
  truncate(after: LogIndex): void;
  /** Entries from `first` to at most `last`, at least one, stopping once `bytesMax` is passed. */
  entries(first: LogIndex, last: LogIndex, bytesMax: number): readonly Entry[];
  /** Returns when term and vote are synced. Rare (elections), so it may block. */
  saveHardState(state: HardState): void;
  termAt(index: LogIndex): Term;
  /** Syncs what is unsynced and releases the store. */
  close(): Promise<void>;
}
