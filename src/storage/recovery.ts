/**
 * What a store does with its directory before it serves: every record kept is read and checked, a
 * tail that a crash left unfinished is cut, and anything else that is not as written refuses to open.
 *
 * The log begins after the newest snapshot, or somewhat before it, so what is read is bounded by the
 * snapshot and not by history. A log that does not hold the snapshot's last entry belongs to an
 * earlier life, or to one that a crash cut short while the snapshot was installed: it is dropped.
 */
import { join } from 'node:path';
import { type LogIndex, logIndex, type Term, term } from '../lib/brand.js';
import type { Logger } from '../lib/logger.js';
import { decodeConfiguration } from '../raft/configuration.js';
import type { Configuration, HardState } from '../raft/types.js';
import { corrupt, isDamage, isFullDisk } from './errors.js';
import type { FileSystem } from './files.js';
import type { StoredSnapshot } from './log-store.js';
import { REBUILD_FILE, readMarker, writeMarker } from './rebuild-marker.js';
import {
  checkSegmentHeader,
  encodeSegmentHeader,
  type FormatVersion,
  SEGMENT_HEADER_BYTES,
} from './record.js';
import { indexMaxIn, type Scanned, Segment, scanSegment } from './segment.js';
import { readSnapshotHead } from './snapshot-file.js';
import { findSnapshot, isSnapshotName } from './snapshot-shelf.js';
import { TermLog } from './term-log.js';
import { createVote, recoverVote, VOTE_DRAFT, VOTE_FILE } from './vote-file.js';

