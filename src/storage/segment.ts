/**
 * One segment file of the log: where its entries lie, and how they are checked when it is opened.
 *
 * Every `MARK_BYTES` the place of one entry is kept in memory; others are found by walking from the
 * mark before. So memory grows with 16 bytes per 64 KiB of log, whatever the size of entries.
 */
import assert from 'node:assert/strict';
import { type LogIndex, logIndex, type Term } from '../lib/brand.js';
import { corrupt } from './errors.js';
import { FileWindow } from './file-window.js';
import type { FileSystem } from './files.js';
import {
  bodyLengthAt,
  crcMatches,
  type FormatVersion,
  indexOf,
  kindOf,
  RECORD_BODY_BYTES_MAX,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  termOf,
  unsyncedBefore,
} from './record.js';

const MARK_BYTES = 64 << 10;
const SCAN_WINDOW_BYTES = 1 << 20;

export class Segment {
  readonly path: string;
  readonly first: LogIndex;
  /** Where the next record goes. */
  size = SEGMENT_HEADER_BYTES;
  #markedIndexes: number[] = [];
  #markedOffsets: number[] = [];
  #nextMarkAt = 0;

  /** Of the records in it. */
  readonly version: FormatVersion;

  constructor(path: string, first: LogIndex, version: FormatVersion) {
    this.path = path;
    this.first = first;
    this.version = version;
  }

  /** Takes note of a record that starts at `offset`; in the order of the log. */
  mark(index: LogIndex, offset: number): void {
    if (offset < this.#nextMarkAt) return;
    this.#markedIndexes.push(index);
    this.#markedOffsets.push(offset);
    this.#nextMarkAt = offset + MARK_BYTES;
  }

  /** Forgets what lies at or behind `offset`, where the file now ends. */
  cut(offset: number): void {
    this.size = offset;
    while (this.#markedOffsets.length > 0 && (this.#markedOffsets.at(-1) ?? 0) >= offset) {
      this.#markedOffsets.pop();
      this.#markedIndexes.pop();
    }
    const last = this.#markedOffsets.at(-1);
    this.#nextMarkAt = last === undefined ? 0 : last + MARK_BYTES;
  }

  /** As `find`, for whoever has the file open. */
  findIn(index: LogIndex, files: FileSystem, file: number): number {
    return this.find(index, new FileWindow(files, file, SCAN_WINDOW_BYTES));
  }

  /**
   * The offset of the record of `index`, which this segment holds.
   *
   * @throws {StoreError} STORE_CORRUPT when the records on the way are not those that were written.
   */
  find(index: LogIndex, window: FileWindow): number {
    let low = 0;
    let high = this.#markedIndexes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#markedIndexes[middle] ?? 0) <= index) low = middle + 1;
      else high = middle;
    }
    assert(low > 0, `index ${index} is before the first of ${this.path}`);
    let at = this.#markedIndexes[low - 1] ?? 0;
    let offset = this.#markedOffsets[low - 1] ?? 0;
    while (at < index) {
      const position = window.locate(offset, RECORD_HEADER_BYTES);
      if (position < 0 || indexOf(window.bytes, position) !== at) {
        throw corrupt(this.path, offset, `the record of entry ${at} is damaged`);
      }
      offset += RECORD_HEADER_BYTES + bodyLengthAt(window.bytes, position);
      at += 1;
    }
    return offset;
  }
}

export interface ScanOptions {
  /** The term of the entry before the segment, 0 for the first. */
  readonly termBefore: Term;
  /** The last segment may end torn; in any other, that is damage. */
  readonly isLast: boolean;
  /** @param configuration the body of an entry that is one; null for any other. */
  readonly onEntry: (index: LogIndex, term: Term, configuration: Buffer | null) => void;
}

/** What a scan found. */
export interface Scanned {
  /** Where the valid records end; what follows was never promised to anyone and may be cut. */
  readonly end: number;
  /** The last record says that those from here on were not synced when it was written. */
  readonly unsyncedFrom: LogIndex;
}

/**
 * Reads a segment's records from front to back, checks each and marks the segment.
 *
 * @throws {StoreError} STORE_CORRUPT when an entry is damaged that had been synced.
 */
