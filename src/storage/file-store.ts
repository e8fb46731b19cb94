/**
 * The log on disk: append-only segment files, a CRC per entry, snapshots, term and vote beside them.
 *
 * One append is one write to the page cache, whatever it carries; `Flusher` decides when it counts
 * as done. A write or sync that fails makes the store unusable for good: after it, nobody knows
 * what the disk holds, and trying again may report success for what was dropped. A full disk is no
 * such failure: what did not fit was not written, and the store goes on.
 *
 * @source Rebello et al., "Can Applications Recover from fsync Failures?" (ATC 2020)
 */
import assert from 'node:assert/strict';
import { type LogIndex, logIndex, type Term } from '../lib/brand.js';
import { type Clock, systemClock } from '../lib/clock.js';
import type { Logger } from '../lib/logger.js';
import { decodeConfiguration } from '../raft/configuration.js';
import type { Entry, HardState, SnapshotHead, TermRun } from '../raft/types.js';
import { Batch } from './batch.js';
import type { DirectoryLock } from './directory-lock.js';
import { EntryTail } from './entry-tail.js';
import { corrupt, isFullDisk, StoreError } from './errors.js';
import { FileWindow } from './file-window.js';
import { type FileSystem, makeDirectoryDurably, systemFiles } from './files.js';
import { Flusher } from './flusher.js';
import type { Durability, LogStore, SnapshotWriter, StoredSnapshot } from './log-store.js';
import { removeMarker } from './rebuild-marker.js';
import {
  bodyLengthAt,
  encodeRecord,
  FORMAT_VERSION,
  type FormatVersion,
  indexOf,
  kindOf,
  RECORD_BODY_BYTES_MAX,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  termOf,
} from './record.js';
import { createSegment, type PlacedConfiguration, type Recovered, recover } from './recovery.js';
import { locateRecord, type Segment } from './segment.js';
import { SnapshotShelf } from './snapshot-shelf.js';
import type { TermLog } from './term-log.js';
import { writeVote } from './vote-file.js';

export interface FileStoreOptions {
  /** Created when missing; belongs to one store at a time. */
  readonly directory: string;
  readonly durability: Durability;
  readonly logger: Logger;
  /** A segment that reached this size is followed by a new one; one append is never split. 64 MiB. */
  readonly segmentBytesMax?: number;
  /** The newest entries kept in memory. 16 MiB. */
  readonly cacheBytesMax?: number;
  /** Between syncs under `background`. 10 ms, as upstream. */
  readonly flushIntervalMs?: number;
  /** Free space below which appends are refused, so that terms, votes and snapshots still fit. 16 MiB. */
  readonly reserveBytes?: number;
  /** What is written; older ones are read. Default: the newest. */
  readonly formatVersion?: FormatVersion;
  /**
   * When log or snapshot are damaged: put them aside and have the peers send everything again. The
   * member neither votes nor leads before it holds what it may have acknowledged. Default: refuse.
   */
  readonly rebuildFromPeers?: boolean;
  readonly files?: FileSystem;
  readonly clock?: Clock;
}

/** Kept between appends; a greater append takes memory of its own and gives it back. */
const ENCODE_BYTES_KEPT = 4 << 20;
const READ_WINDOW_BYTES = 256 << 10;
/** Between two looks at the free space. */
const ROOM_CHECK_BYTES = 4 << 20;

/**
 * Opens the store in a directory, creating it if it is not there.
 *
 * @throws {StoreError} STORE_LOCKED while another live process has it; STORE_CORRUPT when what is
 *   on disk is not what was written, naming file and offset; STORE_FORMAT_UNKNOWN when another version
 *   of this program wrote it.
 */
