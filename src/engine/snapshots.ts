/**
 * Snapshots of the state machine: when one is taken, how it is written beside the work, and how one
 * from the leader takes the state's place.
 *
 * One part is written per turn, so the world goes on; entries applied meanwhile are not in it.
 */
import { type LogIndex, logIndex } from '../lib/brand.js';
import type { Clock } from '../lib/clock.js';
import type { Logger } from '../lib/logger.js';
import type { SnapshotHead } from '../raft/types.js';
import { StoreError } from '../storage/errors.js';
import type { LogStore, SnapshotWriter, StoredSnapshot } from '../storage/log-store.js';
import type { StateMachine } from './state-machine.js';

export interface SnapshotPolicy {
  /** Applied since the last snapshot, before the next is taken. Default 100,000. */
  readonly everyEntries?: number;
  /** Bytes of bodies applied since. Default 64 MiB. */
  readonly everyBytes?: number;
  /** Entries kept before a snapshot's end, for followers that lag a little. Default 20,000. */
  readonly entriesKept?: number;
}

export interface SnapshotsOptions {
  readonly policy: SnapshotPolicy;
  readonly store: LogStore;
  readonly stateMachine: StateMachine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly headAt: (index: LogIndex) => SnapshotHead;
  /** Somebody is receiving the store's snapshot, which the next one would take away. */
  readonly isSending: () => boolean;
  /** The store has a new snapshot, and has dropped what it no longer needs. */
  readonly onTaken: (snapshot: StoredSnapshot) => void;
  readonly onFatal: (error: Error) => void;
}

/** Parts of this size are read back when a state is restored. */
const PART_BYTES = 256 << 10;
/** While one is being sent, the next waits for so many times as much; else a slow receiver might never see an end. */
const PATIENCE = 4;
/** After a failed attempt. */
const RETRY_MS = 5_000;

export class Snapshots {
  readonly #options: SnapshotsOptions;
  #isTaking = false;
  #isStopped = false;
  #notBeforeMs = 0;
  #bytesSince = 0;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  /** An entry with so many bytes was applied. */
  applied(bytes: number): void {
    this.#bytesSince += bytes;
  }

  /** Takes one if it is time. */
  consider(appliedIndex: LogIndex): void {
    const { clock, policy, store } = this.#options;
    if (this.#isTaking || this.#isStopped) return;
    const entries = appliedIndex - (store.snapshot?.index ?? 0);
    const isDue = (times: number) =>
      entries >= (policy.everyEntries ?? 100_000) * times ||
      this.#bytesSince >= (policy.everyBytes ?? 64 << 20) * times;
    if (entries === 0 || !isDue(1) || clock.nowMs() < this.#notBeforeMs) return;
    if (this.#options.isSending() && !isDue(PATIENCE)) return;
    this.#isTaking = true;
    this.#bytesSince = 0;
    void this.#take(appliedIndex).then(
      () => {
        this.#isTaking = false;
      },
      (error: unknown) => {
        this.#isTaking = false;
        this.#notBeforeMs = clock.nowMs() + RETRY_MS;
        if (this.#isStopped) return;
        if (!(error instanceof StoreError)) throw error;
        if (error.code !== 'STORE_FULL') this.#options.onFatal(error);
        else this.#options.logger.warn({ err: error }, 'no snapshot was taken');
      },
    );
  }

  /** The state becomes the store's snapshot. */
  async restore(): Promise<void> {
    const { stateMachine, store } = this.#options;
    const sink = stateMachine.restore();
    const { totalBytes = 0 } = store.snapshot ?? {};
    for (let offset = 0; offset < totalBytes; ) {
      const part = store.readSnapshot(offset, PART_BYTES);
      await sink.write(part);
      offset += part.length;
    }
    if (!this.#isStopped) await sink.end();
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #take(index: LogIndex): Promise<void> {
    const { clock, headAt, policy, stateMachine, store } = this.#options;
    const source = stateMachine.snapshot();
    let writer: SnapshotWriter;
    try {
      writer = store.beginSnapshot(headAt(index));
      for (;;) {
        const part = await source.next();
        if (this.#isStopped) return;
        if (part === null) break;
        writer.write(part);
        await new Promise<void>((resolve) => clock.endOfTurn(resolve));
        if (this.#isStopped) return;
      }
    } finally {
      source.close();
    }
    await new Promise<void>((resolve, reject) => {
      writer.commit((error) => (error === undefined ? resolve() : reject(error)));
    });
    const { snapshot } = store;
    // The leader's snapshot may have come first, and be newer.
    if (this.#isStopped || snapshot?.index !== index) return;
    store.compact(logIndex(Math.max(0, index - (policy.entriesKept ?? 20_000))));
    this.#options.onTaken(snapshot);
  }
}