export interface PlacedConfiguration {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

export interface Recovered {
  readonly hardState: HardState;
  readonly snapshot: StoredSnapshot | null;
  /** Oldest first, at least one; the last is to be appended to. */
  readonly segments: Segment[];
  readonly terms: TermLog;
  readonly configurations: PlacedConfiguration[];
  readonly last: LogIndex;
  readonly mustCatchUpTo: LogIndex;
}

export interface RecoveryOptions {
  readonly files: FileSystem;
  readonly directory: string;
  readonly logger: Logger;
  readonly formatVersion: FormatVersion;
  /** Put damaged files aside and begin anew, rather than refuse. */
  readonly rebuildFromPeers: boolean;
}

const SEGMENT_NAME = /^(\d{20})\.log$/;
const firstOf = (name: string): LogIndex => logIndex(Number(name.slice(0, 20)));

/**
 * @throws {StoreError} STORE_CORRUPT, naming the file and the offset; STORE_FORMAT_UNKNOWN, and nothing was
 *   changed.
 */
export function recover(options: RecoveryOptions): Recovered {
  const { directory, files, logger } = options;
  const names = files.list(directory);
  refuseUnknownFormats(options, names);
  if (names.includes(VOTE_DRAFT)) files.remove(join(directory, VOTE_DRAFT));
  const hasLog = names.some((name) => SEGMENT_NAME.test(name) || isSnapshotName(name));
  const hardState = names.includes(VOTE_FILE)
    ? recoverVote(files, directory)
    : firstVote(files, directory, hasLog);
  try {
    return recoverLog(options, names, hardState);
  } catch (error) {
    if (!isDamage(error) || !options.rebuildFromPeers) throw error;
    logger.error({ directory, err: error }, 'the log is damaged and is rebuilt from the peers');
    putAside(options, names);
    return recoverLog(options, files.list(directory), hardState);
  }
}

/** What a newer program wrote is not to be cut, rebuilt or removed, whatever damage there is beside it. */
function refuseUnknownFormats(options: RecoveryOptions, names: readonly string[]): void {
  const { directory, files } = options;
  for (const name of names) {
    const path = join(directory, name);
    try {
      if (name === REBUILD_FILE) readMarker(files, directory, names);
      if (isSnapshotName(name)) readSnapshotHead(files, path);
      if (SEGMENT_NAME.test(name)) checkSegment(files, path, firstOf(name));
    } catch (error) {
      // Damage is for those to judge who read the whole.
      if (!isDamage(error)) throw error;
    }
  }
}

function checkSegment(files: FileSystem, path: string, first: LogIndex): void {
  const file = files.open(path, 'r');
  try {
    checkSegmentHeader(path, segmentHeader(files, file), first);
  } finally {
    files.close(file);
  }
}

/** As much of it as there is. */
function segmentHeader(files: FileSystem, file: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  return header.subarray(0, files.read(file, header, 0));
}

function recoverLog(
  options: RecoveryOptions,
  names: readonly string[],
  hardState: HardState,
): Recovered {
  const { directory, files, formatVersion, logger } = options;
  const mustCatchUpTo = readMarker(files, directory, names);
  const snapshot = findSnapshot(files, directory, names);
  const found = names.filter((name) => SEGMENT_NAME.test(name)).sort();
  const after = snapshot?.index ?? logIndex(0);
  const begins = found[0] === undefined ? logIndex(after + 1) : firstOf(found[0]);
  if (begins > after + 1) {
    const missing = `the entries from ${after + 1} to ${begins - 1} are missing`;
    throw corrupt(join(directory, found[0] ?? ''), 0, missing);
  }

  const terms = new TermLog();
  const segments: Segment[] = [];
  const configurations: PlacedConfiguration[] = [];
  let last = logIndex(begins - 1);
  let termAtSnapshot: Term | null = null;
  for (const [i, name] of found.entries()) {
    const isLast = i === found.length - 1;
    const path = join(directory, name);
    const first = firstOf(name);
    if (first !== last + 1) {
      throw corrupt(path, 0, `the segment that begins with entry ${last + 1} is missing`);
    }
    const segment = recoverSegment(path, first, options, {
      isLast,
      termBefore: terms.lastTerm,
      onEntry(index, entryTerm, configuration) {
        terms.add(index, entryTerm);
        last = index;
        if (index === after) termAtSnapshot = entryTerm;
        if (configuration === null) return;
        configurations.push({ index, configuration: decodeConfiguration(configuration) });
      },
    });
    if (segment !== null) {
      segments.push(segment);
      continue;
    }
    // The crash came between the creation of the file and the sync of its header.
    files.remove(path);
    files.syncDirectory(directory);
    logger.warn({ file: path }, 'removed a segment that a crash left without a header');
  }

  const follows = snapshot === null || begins === after + 1 || termAtSnapshot === snapshot.term;
  if (!follows) {
    for (const { path } of segments.splice(0)) {
      files.remove(path);
      files.syncDirectory(directory);
    }
    terms.clear();
    configurations.length = 0;
    last = after;
    logger.warn({ directory, index: after }, 'dropped a log that the snapshot has replaced');
  }
  if (segments.length === 0) {
    segments.push(createSegment(files, directory, logIndex(last + 1), formatVersion));
  }
  return { hardState, snapshot, segments, terms, configurations, last, mustCatchUpTo };
}

/**
 * Creates an empty segment durably: once this returned, a crash cannot lose the file or its header.
 * One that finds no room leaves no name either: with the log cut behind it, it would be a gap.
 */
export function createSegment(
  files: FileSystem,
  directory: string,
  first: LogIndex,
  version: FormatVersion,
): Segment {
  const path = join(directory, `${String(first).padStart(20, '0')}.log`);
  const file = files.open(path, 'w');
  try {
    files.write(file, encodeSegmentHeader(first, version), SEGMENT_HEADER_BYTES, 0);
    files.sync(file);
  } catch (cause) {
    if (isFullDisk(cause)) {
      files.remove(path);
      files.syncDirectory(directory);
    }
    throw cause;
  } finally {
    files.close(file);
  }
  files.syncDirectory(directory);
  return new Segment(path, first, version);
}

function firstVote(files: FileSystem, directory: string, hasLog: boolean): HardState {
  if (hasLog) {
    throw corrupt(
      join(directory, VOTE_FILE),
      0,
      'is missing beside a log: this member may have voted and must not vote again',
    );
  }
  const fresh: HardState = { term: term(0), votedFor: null };
  createVote(files, directory, fresh);
  return fresh;
}

/**
 * Renames what holds entries, and remembers up to where entries may have been acknowledged. The
 * marker comes first: a member that forgot it could vote as if it had never promised anything.
 */
function putAside(options: RecoveryOptions, names: readonly string[]): void {
  const { directory, files } = options;
  let max = readMarker(files, directory, names);
  for (const name of names) {
    if (isSnapshotName(name)) max = logIndex(Math.max(max, firstOf(name)));
    if (!SEGMENT_NAME.test(name)) continue;
    max = logIndex(Math.max(max, indexMaxIn(files, join(directory, name), firstOf(name))));
  }
  writeMarker(files, directory, max);
  for (const name of names) {
    if (!SEGMENT_NAME.test(name) && !isSnapshotName(name)) continue;
    files.rename(join(directory, name), join(directory, `${name}.damaged`));
  }
  files.syncDirectory(directory);
}

interface SegmentOptions {
  readonly isLast: boolean;
  readonly termBefore: Term;
  readonly onEntry: (index: LogIndex, term: Term, configuration: Buffer | null) => void;
}

/** @returns null for a last segment that has no whole header yet. */
function recoverSegment(
  path: string,
  first: LogIndex,
  { files, logger }: RecoveryOptions,
  options: SegmentOptions,
): Segment | null {
  const file = files.open(path, options.isLast ? 'r+' : 'r');
  try {
    const fileBytes = files.size(file);
    let version: FormatVersion;
    try {
      version = checkSegmentHeader(path, segmentHeader(files, file), first);
    } catch (error) {
      const isUnfinished = options.isLast && fileBytes <= SEGMENT_HEADER_BYTES;
      if (isUnfinished && isDamage(error)) return null;
      throw error;
    }
    const segment = new Segment(path, first, version);
    const scanned = scanSegment(segment, files, file, options);
    if (scanned.end < fileBytes) {
      files.truncate(file, scanned.end);
      logger.warn(
        { file: path, offset: scanned.end, bytes: fileBytes - scanned.end },
        'cut the tail of the log that a crash left unfinished',
      );
    }
    if (options.isLast) rewriteTail(segment, files, file, scanned);
    return segment;
  } finally {
    files.close(file);
  }
}

/**
 * Writes the records again that may never have been synced, and syncs them. What was read may come
 * from a page cache that an earlier process left: when its sync failed, the kernel marked the pages
 * clean, and no later sync would write them.
 *
 * @source Rebello et al., "Can Applications Recover from fsync Failures?" (ATC 2020)
 */
function rewriteTail(
  segment: Segment,
  files: FileSystem,
  file: number,
  { end, unsyncedFrom }: Scanned,
): void {
  if (end > SEGMENT_HEADER_BYTES) {
    const from = segment.findIn(unsyncedFrom, files, file);
    const tail = Buffer.allocUnsafeSlow(end - from);
    const filled = files.read(file, tail, from);
    if (filled < tail.length) throw corrupt(segment.path, from + filled, 'ends while it is read');
    files.write(file, tail, tail.length, from);
  }
  files.sync(file);
}
