/**
 * The floor's file: bytes in, a mark back when they are as durable as asked.
 *
 * It is written for its cost, not to be read again, so it wraps round at a fixed size.
 */
import fs from 'node:fs';
import type { Durability } from '../storage/log-store.js';

const FILE_BYTES_MAX = 256 * 1024 * 1024;

export class FloorLog {
  readonly #file: number;
  readonly #syncs: boolean;
  readonly #onPersisted: (mark: number) => void;
  #position = 0;
  #written = 0;
  #persisted = 0;
  #isSyncing = false;

  /**
   * @param options.durability `background` writes only; `group` syncs once for all that waits, and
   *   so does `each`, since a batch is one append here.
   * @param options.onPersisted called with a mark when everything up to it is durable; under
   *   `background` before `write` returns.
   */
  constructor(options: {
    readonly file: string;
    readonly durability: Durability;
    readonly onPersisted: (mark: number) => void;
  }) {
    this.#file = fs.openSync(options.file, 'w');
    this.#syncs = options.durability !== 'background';
    this.#onPersisted = options.onPersisted;
  }

  /** @param mark of the last batch that `bytes` completes; marks never fall. */
  write(bytes: Buffer, mark: number): void {
    if (this.#position + bytes.length > FILE_BYTES_MAX) this.#position = 0;
    fs.writeSync(this.#file, bytes, 0, bytes.length, this.#position);
    this.#position += bytes.length;
    this.#written = mark;
    if (this.#syncs) this.#sync();
    else this.#onPersisted(mark);
  }

  #sync(): void {
    if (this.#isSyncing || this.#persisted === this.#written) return;
    this.#isSyncing = true;
    const mark = this.#written;
    fs.fdatasync(this.#file, (error) => {
      if (error !== null) throw error;
      this.#isSyncing = false;
      this.#persisted = mark;
      this.#onPersisted(mark);
      this.#sync();
    });
  }
}
