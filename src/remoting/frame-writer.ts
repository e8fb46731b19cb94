/**
 * Gathers outgoing frames, so that all frames of one event-loop turn leave in one write.
 *
 * Frames are written into one growing buffer; header and body text go in together, in a single
 * call, and the length words are patched in behind. JSON headers have upstream's alphabetical
 * key order.
 */

import { jsonString } from '../lib/json-text.js';
import { FLAG_RESPONSE } from './command.js';
import { FrameError } from './errors.js';
import { frameBytesMaxDefault } from './frame-decoder.js';
import type { Language } from './languages.js';

export type Body = Buffer | string | null;

/** How this process introduces itself in every header. `version` is upstream's MQVersion ordinal. */
export interface Identity {
  readonly language: Language;
  readonly version: number;
}

/** A stand-alone controller leaves its version unset, as upstream does. */
export const serverIdentity: Identity = { language: 'NODE_JS', version: 0 };
/** Brokers and tools of 5.4.0 send 493. */
export const clientIdentity: Identity = { language: 'NODE_JS', version: 493 };

export interface RequestFrame {
  readonly code: number;
  readonly opaque: number;
  readonly flag: number;
  /** JSON text of the extFields object, or null to leave the key out. */
  readonly extFields: string | null;
  readonly body: Body;
}

export interface ResponseFrame {
  readonly code: number;
  /** The request's. */
  readonly opaque: number;
  /** JSON text of the extFields object, or null to leave the key out. */
  readonly extFields: string | null;
  readonly remark: string | null;
  readonly body: Body;
}

/** A request's header up to the value of `flag`: made once for what is sent again and again. */
export const requestHead = (code: number, extFields: string): Buffer =>
  Buffer.from(headText(code, extFields));

function headText(code: number, extFields: string | null): string {
  const fields = extFields === null ? '' : `,"extFields":${extFields}`;
  return `{"code":${code}${fields},"flag":`;
}

const PREFIX_BYTES = 8;
const BUFFER_BYTES_MIN = 1024;
/** A buffer that a burst has grown past this is given back rather than kept for the next turn. */
const BUFFER_BYTES_KEPT = 256 * 1024;
/** Texts up to here reserve the worst case of UTF-8 instead of counting first. */
const SHORT_TEXT = 4 * 1024;
const HEADER_BYTES_MAX = 0xff_ffff;

export class FrameWriter {
  readonly #middle: string;
  readonly #tail: string;
  readonly #frameBytesMax: number;
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(identity: Identity = serverIdentity, frameBytesMax: number = frameBytesMaxDefault) {
    this.#frameBytesMax = frameBytesMax;
    this.#middle = `,"language":"${identity.language}","opaque":`;
    this.#tail = `,"serializeTypeCurrentRPC":"JSON","version":${identity.version}}`;
  }

  /** Bytes waiting. */
  get length(): number {
    return this.#length;
  }

  /** @throws {FrameError} FRAME_TOO_LARGE; nothing was added. */
  request({ body, code, extFields, flag, opaque }: RequestFrame): void {
    this.#text(headText(code, extFields) + this.#requestRest(flag, opaque), body);
  }

  /**
   * A request without a body, of which only `flag` and `opaque` are new.
   *
   * @throws {FrameError} FRAME_TOO_LARGE; nothing was added.
   */
  again(head: Buffer, flag: number, opaque: number): void {
    const rest = this.#requestRest(flag, opaque);
    const headerBytes = head.length + rest.length;
    this.#checkSize(headerBytes, 0);
    this.#ensure(PREFIX_BYTES + headerBytes);
    const at = this.#length + PREFIX_BYTES;
    this.#buffer.set(head, at);
    this.#buffer.write(rest, at + head.length, 'latin1');
    this.#finish(this.#length, 0, headerBytes, 0);
  }

  /** @throws {FrameError} FRAME_TOO_LARGE; nothing was added. */
  response(frame: ResponseFrame): void {
    const remark = frame.remark === null ? '' : `,"remark":${jsonString(frame.remark)}`;
    this.#text(
      `${headText(frame.code, frame.extFields)}${FLAG_RESPONSE}${this.#middle}${frame.opaque}${remark}${this.#tail}`,
      frame.body,
    );
  }

  /**
   * Adds a frame with a ready header and leaves `bodyLength` bytes for the caller to fill in
   * `buffer`, from the returned offset, before anything else is written.
   *
   * @param type the serialize type of `header`: 0 JSON, 1 binary
   * @throws {FrameError} FRAME_TOO_LARGE; nothing was added.
   */
  reserve(type: number, header: Uint8Array, bodyLength: number): number {
    this.#checkSize(header.length, bodyLength);
    const start = this.#length;
    this.#ensure(PREFIX_BYTES + header.length + bodyLength);
    this.#buffer.set(header, start + PREFIX_BYTES);
    this.#finish(start, type, header.length, bodyLength);
    return start + PREFIX_BYTES + header.length;
  }

  /** Valid until the next frame is added. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  /** All waiting frames, in place: valid until `clear` or the next frame. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Forgets the frames; their memory is used again. */
  clear(): void {
    this.#length = 0;
    if (this.#buffer.length > BUFFER_BYTES_KEPT) this.release();
  }

  /** Forgets the frames and leaves their memory to whoever holds `bytes()`. */
  release(): void {
    this.#length = 0;
    this.#buffer = Buffer.alloc(0);
  }

  #requestRest(flag: number, opaque: number): string {
    return `${flag}${this.#middle}${opaque}${this.#tail}`;
  }

  #text(header: string, body: Body): void {
    const text = typeof body === 'string' ? header + body : header;
    const start = this.#length;
    const isShort = text.length <= SHORT_TEXT;
    const blob = body === null || typeof body === 'string' ? null : body;
    const blobBytes = blob === null ? 0 : blob.length;
    const textRoom = isShort ? text.length * 3 : Buffer.byteLength(text);
    if (!isShort || blobBytes > 0)
      this.#checkSize(0, (isShort ? text.length : textRoom) + blobBytes);
    this.#ensure(PREFIX_BYTES + textRoom + blobBytes);
    const textStart = start + PREFIX_BYTES;
    const textBytes = this.#buffer.write(text, textStart);
    // As many bytes as UTF-16 units: all ASCII, so the header is as long as its string.
    const headerBytes = textBytes === text.length ? header.length : Buffer.byteLength(header);
    if (blob !== null) this.#buffer.set(blob, textStart + textBytes);
    const bodyBytes = textBytes - headerBytes + blobBytes;
    this.#checkSize(headerBytes, bodyBytes);
    this.#finish(start, 0, headerBytes, bodyBytes);
  }

  #checkSize(headerBytes: number, bodyBytes: number): void {
    const size = PREFIX_BYTES + headerBytes + bodyBytes;
    if (size > this.#frameBytesMax || headerBytes > HEADER_BYTES_MAX) {
      const detail = `${size} bytes to send, at most ${this.#frameBytesMax}`;
      throw new FrameError('FRAME_TOO_LARGE', detail);
    }
  }

  #finish(start: number, type: number, headerBytes: number, bodyBytes: number): void {
    const buffer = this.#buffer;
    writeUint32(buffer, start, 4 + headerBytes + bodyBytes);
    writeUint32(buffer, start + 4, ((type << 24) | headerBytes) >>> 0);
    this.#length = start + PREFIX_BYTES + headerBytes + bodyBytes;
  }

  #ensure(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(
      Math.max(needed, this.#buffer.length * 2, BUFFER_BYTES_MIN),
    );
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

function writeUint32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
}
