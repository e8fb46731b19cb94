/**
 * Splits one TCP stream into frames.
 *
 *   offset 0  L: int32, the number of bytes that follow
 *          4  serialize type (8 bits), header length H (24 bits)
 *          8  header (H bytes), then the body (L - 4 - H bytes)
 *
 * A frame that lies wholly inside a chunk is handed on in place, without a copy. Otherwise its
 * pieces are gathered in one buffer that grows with what has really arrived, never with what a
 * length word claims.
 *
 * @source rocketmq NettyDecoder (LengthFieldBasedFrameDecoder; 5.x, 8fc57f1)
 */
import { FrameError } from './errors.js';

/** Upstream's `com.rocketmq.remoting.frameMaxLength`: the whole frame, its length word included. */
export const frameBytesMaxDefault = 16 * 1024 * 1024;

/**
 * Takes the frame at [start, end) of `bytes`, after its length word. The bytes are the frame's to
 * keep: they are never written again.
 */
export type OnFrame = (bytes: Buffer, start: number, end: number) => void;

const LENGTH_WORD = 4;
/** Gathering starts so small, because a claimed length is only a claim. */
const GATHER_BYTES_MIN = 4 * 1024;

export class FrameDecoder {
  readonly #frameBytesMax: number;
  /** The beginning of a frame that spans chunks; only the first `#gathered` bytes count. */
  #gather: Buffer = empty;
  #gathered = 0;
  #gatheredBefore = 0;
  #fault: FrameError | null = null;

  constructor(frameBytesMax: number = frameBytesMaxDefault) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Memory held for a frame whose rest has not arrived. */
  get heldBytes(): number {
    return this.#gather.length;
  }

  /** Names the frame that has begun and whose rest has not arrived; 0: there is none. */
  get unfinishedFrame(): number {
    return this.#gathered === 0 ? 0 : this.#gatheredBefore + 1;
  }

  /**
   * Calls `onFrame` for every frame that `chunk` completes, in order.
   *
   * @throws {FrameError} FRAME_TOO_LARGE or FRAME_TOO_SHORT; frames before the fault were delivered,
   *   and every later push throws the same, since the stream cannot be resynchronised.
   */
  push(chunk: Buffer, onFrame: OnFrame): void {
    if (this.#fault !== null) throw this.#fault;
    let at = this.#gathered === 0 ? 0 : this.#finishGathered(chunk, onFrame);
    let size = LENGTH_WORD;
    while (chunk.length - at >= LENGTH_WORD) {
      size = this.#frameSize(chunk, at);
      if (at + size > chunk.length) break;
      onFrame(chunk, at + LENGTH_WORD, at + size);
      at += size;
    }
    if (at < chunk.length) this.#keep(chunk, at, chunk.length, size);
  }

  /** @returns how many bytes of `chunk` were used. */
  #finishGathered(chunk: Buffer, onFrame: OnFrame): number {
    let at = 0;
    if (this.#gathered < LENGTH_WORD) {
      at = Math.min(LENGTH_WORD - this.#gathered, chunk.length);
      this.#keep(chunk, 0, at, LENGTH_WORD);
      if (this.#gathered < LENGTH_WORD) return at;
    }
    const size = this.#frameSize(this.#gather, 0);
    const used = Math.min(chunk.length, at + size - this.#gathered);
    this.#keep(chunk, at, used, size);
    if (this.#gathered < size) return used;
    const frame = this.#gather;
    this.#gather = empty;
    this.#gathered = 0;
    this.#gatheredBefore += 1;
    onFrame(frame, LENGTH_WORD, size);
    return used;
  }

  /** @param claimed the size of the frame, as far as it is known */
  #keep(chunk: Buffer, start: number, end: number, claimed: number): void {
    const needed = this.#gathered + end - start;
    if (needed > this.#gather.length) {
      const doubled = Math.max(GATHER_BYTES_MIN, this.#gather.length * 2);
      const grown = Buffer.allocUnsafe(Math.max(needed, Math.min(doubled, claimed)));
      this.#gather.copy(grown, 0, 0, this.#gathered);
      this.#gather = grown;
    }
    chunk.copy(this.#gather, this.#gathered, start, end);
    this.#gathered = needed;
  }

  #frameSize(bytes: Buffer, at: number): number {
    const length = bytes.readInt32BE(at);
    if (length < LENGTH_WORD) {
      throw this.#fail(new FrameError('FRAME_TOO_SHORT', `length ${length}`));
    }
    if (length + LENGTH_WORD > this.#frameBytesMax) {
      const detail = `${length + LENGTH_WORD} bytes, at most ${this.#frameBytesMax}`;
      throw this.#fail(new FrameError('FRAME_TOO_LARGE', detail));
    }
    return length + LENGTH_WORD;
  }

  #fail(fault: FrameError): FrameError {
    this.#fault = fault;
    this.#gather = empty;
    this.#gathered = 0;
    return fault;
  }
}

const empty = Buffer.alloc(0);
