/**
 * The log on disk: append-only segment files, a CRC per entry, term and vote beside them.
 *
 * One append is one write to the page cache, whatever it carries; `Flusher` decides when it counts
 * as done. A write or sync that fails makes the store unusable for good: after it, nobody knows
 * what the disk holds, and trying again may report success for what was dropped.
 *
 * @source Rebello et al., "Can Applications Recover from fsync Failures?" (ATC 2020)
 */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { type LogIndex, logIndex, type Term } from '../lib/brand.js';
import { type Clock, systemClock } from '../lib/clock.js';
import type { Logger } from '../lib/logger.js';
import type { Entry, HardState, TermRun } from '../raft/types.js';
import { Batch } from './batch.js';
import type { DirectoryLock } from './directory-lock.js';
import { EntryTail } from './entry-tail.js';
import { corrupt } from './errors.js';
import { FileWindow } from './file-window.js';
import { type FileSystem, systemFiles } from './files.js';
import { Flusher } from './flusher.js';
import type { Durability, LogStore } from './log-store.js';
import {
  bodyLengthAt,
  encodeRecord,
  indexOf,
  RECORD_BODY_BYTES_MAX,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  termOf,
} from './record.js';
import { createSegment, type Recovered, recover } from './recovery.js';
import { locateRecord, type Segment } from './segment.js';
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
  readonly files?: FileSystem;
  readonly clock?: Clock;
}

/** Kept between appends; a greater append takes memory of its own and gives it back. */
const ENCODE_BYTES_KEPT = 4 << 20;
const READ_WINDOW_BYTES = 256 << 10;

/**
 * Opens the store in a directory, creating it if it is not there.
 *
 * @throws {StoreError} STORE_LOCKED while another live process has it; STORE_CORRUPT when what is
 *   on disk is not what was written, naming file and offset.
 */
export function openFileStore(options: FileStoreOptions): LogStore {
  const files = options.files ?? systemFiles;
  const { directory, logger } = options;
  files.makeDirectory(directory);
  files.syncDirectory(dirname(directory));
  const lock = files.lock(directory);
  try {
    const recovered = recover(files, directory, logger);
    logger.info(
      { directory, lastIndex: recovered.last, segments: recovered.segments.length },
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
  readonly #segments: Segment[];
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

  get lastIndex(): LogIndex {
    return this.#last;
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  termRuns(): readonly TermRun[] {
    return this.#terms.runs;
  }

  termAt(index: LogIndex): Term {
    assert(index <= this.#last, `entry ${index} is behind the last, ${this.#last}`);
    return this.#terms.at(index);
  }

  append(entries: readonly Entry[], done: (error?: Error) => void): void {
    assert(this.#closing === undefined, 'append to a closed store');
    try {
      if (this.#flusher.failure === undefined) this.#write(entries);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      this.#flusher.fail(error);
    }
    if (this.#flusher.failure === undefined) this.#flusher.wrote(this.#last, done);
    else this.#flusher.refuse(done);
  }

  truncate(after: LogIndex): void {
    assert(this.#closing === undefined, 'truncate of a closed store');
    assert(after <= this.#last, `truncate after ${after}, but the log ends with ${this.#last}`);
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
    this.#flusher.allSynced(after);
  }

  /** @throws {StoreError} STORE_CORRUPT when an entry read from disk is not what was written. */
  entries(first: LogIndex, last: LogIndex, bytesMax: number): readonly Entry[] {
    assert(first >= 1 && first <= last && last <= this.#last, `no entries ${first}..${last}`);
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
    for (const { index, term, body } of entries) {
      next += 1;
      assert(index === next, `entry ${index} where ${next} is next`);
      assert(term >= lastTerm, `entry ${index} has term ${term} after term ${lastTerm}`);
      assert(body.length <= RECORD_BODY_BYTES_MAX, `entry ${index} has ${body.length} bytes`);
      lastTerm = term;
      length += RECORD_HEADER_BYTES + body.length;
    }
    const isFull = this.#active.size + length > this.#segmentBytesMax;
    if (isFull && this.#active.size > SEGMENT_HEADER_BYTES) this.#roll();

    const segment = this.#active;
    const into = this.#room(length);
    const { synced } = this.#flusher;
    let at = 0;
    for (const entry of entries) {
      segment.mark(entry.index, segment.size + at);
      at = encodeRecord(into, at, entry, entry.index - 1 - synced);
    }
    this.#files.write(this.#file, into, length, segment.size);
    segment.size += length;
    this.#last = logIndex(next);
    for (const entry of entries) {
      this.#terms.add(entry.index, entry.term);
      this.#tail.add(entry);
    }
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
    const segment = createSegment(this.#files, this.#directory, logIndex(this.#last + 1));
    this.#segments.push(segment);
    this.#activate(segment);
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
        batch.offer({ term: termOf(bytes, position), index: next, body });
        offset += RECORD_HEADER_BYTES + length;
        next = logIndex(next + 1);
      }
      return next;
    } finally {
      if (file !== this.#file) this.#files.close(file);
    }
  }
}

function lastOf(segments: readonly Segment[]): Segment {
  const last = segments.at(-1);
  assert(last !== undefined, 'a store has at least one segment');
  return last;
}
