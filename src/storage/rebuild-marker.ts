/**
 * Remembers, across restarts, that a member lost entries which it may have acknowledged.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type LogIndex, logIndex } from '../lib/brand.js';
import { corrupt } from './errors.js';
import type { FileSystem } from './files.js';

export const REBUILD_FILE = 'rebuild';
const DRAFT = 'rebuild.new';
const BYTES = 12;

/** @returns the index up to which entries may have been acknowledged; 0 when there is no marker. */
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
  return logIndex(Number(bytes.readBigUInt64LE(4)));
}

/** Returns when it is durable. */
export function writeMarker(files: FileSystem, directory: string, index: LogIndex): void {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeBigUInt64LE(BigInt(index), 4);
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
