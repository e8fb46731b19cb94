/**
 * What a run tells its checkers. Every call is made at the moment when it becomes true.
 */
import type { LogIndex, Term } from '../lib/brand.js';
import type { Entry, SnapshotHead } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';

export interface Observer {
  /** A process began with what this store holds. */
  started(member: string, life: number, store: LogStore): void;
  /** It was ended from outside. */
  ended(member: string): void;
  /** It ended itself, for a reason that its design foresees (a damaged or failing disk). */
  failed(member: string, error: Error): void;
  /** It met a bug of ours. */
  crashed(member: string, error: Error): void;
  logged(member: string, level: 'info' | 'warn' | 'error', message: string, fields: object): void;
  role(member: string, role: string, term: Term, isServing: boolean): void;
  appended(member: string, entries: readonly Entry[]): void;
  truncated(member: string, after: LogIndex): void;
  /** The leader's snapshot is this member's state and the beginning of its log. */
  installed(member: string, head: SnapshotHead): void;
  /** Its own snapshot of `index` was taken, and the log begins here now. */
  compacted(member: string, index: LogIndex, firstIndex: LogIndex): void;
  applied(member: string, entry: Entry): void;
  /** The leader told whoever proposed it that this entry is committed and applied. */
  acknowledged(member: string, index: LogIndex): void;
  readBegun(member: string): number;
  /** @param read what `readBegun` returned. */
  readProved(member: string, read: number, appliedIndex: LogIndex): void;
}
