/**
 * The snapshots in a store's directory: the one that counts, one being taken, one being received.
 *
 * A snapshot counts once its file has its final name and the directory is synced. Until then a crash
 * leaves the one before.
 */
import { join } from 'node:path';
import { type LogIndex, logIndex } from '../lib/brand.js';
import type { SnapshotHead } from '../raft/types.js';
import { isFullDisk, StoreError } from './errors.js';
import type { FileSystem } from './files.js';
import type { SnapshotWriter, StoredSnapshot } from './log-store.js';
import { readSnapshotData, readSnapshotHead, SnapshotDraft } from './snapshot-file.js';

const NAME = /^(\d{20})\.snapshot$/;
const TAKEN = 'taken.draft';
const RECEIVED = 'received.draft';
const CHECK_BYTES = 1 << 20;
/** Free when a snapshot is installed: its name, and the segment that follows it, must not fail any more. */
const ROOM_BYTES = 64 << 10;

export interface ShelfOptions {
  readonly files: FileSystem;
  readonly directory: string;
  readonly snapshot: StoredSnapshot | null;
  /** A write or sync failed: the store is of no use any more. */
  readonly onFailure: (cause: unknown) => Error;
}

export class SnapshotShelf {
  readonly #options: ShelfOptions;
  #snapshot: StoredSnapshot | null;
  #taken: SnapshotDraft | null = null;
  #received: SnapshotDraft | null = null;

  constructor(options: ShelfOptions) {
    this.#options = options;
    this.#snapshot = options.snapshot;
  }

  get snapshot(): StoredSnapshot | null {
    return this.#snapshot;
  }

