/**
 * Remembers, across restarts, that a member lost entries which it may have acknowledged.
 *
 * The file has 12 bytes, little endian: 4 of CRC-32 of the others, 6 of the index, 2 of the format
 * version less 1.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type LogIndex, logIndex } from '../lib/brand.js';
import { corrupt, unknownFormat } from './errors.js';
import type { FileSystem } from './files.js';

export const REBUILD_FILE = 'rebuild';
const DRAFT = 'rebuild.new';
const BYTES = 12;
const VERSION = 1;

/**
 * @returns the index up to which entries may have been acknowledged; 0 when there is no marker.
 * @throws {StoreError} STORE_CORRUPT, STORE_FORMAT_UNKNOWN
 */
export function readMarker(
  files: FileSystem,
  directory: string,
  names: readonly string[],
): LogIndex {
  if (!names.includes(REBUILD_FILE)) return logIndex(0);
  const path = join(directory, REBUILD_FILE);
  const bytes = Buffer.alloc(BYTES);
  const file = files.open(path, 'r');
  try {
    files.read(file, bytes, 0);
  } finally {
    files.close(file);
  }
  if (bytes.readUInt32LE(0) !== crc32(bytes.subarray(4))) {
    throw corrupt(path, 0, 'the mark of a rebuild is damaged');
  }
  const version = bytes.readUInt16LE(10) + 1;
  if (version !== VERSION) throw unknownFormat(path, version, `${VERSION}`);
  return logIndex(bytes.readUIntLE(4, 6));
}

/** Returns when it is durable. */
export function writeMarker(files: FileSystem, directory: string, index: LogIndex): void {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeUIntLE(index, 4, 6);
  bytes.writeUInt16LE(VERSION - 1, 10);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  const draft = join(directory, DRAFT);
  const file = files.open(draft, 'w');
  try {
    files.write(file, bytes, BYTES, 0);
    files.sync(file);
  } finally {
    files.close(file);
  }
  files.rename(draft, join(directory, REBUILD_FILE));
  files.syncDirectory(directory);
}

export function removeMarker(files: FileSystem, directory: string): void {
  files.remove(join(directory, REBUILD_FILE));
  files.syncDirectory(directory);
}
