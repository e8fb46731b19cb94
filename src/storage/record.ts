/**
 * The bytes of a log segment: a header, then one record per entry.
 *
 * ```
 * segment header, 24 bytes        record header, 24 bytes, then the body
 *   0  8  magic "QMARKLOG"          0  4  length of the body
 *   8  4  format version            4  4  CRC-32 of bytes 8.. to the body's end
 *  12  4  CRC-32 of the others      8  5  term
 *  16  8  index of the first entry 13  1  kind: 0 data, 1 configuration
 *                                  14  6  index
 *                                  20  4  how many entries before this one were not yet synced
 * ```
 *
 * All little endian. Format 1 had six bytes of term and no kind: its files read as format 2, whose
 * terms stay below 2^40. The last field tells, after a crash, a tail that never reached the disk whole
 * (it may be cut: nobody was promised it) from damage to entries that had been synced (it may not).
 */
import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { type LogIndex, logIndex, type Term, term } from '../lib/brand.js';
import type { Entry, EntryKind } from '../raft/types.js';
import { corrupt, unknownFormat } from './errors.js';

export const SEGMENT_HEADER_BYTES = 24;
export const RECORD_HEADER_BYTES = 24;
/** Twice the largest frame on the wire. A greater length on disk is damage. */
export const RECORD_BODY_BYTES_MAX = 32 << 20;

const MAGIC = Buffer.from('QMARKLOG', 'latin1');
export type FormatVersion = 1 | 2;
export const FORMAT_VERSION: FormatVersion = 2;
const TERM_MAX = 2 ** 40 - 1;
const UINT32_MAX = 0xffff_ffff;

export function encodeSegmentHeader(first: LogIndex, version: FormatVersion): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(version, 8);
  header.writeBigUInt64LE(BigInt(first), 16);
  header.writeUInt32LE(segmentHeaderCrc(header), 12);
  return header;
}

/**
 * Checks the header of the segment that begins with entry `first`. All versions have magic, version and
 * CRC in these places, so that another version is told from damage.
 *
 * @returns the version of its records.
 * @throws {StoreError} STORE_CORRUPT, STORE_FORMAT_UNKNOWN
 */
export function checkSegmentHeader(path: string, header: Buffer, first: LogIndex): FormatVersion {
  if (header.length < SEGMENT_HEADER_BYTES) throw corrupt(path, 0, 'header incomplete');
  if (!header.subarray(0, 8).equals(MAGIC)) throw corrupt(path, 0, 'not a segment of a log');
  if (header.readUInt32LE(12) !== segmentHeaderCrc(header)) {
    throw corrupt(path, 0, 'header CRC does not match');
  }
  const version = header.readUInt32LE(8);
  if (!isKnown(version)) throw unknownFormat(path, version, `1 to ${FORMAT_VERSION}`);
  const found = header.readBigUInt64LE(16);
  if (found !== BigInt(first)) {
    throw corrupt(path, 0, `header says first index ${found}, name says ${first}`);
  }
  return version;
}

const isKnown = (version: number): version is FormatVersion =>
  version >= 1 && version <= FORMAT_VERSION;

function segmentHeaderCrc(header: Buffer): number {
  return crc32(header.subarray(16, SEGMENT_HEADER_BYTES), crc32(header.subarray(0, 12)));
}

/**
 * Writes one record at `at`, for which `into` has room.
 *
 * @param unsynced entries before this one that no sync has covered yet.
 * @returns the offset after the record.
 */
export function encodeRecord(into: Buffer, at: number, entry: Entry, unsynced: number): number {
  const end = at + RECORD_HEADER_BYTES + entry.body.length;
  into.writeUInt32LE(entry.body.length, at);
  assert(entry.term <= TERM_MAX, `term ${entry.term} is out of range`);
  into.writeUIntLE(entry.term, at + 8, 5);
  into[at + 13] = entry.kind === 'data' ? 0 : 1;
  into.writeUIntLE(entry.index, at + 14, 6);
  into.writeUInt32LE(Math.min(unsynced, UINT32_MAX), at + 20);
  into.set(entry.body, at + RECORD_HEADER_BYTES);
  into.writeUInt32LE(crc32(into.subarray(at + 8, end)), at + 4);
  return end;
}

/** Below: `from` holds the record's header at `at`, and for the CRC its body too. */

export const bodyLengthAt = (from: Buffer, at: number): number => from.readUInt32LE(at);
export const termOf = (from: Buffer, at: number): Term => term(from.readUIntLE(at + 8, 5));
export const kindOf = (from: Buffer, at: number): EntryKind =>
  from[at + 13] === 0 ? 'data' : 'configuration';
export const indexOf = (from: Buffer, at: number): LogIndex =>
  logIndex(from.readUIntLE(at + 14, 6));
export const unsyncedBefore = (from: Buffer, at: number): number => from.readUInt32LE(at + 20);

export function crcMatches(from: Buffer, at: number): boolean {
  const end = at + RECORD_HEADER_BYTES + bodyLengthAt(from, at);
  return from.readUInt32LE(at + 4) === crc32(from.subarray(at + 8, end));
}
