/**
 * The bytes of a snapshot file, and how one comes to be: written as a draft, synced, renamed.
 *
 * ```
 * header, 4,096 bytes                     then blocks of 64 KiB, the last one shorter
 *   0  8  magic "QMARKSNP"                  0  4  CRC-32 of the data
 *   8  4  format version                    4  …  data
 *  12  4  CRC-32 of bytes 16..4,095
 *  16  8  index   24  8  term
 *  32  8  bytes of data in all
 *  40  4  length of the configuration, which follows
 * ```
 *
 * Little endian. The header is written last, so a draft that a crash left has none.
 */
import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { logIndex, term } from '../lib/brand.js';
import { decodeConfiguration, encodeConfiguration } from '../raft/configuration.js';
import type { SnapshotHead } from '../raft/types.js';
import { corrupt, unknownFormat } from './errors.js';
import type { FileSystem } from './files.js';
import type { StoredSnapshot } from './log-store.js';

const HEADER_BYTES = 4_096;
const HEADER_FIELDS = 44;
const BLOCK_BYTES = 64 << 10;
const CRC_BYTES = 4;
const MAGIC = Buffer.from('QMARKSNP', 'latin1');
const VERSION = 1;

/** A snapshot that is being written; one writer, parts in order. */
export class SnapshotDraft {
  readonly head: SnapshotHead;
  readonly path: string;
  readonly #files: FileSystem;
  readonly #file: number;
  /** The block that is not full yet, with room for its CRC in front. */
  readonly #block = Buffer.alloc(CRC_BYTES + BLOCK_BYTES);
  #blockBytes = 0;
  #at = HEADER_BYTES;
  #totalBytes = 0;
  #isOpen = true;

  constructor(files: FileSystem, path: string, head: SnapshotHead) {
    this.head = head;
    this.path = path;
    this.#files = files;
    this.#file = files.open(path, 'w');
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  write(part: Uint8Array): void {
    let from = 0;
    while (from < part.length) {
      const room = BLOCK_BYTES - this.#blockBytes;
      const taken = Math.min(room, part.length - from);
      this.#block.set(part.subarray(from, from + taken), CRC_BYTES + this.#blockBytes);
      this.#blockBytes += taken;
      from += taken;
      if (this.#blockBytes === BLOCK_BYTES) this.#writeBlock();
    }
    this.#totalBytes += part.length;
  }

  /** Writes what is left and the header; a sync of the file makes it whole. */
  finish(): StoredSnapshot {
    if (this.#blockBytes > 0) this.#writeBlock();
    const configuration = encodeConfiguration(this.head.configuration);
    assert(HEADER_FIELDS + configuration.length <= HEADER_BYTES, 'a group of too many members');
    const header = Buffer.alloc(HEADER_BYTES);
    MAGIC.copy(header);
    header.writeUInt32LE(VERSION, 8);
    header.writeBigUInt64LE(BigInt(this.head.index), 16);
    header.writeBigUInt64LE(BigInt(this.head.term), 24);
    header.writeBigUInt64LE(BigInt(this.#totalBytes), 32);
    header.writeUInt32LE(configuration.length, 40);
    header.set(configuration, HEADER_FIELDS);
    header.writeUInt32LE(crc32(header.subarray(16)), 12);
    this.#files.write(this.#file, header, HEADER_BYTES, 0);
    return { ...this.head, totalBytes: this.#totalBytes };
  }

  syncSoon(done: (error: Error | null) => void): void {
    this.#files.syncSoon(this.#file, done);
  }

  sync(): void {
    this.#files.sync(this.#file);
  }

  close(): void {
    if (this.#isOpen) this.#files.close(this.#file);
    this.#isOpen = false;
  }

  #writeBlock(): void {
    const length = CRC_BYTES + this.#blockBytes;
    this.#block.writeUInt32LE(crc32(this.#block.subarray(CRC_BYTES, length)));
    this.#files.write(this.#file, this.#block, length, this.#at);
    this.#at += length;
    this.#blockBytes = 0;
  }
}

/**
 * What a snapshot file says of itself; its data is checked when it is read.
 *
 * @throws {StoreError} STORE_CORRUPT, STORE_FORMAT_UNKNOWN
 */
export function readSnapshotHead(files: FileSystem, path: string): StoredSnapshot {
  const file = files.open(path, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const filled = files.read(file, header, 0);
    if (filled < HEADER_BYTES) throw corrupt(path, filled, 'header incomplete');
    if (!header.subarray(0, 8).equals(MAGIC)) throw corrupt(path, 0, 'not a snapshot');
    if (header.readUInt32LE(12) !== crc32(header.subarray(16))) {
      throw corrupt(path, 12, 'header CRC does not match');
    }
    const version = header.readUInt32LE(8);
    if (version !== VERSION) throw unknownFormat(path, version, `${VERSION}`);
    const configurationEnd = HEADER_FIELDS + header.readUInt32LE(40);
    return {
      index: logIndex(Number(header.readBigUInt64LE(16))),
      term: term(Number(header.readBigUInt64LE(24))),
      totalBytes: Number(header.readBigUInt64LE(32)),
      configuration: decodeConfiguration(header.subarray(HEADER_FIELDS, configurationEnd)),
    };
  } finally {
    files.close(file);
  }
}

/**
 * Data from `offset` on: to the end of its block, of the data, or `bytesMax`, whichever is nearest.
 *
 * @throws {StoreError} STORE_CORRUPT
 */
export function readSnapshotData(
  files: FileSystem,
  path: string,
  totalBytes: number,
  offset: number,
  bytesMax: number,
): Uint8Array {
  if (offset >= totalBytes) return new Uint8Array(0);
  const blockIndex = Math.floor(offset / BLOCK_BYTES);
  const at = HEADER_BYTES + blockIndex * (CRC_BYTES + BLOCK_BYTES);
  const length = Math.min(BLOCK_BYTES, totalBytes - blockIndex * BLOCK_BYTES);
  const block = Buffer.allocUnsafeSlow(CRC_BYTES + length);
  const file = files.open(path, 'r');
  try {
    const filled = files.read(file, block, at);
    if (filled < block.length) throw corrupt(path, at + filled, 'the snapshot ends too early');
  } finally {
    files.close(file);
  }
  const data = block.subarray(CRC_BYTES);
  if (block.readUInt32LE(0) !== crc32(data)) throw corrupt(path, at, 'block CRC does not match');
  const from = offset - blockIndex * BLOCK_BYTES;
  return data.subarray(from, from + bytesMax);
}