export function openFileStore(options: FileStoreOptions): LogStore {
  const files = options.files ?? systemFiles;
  const { directory, logger } = options;
  makeDirectoryDurably(files, directory);
  const lock = files.lock(directory);
  try {
    const recovered = recover({
      files,
      directory,
      logger,
      formatVersion: options.formatVersion ?? FORMAT_VERSION,
      rebuildFromPeers: options.rebuildFromPeers ?? false,
    });
    const { last: lastIndex, segments, snapshot } = recovered;
    logger.info(
      { directory, lastIndex, segments: segments.length, snapshot: snapshot?.index ?? 0 },
      'opened the log',
    );
    return new FileStore(options, files, lock, recovered);
  } catch (error) {
    lock.release();
    throw error;
  }
}

class FileStore implements LogStore {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #segmentBytesMax: number;
  readonly #lock: DirectoryLock;
  readonly #terms: TermLog;
  readonly #tail: EntryTail;
  readonly #flusher: Flusher;
  readonly #shelf: SnapshotShelf;
  readonly #segments: Segment[];
  readonly #formatVersion: FormatVersion;
  readonly #reserveBytes: number;
  /** Written since the free space was looked at. */
  #unchecked = ROOM_CHECK_BYTES;
  #configurations: PlacedConfiguration[];
  #mustCatchUpTo: LogIndex;
  /** The last segment, the only one that is written. */
  #active: Segment;
  #file: number;
  /** Closed once no sync runs on them any more. */
  #filesLeft: number[] = [];
  #encoded = Buffer.allocUnsafeSlow(64 << 10);
  #last: LogIndex;
  #hardState: HardState;
  #closing: Promise<void> | undefined;

