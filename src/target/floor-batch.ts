/**
 * How batches travel from the floor's leader to its followers, and acks back.
 *
 *   batch  uint32 number of bytes that follow the mark · uint32 mark · entries
 *   ack    uint32 mark: everything up to it is durable
 */

export const BATCH_HEADER_BYTES = 8;
export const ACK_BYTES = 4;
const ENTRY_PREFIX_BYTES = 4;
const BUFFER_BYTES_MIN = 64 * 1024;

/** Gathers entries until they are taken as one batch. */
export class BatchBuilder {
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES_MIN);
  #length = BATCH_HEADER_BYTES;

  /** An entry is a broker set's name and what is asked of it. */
  add(name: string, body: Buffer | null): void {
    const bodyBytes = body === null ? 0 : body.length;
    this.#ensure(ENTRY_PREFIX_BYTES + name.length * 3 + bodyBytes);
    const start = this.#length + ENTRY_PREFIX_BYTES;
    const nameBytes = this.#buffer.write(name, start);
    if (body !== null) this.#buffer.set(body, start + nameBytes);
    this.#buffer.writeUInt32BE(nameBytes + bodyBytes, this.#length);
    this.#length = start + nameBytes + bodyBytes;
  }

  /** A copy, since the sockets may hold on to it. */
  take(mark: number): Buffer {
    this.#buffer.writeUInt32BE(this.#length - BATCH_HEADER_BYTES, 0);
    this.#buffer.writeUInt32BE(mark, 4);
    const batch = Buffer.allocUnsafe(this.#length);
    this.#buffer.copy(batch, 0, 0, this.#length);
    this.#length = BATCH_HEADER_BYTES;
    return batch;
  }

  #ensure(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** Walks a stream of records with a fixed head and finds the last one that is complete. Copies no bodies. */
export class MarkReader {
  readonly #head: Buffer;
  readonly #markAt: number;
  readonly #hasBody: boolean;
  #headBytes = 0;
  #bodyLeft = 0;
  #mark = 0;

  constructor(kind: 'batches' | 'acks') {
    this.#hasBody = kind === 'batches';
    this.#head = Buffer.alloc(this.#hasBody ? BATCH_HEADER_BYTES : ACK_BYTES);
    this.#markAt = this.#hasBody ? 4 : 0;
  }

  /** @returns the mark of the last record that is complete with this chunk, 0 before the first. */
  push(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length) {
      if (this.#headBytes < this.#head.length) {
        const wanted = this.#head.length - this.#headBytes;
        const copied = chunk.copy(this.#head, this.#headBytes, at, at + wanted);
        this.#headBytes += copied;
        at += copied;
        if (this.#headBytes < this.#head.length) break;
        this.#bodyLeft = this.#hasBody ? this.#head.readUInt32BE(0) : 0;
      }
      const skipped = Math.min(this.#bodyLeft, chunk.length - at);
      this.#bodyLeft -= skipped;
      at += skipped;
      if (this.#bodyLeft > 0) break;
      this.#mark = this.#head.readUInt32BE(this.#markAt);
      this.#headBytes = 0;
    }
    return this.#mark;
  }
}
