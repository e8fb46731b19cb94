/**
 * What the log drives: committed entries go in, snapshots come out and go back in.
 *
 * A snapshot may be read while entries are applied; it shows the state of the moment it was begun.
 */
import type { Entry } from '../raft/types.js';

/** The bytes of a state, part by part. */
export interface SnapshotSource {
  /**
   * The next part, of bounded size and made in bounded time (a few milliseconds); null at the end.
   * A rejection means that no snapshot can be had now; the log keeps its entries and tries later.
   */
  next(): Promise<Uint8Array | null>;
  /** Called once, after the end or instead of it. */
  close(): void;
}

/** Takes the bytes that a `SnapshotSource` gave, cut anywhere. */
export interface SnapshotSink {
  write(part: Uint8Array): Promise<void>;
  /** The state is now what was written: never half of it. Rejects when the bytes are damaged. */
  end(): Promise<void>;
}

export interface StateMachine {
  /** Called once per committed data entry, in log order, on every member. */
  apply(entry: Entry): void;
  snapshot(): SnapshotSource;
  restore(): SnapshotSink;
}