  constructor(
    options: FileStoreOptions,
    files: FileSystem,
    lock: DirectoryLock,
    recovered: Recovered,
  ) {
    this.#files = files;
    this.#directory = options.directory;
    this.#segmentBytesMax = options.segmentBytesMax ?? 64 << 20;
    this.#lock = lock;
    this.#terms = recovered.terms;
    this.#tail = new EntryTail(options.cacheBytesMax ?? 16 << 20);
    this.#segments = recovered.segments;
    this.#last = recovered.last;
    this.#hardState = recovered.hardState;
    this.#configurations = recovered.configurations;
    this.#mustCatchUpTo = recovered.mustCatchUpTo;
    this.#formatVersion = options.formatVersion ?? FORMAT_VERSION;
    this.#reserveBytes = options.reserveBytes ?? 16 << 20;
    this.#shelf = new SnapshotShelf({
      files,
      directory: options.directory,
      snapshot: recovered.snapshot,
      onFailure: (cause) => this.#flusher.fail(cause),
    });
    this.#active = lastOf(this.#segments);
    this.#file = files.open(this.#active.path, 'r+');
    this.#flusher = new Flusher(this.#last, {
      durability: options.durability,
      intervalMs: options.flushIntervalMs ?? 10,
      clock: options.clock ?? systemClock,
      sync: (done) => files.syncSoon(this.#file, done),
      afterSync: () => this.#closeFilesLeft(),
      onFailure: (failure) =>
        options.logger.error({ directory: options.directory, err: failure }, failure.message),
    });
  }

  get firstIndex(): LogIndex {
    return firstOf(this.#segments).first;
  }

  get lastIndex(): LogIndex {
    return this.#last;
  }

  get snapshot(): StoredSnapshot | null {
    return this.#shelf.snapshot;
  }

  get mustCatchUpTo(): LogIndex {
    return this.#mustCatchUpTo;
  }

  configurations(): readonly PlacedConfiguration[] {
    return this.#configurations.slice();
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  termRuns(): readonly TermRun[] {
    return this.#terms.runs;
  }

  termAt(index: LogIndex): Term {
    assert(index <= this.#last, `entry ${index} is behind the last, ${this.#last}`);
    const { snapshot } = this;
    if (snapshot !== null && index === snapshot.index) return snapshot.term;
    return this.#terms.at(index);
  }

  append(entries: readonly Entry[], done: (error?: Error) => void): void {
    assert(this.#closing === undefined, 'append to a closed store');
    try {
      if (this.#flusher.failure === undefined) this.#write(entries);
    } catch (error) {
      if (error instanceof assert.AssertionError || isStoreFull(error)) throw error;
      this.#flusher.fail(error);
    }
    if (this.#flusher.failure === undefined) this.#flusher.wrote(this.#last, done);
    else this.#flusher.refuse(done);
  }

  truncate(after: LogIndex): void {
    assert(this.#closing === undefined, 'truncate of a closed store');
    assert(after <= this.#last, `truncate after ${after}, but the log ends with ${this.#last}`);
    assert(
      after >= (this.snapshot?.index ?? 0),
      `truncate after ${after}, which the snapshot holds`,
    );
    if (this.#flusher.failure !== undefined) throw this.#flusher.failure;
    if (after === this.#last) return;
    try {
      this.#cut(after);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      throw this.#flusher.fail(error);
    }
    this.#last = after;
    this.#terms.truncate(after);
    this.#tail.truncate(after);
    this.#configurations = this.#configurations.filter(({ index }) => index <= after);
    this.#flusher.allSynced(after);
  }

  /** @throws {StoreError} STORE_CORRUPT when an entry read from disk is not what was written. */
  entries(first: LogIndex, last: LogIndex, bytesMax: number): readonly Entry[] {
    assert(
      first >= this.firstIndex && first <= last && last <= this.#last,
      `no entries ${first}..${last}`,
    );
    const batch = new Batch(bytesMax);
    let next = first;
    while (next <= last && next < this.#tail.first && !batch.isFull) {
      next = this.#read(this.#segmentOf(next), next, last, batch);
    }
    for (; next <= last && !batch.isFull; next = logIndex(next + 1)) {
      const entry = this.#tail.at(next);
      assert(entry !== undefined, `entry ${next} is neither in memory nor on disk`);
      batch.offer(entry);
    }
    return batch.entries;
  }

  saveHardState(state: HardState): void {
    assert(this.#closing === undefined, 'vote in a closed store');
    assert(state.term >= this.#hardState.term, `term ${state.term} < ${this.#hardState.term}`);
    if (this.#flusher.failure !== undefined) throw this.#flusher.failure;
    try {
      writeVote(this.#files, this.#directory, state);
    } catch (error) {
      throw this.#flusher.fail(error);
    }
    this.#hardState = state;
  }

  beginSnapshot(head: SnapshotHead): SnapshotWriter {
    if (this.#flusher.failure !== undefined) throw this.#flusher.failure;
    return this.#shelf.begin(head, () => {});
  }

  readSnapshot(offset: number, bytesMax: number): Uint8Array {
    return this.#shelf.read(offset, bytesMax);
  }

  receiveSnapshot(head: SnapshotHead, offset: number, part: Uint8Array): void {
    if (this.#flusher.failure !== undefined) throw this.#flusher.failure;
    this.#shelf.receive(head, offset, part);
  }

  /**
   * The snapshot is in place before the log is dropped: a crash in between finds a log that does
   * not hold the snapshot's last entry, and drops it then.
   */
  installSnapshot(head: SnapshotHead): void {
    if (this.#flusher.failure !== undefined) throw this.#flusher.failure;
    const isHeld =
      head.index >= this.firstIndex &&
      head.index <= this.#last &&
      this.#terms.at(head.index) === head.term;
    this.#shelf.install(head);
    if (isHeld) return;
    try {
      this.#dropLog(logIndex(head.index + 1));
    } catch (error) {
      throw this.#flusher.fail(error);
    }
  }

  compact(upTo: LogIndex): void {
    if (this.#flusher.failure !== undefined) throw this.#flusher.failure;
    const end = Math.min(upTo, this.snapshot?.index ?? 0);
    try {
      // Oldest first and each for good: a crash in between leaves no gap.
      while (this.#segments.length > 1 && (this.#segments[1]?.first ?? 0) <= end + 1) {
        const [oldest] = this.#segments.splice(0, 1);
        this.#files.remove(oldest?.path ?? '');
        this.#files.syncDirectory(this.#directory);
      }
    } catch (error) {
      throw this.#flusher.fail(error);
    }
    const { firstIndex } = this;
    this.#terms.compact(firstIndex);
    this.#configurations = this.#configurations.filter(({ index }) => index >= firstIndex);
  }

  hasRoom(): boolean {
    return this.#files.freeBytes(this.#directory) >= this.#reserveBytes;
  }

  caughtUp(): void {
    if (this.#mustCatchUpTo === 0) return;
    this.#mustCatchUpTo = logIndex(0);
    try {
      removeMarker(this.#files, this.#directory);
    } catch (error) {
      throw this.#flusher.fail(error);
    }
  }

  /** Rejects, after releasing everything, with the failure that made the store unusable, if any. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#flusher.stop();
    try {
      if (this.#flusher.failure === undefined && this.#flusher.isDirty) {
        this.#files.sync(this.#file);
        this.#flusher.allSynced(this.#last);
      }
    } catch (error) {
      this.#flusher.fail(error);
    }
    this.#shelf.close();
    try {
      this.#files.close(this.#file);
    } finally {
      this.#lock.release();
    }
    if (this.#flusher.failure !== undefined) throw this.#flusher.failure;
  }

  /** One write for all entries; the log's state changes once it succeeded. */
  #write(entries: readonly Entry[]): void {
    assert(entries.length > 0, 'an append of nothing');
    let length = 0;
    let next: number = this.#last;
    let lastTerm = this.#terms.lastTerm;
    for (const { index, term, kind, body } of entries) {
      next += 1;
      assert(index === next, `entry ${index} where ${next} is next`);
      assert(term >= lastTerm, `entry ${index} has term ${term} after term ${lastTerm}`);
      assert(body.length <= RECORD_BODY_BYTES_MAX, `entry ${index} has ${body.length} bytes`);
      assert(kind === 'data' || this.#formatVersion > 1, 'format 1 holds no configurations');
      lastTerm = term;
      length += RECORD_HEADER_BYTES + body.length;
    }
    this.#checkRoom(length);
    const isOver =
      this.#active.size + length > this.#segmentBytesMax ||
      this.#active.version !== this.#formatVersion;
    if (isOver && this.#active.size > SEGMENT_HEADER_BYTES) this.#roll();

    const segment = this.#active;
    const into = this.#room(length);
    const { synced } = this.#flusher;
    let at = 0;
    for (const entry of entries) {
      segment.mark(entry.index, segment.size + at);
      at = encodeRecord(into, at, entry, entry.index - 1 - synced);
    }
    try {
      this.#files.write(this.#file, into, length, segment.size);
    } catch (cause) {
      if (!isFullDisk(cause)) throw cause;
      // A part of it may be there: what was not written whole was not written.
      segment.cut(segment.size);
      this.#files.truncate(this.#file, segment.size);
      throw storeFull(cause);
    }
    segment.size += length;
    this.#last = logIndex(next);
    for (const entry of entries) {
      this.#terms.add(entry.index, entry.term);
      this.#tail.add(entry);
      if (entry.kind === 'configuration') {
        const { body, index } = entry;
        this.#configurations.push({ index, configuration: decodeConfiguration(body) });
      }
    }
  }

  #checkRoom(bytes: number): void {
    this.#unchecked += bytes;
    if (this.#unchecked < ROOM_CHECK_BYTES) return;
    if (!this.hasRoom()) throw storeFull(null);
    this.#unchecked = 0;
  }

  #room(bytes: number): Buffer {
    if (bytes <= this.#encoded.length) return this.#encoded;
    const room = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(bytes)));
    if (room.length <= ENCODE_BYTES_KEPT) this.#encoded = room;
    return room;
  }

  /** The old segment is synced first: damage in any but the last can then never be a torn tail. */
  #roll(): void {
    this.#files.sync(this.#file);
    this.#flusher.allSynced(this.#last);
    let segment: Segment;
    try {
      segment = this.#createSegment(logIndex(this.#last + 1));
    } catch (cause) {
      throw isFullDisk(cause) ? storeFull(cause) : cause;
    }
    this.#segments.push(segment);
    this.#activate(segment);
  }

  #createSegment(first: LogIndex): Segment {
    return createSegment(this.#files, this.#directory, first, this.#formatVersion);
  }

  /** The newest go first, as in a cut; then an empty segment begins the log anew. */
  #dropLog(first: LogIndex): void {
    this.#files.sync(this.#file);
    this.#flusher.allSynced(logIndex(first - 1));
    for (const { path } of this.#segments.splice(0).reverse()) {
      this.#files.remove(path);
      this.#files.syncDirectory(this.#directory);
    }
    const segment = this.#createSegment(first);
    this.#segments.push(segment);
    this.#activate(segment);
    this.#last = logIndex(first - 1);
    this.#terms.clear();
    this.#tail.clear();
    this.#configurations = [];
  }

  /**
   * Later segments go first and the newest before all, each for good, so that a crash in between
   * leaves a shorter log and never a gap.
   */
  #cut(after: LogIndex): void {
    while (this.#active.first > after + 1) {
      this.#files.remove(this.#active.path);
      this.#files.syncDirectory(this.#directory);
      this.#segments.pop();
      this.#activate(lastOf(this.#segments));
    }
    const window = new FileWindow(this.#files, this.#file, READ_WINDOW_BYTES);
    const isEmptied = this.#active.first === after + 1;
    const end = isEmptied ? SEGMENT_HEADER_BYTES : this.#active.find(logIndex(after + 1), window);
    this.#files.truncate(this.#file, end);
    this.#files.sync(this.#file);
    this.#active.cut(end);
  }

  #activate(segment: Segment): void {
    const file = this.#files.open(segment.path, 'r+');
    this.#filesLeft.push(this.#file);
    this.#file = file;
    this.#active = segment;
    if (!this.#flusher.isSyncing) this.#closeFilesLeft();
  }

  #closeFilesLeft(): void {
    for (const file of this.#filesLeft.splice(0)) this.#files.close(file);
  }

  #segmentOf(index: LogIndex): Segment {
    let i = this.#segments.length - 1;
    while (i > 0 && (this.#segments[i]?.first ?? 0) > index) i -= 1;
    const segment = this.#segments[i];
    assert(segment !== undefined);
    return segment;
  }

  /** Offers entries of one segment to the batch, and returns the index that comes next. */
  #read(segment: Segment, first: LogIndex, last: LogIndex, batch: Batch): LogIndex {
    const file = segment === this.#active ? this.#file : this.#files.open(segment.path, 'r');
    try {
      const window = new FileWindow(this.#files, file, READ_WINDOW_BYTES);
      let offset = segment.find(first, window);
      let next = first;
      while (next <= last && next < this.#tail.first && offset < segment.size && !batch.isFull) {
        const position = locateRecord(window, offset, segment.size);
        const bytes = window.bytes;
        if (position < 0 || indexOf(bytes, position) !== next) {
          throw corrupt(segment.path, offset, `the record of entry ${next} is damaged`);
        }
        const start = position + RECORD_HEADER_BYTES;
        const length = bodyLengthAt(bytes, position);
        const body = bytes.subarray(start, start + length);
        batch.offer({
          term: termOf(bytes, position),
          index: next,
          kind: kindOf(bytes, position),
          body,
        });
        offset += RECORD_HEADER_BYTES + length;
        next = logIndex(next + 1);
      }
      return next;
    } finally {
      if (file !== this.#file) this.#files.close(file);
    }
  }
}

const isStoreFull = (error: unknown): boolean =>
  error instanceof StoreError && error.code === 'STORE_FULL';

function storeFull(cause: unknown): StoreError {
  return new StoreError('STORE_FULL', 'the disk is full: nothing was written', { cause });
}

function firstOf(segments: readonly Segment[]): Segment {
  const [first] = segments;
  assert(first !== undefined, 'a store has at least one segment');
  return first;
}

function lastOf(segments: readonly Segment[]): Segment {
  const last = segments.at(-1);
  assert(last !== undefined, 'a store has at least one segment');
  return last;
}