export function scanSegment(
  segment: Segment,
  files: FileSystem,
  file: number,
  options: ScanOptions,
): Scanned {
  const fileBytes = files.size(file);
  const window = new FileWindow(files, file, SCAN_WINDOW_BYTES);
  let expected = segment.first;
  let lastTerm = options.termBefore;
  let unsyncedFrom = segment.first;
  let offset = SEGMENT_HEADER_BYTES;
  while (offset < fileBytes) {
    const position = locateRecord(window, offset, fileBytes);
    if (position < 0) {
      const fault = options.isLast ? syncedRecordBehind(window, offset, fileBytes, expected) : '';
      if (fault === undefined) break;
      throw corrupt(segment.path, offset, `the record of entry ${expected} is damaged${fault}`);
    }
    const index = indexOf(window.bytes, position);
    const term = termOf(window.bytes, position);
    if (index !== expected || term < lastTerm) {
      const found = `entry ${index} of term ${term}`;
      throw corrupt(
        segment.path,
        offset,
        `${found} where entry ${expected} of term ${lastTerm} or later belongs`,
      );
    }
    segment.mark(index, offset);
    const bodyLength = bodyLengthAt(window.bytes, position);
    const isConfiguration = kindOf(window.bytes, position) === 'configuration';
    const body = position + RECORD_HEADER_BYTES;
    const configuration = isConfiguration ? window.bytes.subarray(body, body + bodyLength) : null;
    options.onEntry(index, term, configuration);
    unsyncedFrom = logIndex(
      Math.max(segment.first, index - unsyncedBefore(window.bytes, position)),
    );
    offset += RECORD_HEADER_BYTES + bodyLength;
    expected = logIndex(index + 1);
    lastTerm = term;
  }
  segment.size = offset;
  return { end: offset, unsyncedFrom };
}

/**
 * The highest index that an entry of this file may have had, whatever the file looks like now: of
 * the valid records that can be found anywhere in it, and of as many as would fit behind them.
 */
export function indexMaxIn(files: FileSystem, path: string, first: LogIndex): LogIndex {
  const file = files.open(path, 'r');
  try {
    const fileBytes = files.size(file);
    const window = new FileWindow(files, file, SCAN_WINDOW_BYTES);
    let max: number = first - 1;
    let end = SEGMENT_HEADER_BYTES;
    for (let offset = SEGMENT_HEADER_BYTES; offset + RECORD_HEADER_BYTES <= fileBytes; ) {
      const position = locateRecord(window, offset, fileBytes);
      if (position < 0) {
        offset += 1;
        continue;
      }
      max = Math.max(max, indexOf(window.bytes, position));
      offset += RECORD_HEADER_BYTES + bodyLengthAt(window.bytes, position);
      end = offset;
    }
    return logIndex(max + Math.ceil((fileBytes - end) / RECORD_HEADER_BYTES));
  } finally {
    files.close(file);
  }
}

/** The position in the window of a whole record with a matching CRC at `offset`; -1 for anything else. */
export function locateRecord(window: FileWindow, offset: number, fileBytes: number): number {
  const header = window.locate(offset, RECORD_HEADER_BYTES);
  if (header < 0) return -1;
  const bodyLength = bodyLengthAt(window.bytes, header);
  const length = RECORD_HEADER_BYTES + bodyLength;
  if (bodyLength > RECORD_BODY_BYTES_MAX || offset + length > fileBytes) return -1;
  const position = window.locate(offset, length);
  return position >= 0 && crcMatches(window.bytes, position) ? position : -1;
}

/**
 * Looks behind a damaged record for a valid one that was written when entry `damaged` had been
 * synced already. A disk may write an unsynced tail in any order, so a valid record alone proves
 * nothing: the damaged one may simply not have made it before the power went.
 */
function syncedRecordBehind(
  window: FileWindow,
  from: number,
  fileBytes: number,
  damaged: LogIndex,
): string | undefined {
  // The damaged record's own length cannot be trusted, so every byte may start the next record.
  const indexMax = damaged + Math.floor((fileBytes - from) / RECORD_HEADER_BYTES);
  for (let offset = from + 1; offset + RECORD_HEADER_BYTES <= fileBytes; offset += 1) {
    const header = window.locate(offset, RECORD_HEADER_BYTES);
    if (header < 0) return undefined;
    const index = indexOf(window.bytes, header);
    if (index <= damaged || index > indexMax) continue;
    const synced = index - 1 - unsyncedBefore(window.bytes, header);
    if (synced >= damaged && locateRecord(window, offset, fileBytes) >= 0) {
      return `, and entry ${index} at byte ${offset} was written after it had been synced`;
    }
  }
  return undefined;
}
