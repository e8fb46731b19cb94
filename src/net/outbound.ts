/**
 * The outgoing half of a connection: frames are gathered during a turn and leave in one write.
 */
import { FrameWriter, type Identity } from '../remoting/frame-writer.js';
import type { ByteStream } from './byte-stream.js';
import { type Flushable, flushThisTurn } from './turn.js';

export class Outbound implements Flushable {
  readonly #socket: ByteStream;
  readonly #frames: FrameWriter;
  readonly #onFlushed: (() => void) | null;
  #isWaiting = false;

  /** @param onFlushed called after each write to the socket, to look at `pendingBytes`. */
  constructor(socket: ByteStream, identity: Identity, onFlushed: (() => void) | null = null) {
    this.#socket = socket;
    this.#frames = new FrameWriter(identity);
    this.#onFlushed = onFlushed;
  }

  /** To write frames with; asking for it has them flushed this turn. Do not keep it for later. */
  get writer(): FrameWriter {
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      flushThisTurn(this);
    }
    return this.#frames;
  }

  /** Bytes that the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.#frames.length + this.#socket.writableLength;
  }

  /** Bytes gathered and not yet written to the socket. */
  get gatheredBytes(): number {
    return this.#frames.length;
  }

  flush(): void {
    this.#isWaiting = false;
    if (this.#frames.length === 0 || this.#socket.connecting) return;
    if (!this.#socket.writable) {
      this.#frames.release();
      return;
    }
    this.#socket.write(this.#frames.bytes());
    // Nothing pending means that the kernel took all of it, so the memory is ours again.
    if (this.#socket.writableLength === 0) this.#frames.clear();
    else this.#frames.release();
    this.#onFlushed?.();
  }

  /** Forgets what is gathered. */
  discard(): void {
    this.#frames.release();
  }
}
