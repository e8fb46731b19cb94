/**
 * What a store does with its directory before it serves: every record is read and checked, a tail
 * that a crash left unfinished is cut, and anything else that is not as written refuses to open.
 *
 * Everything is read once, at the speed of the CRC, because the log is replayed from its start in
 * any case: an index on disk would save nothing and could be wrong.
 */
import { join } from 'node:path';
import { type LogIndex, logIndex, type Term, term } from '../lib/brand.js';
import type { Logger } from '../lib/logger.js';
import type { HardState } from '../raft/types.js';
import { corrupt } from './errors.js';
import type { FileSystem } from './files.js';
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES, segmentHeaderFault } from './record.js';
import { Segment, scanSegment } from './segment.js';
import { TermLog } from './term-log.js';
import { readVote, VOTE_DRAFT, VOTE_FILE, writeVote } from './vote-file.js';

export interface Recovered {
  readonly hardState: HardState;
  /** Oldest first, at least one; the last is to be appended to. */
  readonly segments: Segment[];
  readonly terms: TermLog;
  readonly last: LogIndex;
}

const SEGMENT_NAME = /^(\d{20})\.log$/;

/** @throws {StoreError} STORE_CORRUPT, naming the file and the offset. */
export function recover(files: FileSystem, directory: string, logger: Logger): Recovered {
  const names = files.list(directory);
  const found = names.filter((name) => SEGMENT_NAME.test(name)).sort();
  if (names.includes(VOTE_DRAFT)) files.remove(join(directory, VOTE_DRAFT));
  const hardState = recoverVote(files, directory, names.includes(VOTE_FILE), found[0]);

  const terms = new TermLog();
  const segments: Segment[] = [];
  let last = logIndex(0);
  for (const [i, name] of found.entries()) {
    const isLast = i === found.length - 1;
    const segment = new Segment(join(directory, name), logIndex(Number(name.slice(0, 20))));
    if (segment.first !== last + 1) {
      throw corrupt(segment.path, 0, `the segment that begins with entry ${last + 1} is missing`);
    }
    const read = recoverSegment(segment, files, logger, {
      isLast,
      termBefore: terms.lastTerm,
      onEntry(index, entryTerm) {
        terms.add(index, entryTerm);
        last = index;
      },
    });
    if (read === 'unfinished') {
      // The crash came between the creation of the file and the sync of its header.
      files.remove(segment.path);
      files.syncDirectory(directory);
      logger.warn({ file: segment.path }, 'removed a segment that a crash left without a header');
    } else {
      segments.push(segment);
    }
  }
  if (segments.length === 0) segments.push(createSegment(files, directory, logIndex(1)));
  return { hardState, segments, terms, last };
}

/** Creates an empty segment durably: once this returned, a crash cannot lose the file or its header. */
export function createSegment(files: FileSystem, directory: string, first: LogIndex): Segment {
  const path = join(directory, `${String(first).padStart(20, '0')}.log`);
  const file = files.open(path, 'wx+');
  try {
    files.write(file, encodeSegmentHeader(first), SEGMENT_HEADER_BYTES, 0);
    files.sync(file);
  } finally {
    files.close(file);
  }
  files.syncDirectory(directory);
  return new Segment(path, first);
}

function recoverVote(
  files: FileSystem,
  directory: string,
  isThere: boolean,
  firstSegment: string | undefined,
): HardState {
  if (isThere) return readVote(files, directory);
  if (firstSegment !== undefined) {
    throw corrupt(
      join(directory, VOTE_FILE),
      0,
      'is missing beside a log: this member may have voted and must not vote again',
    );
  }
  const fresh: HardState = { term: term(0), votedFor: null };
  writeVote(files, directory, fresh);
  return fresh;
}

interface SegmentOptions {
  readonly isLast: boolean;
  readonly termBefore: Term;
  readonly onEntry: (index: LogIndex, term: Term) => void;
}

function recoverSegment(
  segment: Segment,
  files: FileSystem,
  logger: Logger,
  options: SegmentOptions,
): 'ready' | 'unfinished' {
  const file = files.open(segment.path, options.isLast ? 'r+' : 'r');
  try {
    const fileBytes = files.size(file);
    const header = Buffer.alloc(Math.min(SEGMENT_HEADER_BYTES, fileBytes));
    files.read(file, header, 0);
    const fault = segmentHeaderFault(header, segment.first);
    if (fault !== undefined) {
      if (options.isLast && fileBytes <= SEGMENT_HEADER_BYTES) return 'unfinished';
      throw corrupt(segment.path, 0, fault);
    }
    const end = scanSegment(segment, files, file, options);
    if (end < fileBytes) {
      files.truncate(file, end);
      files.sync(file);
      logger.warn(
        { file: segment.path, offset: end, bytes: fileBytes - end },
        'cut the tail of the log that a crash left unfinished',
      );
    }
    return 'ready';
  } finally {
    files.close(file);
  }
}
