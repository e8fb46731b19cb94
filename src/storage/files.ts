/**
 * The port to the file system, as little of it as a log needs: the store's tests replace it by a
 * disk that crashes at any chosen call. All calls throw what `node:fs` throws.
 */
import fs from 'node:fs';
import { dirname } from 'node:path';
import { type DirectoryLock, lockDirectory } from './directory-lock.js';

/** `r` to read, `r+` to change, `w` to create or empty, `wx+` to create what must not exist. */
export type OpenFlags = 'r' | 'r+' | 'w' | 'wx+';

export interface FileSystem {
  /** Throws ENOENT when its parent is not there; an existing one is fine. */
  makeDirectory(path: string): void;
  list(directory: string): string[];
  /** @param mode of a file that is created, default 0644 */
  open(path: string, flags: OpenFlags, mode?: number): number;
  size(file: number): number;
  /** Fills `into` from its first byte as far as the file reaches, and returns how many bytes that is. */
  read(file: number, into: Uint8Array, position: number): number;
  /** Writes `length` bytes of `from`, all of them or it throws. */
  write(file: number, from: Uint8Array, length: number, position: number): void;
  truncate(file: number, length: number): void;
  /** fdatasync that blocks. */
  sync(file: number): void;
  /** fdatasync on another thread. */
  syncSoon(file: number, done: (error: Error | null) => void): void;
  /** Makes creations, renames and removals in the directory durable. */
  syncDirectory(path: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** Bytes that this process may still write in the directory's file system. */
  freeBytes(directory: string): number;
  close(file: number): void;
  /** @throws {StoreError} STORE_LOCKED, naming the process that holds it. */
  lock(directory: string): DirectoryLock;
}

export const systemFiles: FileSystem = {
  makeDirectory(path) {
    try {
      fs.mkdirSync(path);
    } catch (error) {
      if (!hasCode(error, 'EEXIST') || !fs.statSync(path).isDirectory()) throw error;
    }
  },
  list: (directory) => fs.readdirSync(directory),
  open: (path, flags, mode = 0o644) => fs.openSync(path, flags, mode),
  size: (file) => fs.fstatSync(file).size,
  read(file, into, position) {
    let filled = 0;
    while (filled < into.length) {
      const got = fs.readSync(file, into, filled, into.length - filled, position + filled);
      if (got === 0) break;
      filled += got;
    }
    return filled;
  },
  write(file, from, length, position) {
    let written = 0;
    while (written < length) {
      written += fs.writeSync(file, from, written, length - written, position + written);
    }
  },
  truncate: (file, length) => fs.ftruncateSync(file, length),
  sync: (file) => fs.fdatasyncSync(file),
  syncSoon: (file, done) => fs.fdatasync(file, done),
  syncDirectory(path) {
    const directory = fs.openSync(path, 'r');
    try {
      fs.fsyncSync(directory);
    } finally {
      fs.closeSync(directory);
    }
  },
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.unlinkSync(path),
  freeBytes(directory) {
    const { bavail, bsize } = fs.statfsSync(directory);
    return bavail * bsize;
  },
  close: (file) => fs.closeSync(file),
  lock: lockDirectory,
};

const hasCode = (error: unknown, code: string): boolean =>
  (error as NodeJS.ErrnoException | null)?.code === code;

/**
 * Makes a directory, and those above it that are missing. Each is there for good before one is made in
 * it: a crash could else take them all, with what was synced in the last.
 */
export function makeDirectoryDurably(files: FileSystem, path: string): void {
  try {
    files.makeDirectory(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    makeDirectoryDurably(files, dirname(path));
    files.makeDirectory(path);
  }
  files.syncDirectory(dirname(path));
}