  /** @param committed told when the snapshot counts. */
  begin(head: SnapshotHead, committed: (snapshot: StoredSnapshot) => void): SnapshotWriter {
    this.#taken?.close();
    this.#taken = null;
    const draft = this.#draft(TAKEN, head);
    this.#taken = draft;
    return {
      write: (part) => {
        if (this.#taken === draft) this.#guarded(draft, () => draft.write(part));
      },
      commit: (done) => this.#commit(draft, committed, done),
      abort: () => this.#drop(draft),
    };
  }

  read(offset: number, bytesMax: number): Uint8Array {
    const { directory, files } = this.#options;
    const snapshot = this.#snapshot;
    if (snapshot === null) return new Uint8Array(0);
    const path = join(directory, nameOf(snapshot.index));
    return readSnapshotData(files, path, snapshot.totalBytes, offset, bytesMax);
  }

  receive(head: SnapshotHead, offset: number, part: Uint8Array): void {
    if (offset === 0) {
      this.#received?.close();
      this.#received = null;
      this.#received = this.#draft(RECEIVED, head);
    }
    const draft = this.#received;
    if (draft === null || !isSame(draft.head, head) || draft.totalBytes !== offset) {
      throw new Error(`a snapshot part at ${offset} that nothing leads up to`);
    }
    this.#guarded(draft, () => draft.write(part));
  }

  /**
   * What was received counts from now on. Returns when that is durable.
   *
   * @throws {StoreError} STORE_FULL, and what was received is gone; anything else ends the store.
   */
  install(head: SnapshotHead): StoredSnapshot {
    const draft = this.#received;
    if (draft === null || !isSame(draft.head, head)) throw new Error('nothing was received');
    const { directory, files } = this.#options;
    const snapshot = this.#guarded(draft, () => {
      const finished = draft.finish();
      draft.sync();
      if (files.freeBytes(directory) < ROOM_BYTES) {
        throw Object.assign(new Error('no room for what follows a snapshot'), { code: 'ENOSPC' });
      }
      return finished;
    });
    this.#received = null;
    draft.close();
    try {
      this.#putInPlace(draft.path, snapshot);
    } catch (cause) {
      throw this.#options.onFailure(cause);
    }
    return snapshot;
  }

  close(): void {
    this.#taken?.close();
    this.#received?.close();
    this.#taken = null;
    this.#received = null;
  }

  #commit(
    draft: SnapshotDraft,
    committed: (snapshot: StoredSnapshot) => void,
    done: (error?: Error) => void,
  ): void {
    if (this.#taken !== draft) {
      queueMicrotask(() => done(new StoreError('STORE_FULL', 'another snapshot was begun')));
      return;
    }
    let snapshot: StoredSnapshot;
    try {
      snapshot = this.#guarded(draft, () => draft.finish());
    } catch (error) {
      queueMicrotask(() => done(error as Error));
      return;
    }
    draft.syncSoon((error) => {
      if (this.#taken !== draft) {
        done(new StoreError('STORE_FULL', 'another snapshot was begun'));
        return;
      }
      if (error !== null) {
        done(this.#refused(error, draft));
        return;
      }
      this.#taken = null;
      draft.close();
      try {
        // While it was synced a newer one may have come from the leader.
        if (snapshot.index > (this.#snapshot?.index ?? 0)) {
          this.#putInPlace(draft.path, snapshot);
          committed(snapshot);
        } else {
          this.#options.files.remove(draft.path);
        }
      } catch (cause) {
        done(this.#options.onFailure(cause));
        return;
      }
      done();
    });
  }

  #putInPlace(draftPath: string, snapshot: StoredSnapshot): void {
    const { directory, files } = this.#options;
    files.rename(draftPath, join(directory, nameOf(snapshot.index)));
    files.syncDirectory(directory);
    const old = this.#snapshot;
    this.#snapshot = snapshot;
    if (old === null || old.index === snapshot.index) return;
    files.remove(join(directory, nameOf(old.index)));
    files.syncDirectory(directory);
  }

  #draft(name: string, head: SnapshotHead): SnapshotDraft {
    const { directory, files } = this.#options;
    return this.#guarded(null, () => new SnapshotDraft(files, join(directory, name), head));
  }

  /** A draft that leads nowhere leaves its room to others. */
  #drop(draft: SnapshotDraft): void {
    draft.close();
    if (this.#taken !== draft && this.#received !== draft) return;
    if (this.#taken === draft) this.#taken = null;
    else this.#received = null;
    this.#options.files.remove(draft.path);
  }

  #guarded<Result>(draft: SnapshotDraft | null, action: () => Result): Result {
    try {
      return action();
    } catch (cause) {
      throw this.#refused(cause, draft);
    }
  }

  /** Want of room costs the draft, anything else the store. */
  #refused(cause: unknown, draft: SnapshotDraft | null): Error {
    if (!isFullDisk(cause)) return this.#options.onFailure(cause);
    try {
      if (draft !== null) this.#drop(draft);
    } catch (failure) {
      return this.#options.onFailure(failure);
    }
    return new StoreError('STORE_FULL', 'the disk is full: no room for a snapshot', { cause });
  }
}

const isSame = (one: SnapshotHead, other: SnapshotHead): boolean =>
  one.index === other.index && one.term === other.term;

const nameOf = (index: LogIndex): string => `${String(index).padStart(20, '0')}.snapshot`;

export const isSnapshotName = (name: string): boolean => NAME.test(name);

/**
 * The newest snapshot in a directory; older ones and drafts are what a crash left, and are removed.
 *
 * @throws {StoreError} STORE_CORRUPT, STORE_FORMAT_UNKNOWN
 */
export function findSnapshot(
  files: FileSystem,
  directory: string,
  names: readonly string[],
): StoredSnapshot | null {
  for (const draft of [TAKEN, RECEIVED]) {
    if (names.includes(draft)) files.remove(join(directory, draft));
  }
  const found = names.filter(isSnapshotName).sort();
  const newest = found.at(-1);
  if (newest === undefined) return null;
  const snapshot = readSnapshotHead(files, join(directory, newest));
  const named = logIndex(Number(newest.slice(0, 20)));
  if (snapshot.index !== named) {
    throw new StoreError(
      'STORE_CORRUPT',
      `${join(directory, newest)}: at byte 16: header says index ${snapshot.index}`,
    );
  }
  // A state that cannot be restored is found out now, while something can be done about it.
  for (let offset = 0; offset < snapshot.totalBytes; ) {
    const path = join(directory, newest);
    offset += readSnapshotData(files, path, snapshot.totalBytes, offset, CHECK_BYTES).length;
  }
  for (const older of found.slice(0, -1)) files.remove(join(directory, older));
  return snapshot;
}
