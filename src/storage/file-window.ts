/** Reads a file from front to back through a window, so that no file is held in memory whole. */
import type { FileSystem } from './files.js';

export class FileWindow {
  readonly #files: FileSystem;
  readonly #file: number;
  readonly #windowBytes: number;
  #start = 0;
  #bytes = Buffer.alloc(0);

  constructor(files: FileSystem, file: number, windowBytes: number) {
    this.#files = files;
    this.#file = file;
    this.#windowBytes = windowBytes;
  }

  /** What `locate` positions refer to, until its next call. Never overwritten: slices stay valid. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The position in `bytes` of `length` bytes from `offset` of the file; -1 if the file ends before. */
  locate(offset: number, length: number): number {
    const at = offset - this.#start;
    if (at >= 0 && at + length <= this.#bytes.length) return at;
    const window = Buffer.allocUnsafeSlow(Math.max(length, this.#windowBytes));
    const filled = this.#files.read(this.#file, window, offset);
    this.#start = offset;
    this.#bytes = window.subarray(0, filled);
    return filled < length ? -1 : 0;
  }
}
