/**
 * Remembers the headers of one sender, because most come again: a broker beats in the same words
 * every second, and members' frames differ in their bodies alone. What equals a header seen before
 * in every byte but the digits of `opaque` need not be parsed again; nor what has only other values
 * in `extFields`.
 */
import type { RemotingCommand } from './command.js';
import { type HeaderShape, readOpaque, readShaped, shapeOf } from './header-shape.js';

/** A command as its header makes it, and that header. */
interface Known {
  readonly header: Buffer;
  /** Where the digits of `opaque` begin and end. */
  readonly opaqueAt: number;
  readonly opaqueEnd: number;
  readonly command: RemotingCommand;
}

/** Longer headers are not remembered: 8 of 512 bytes, and as many shapes, are what a connection may cost. */
const HEADER_BYTES_MAX = 512;
const KNOWN_MAX = 8;
/** So many headers in a row that were not known, and this sender is not listened to so closely any more. */
const MISSES_MAX = 32;
/** `{"code":51004`: the last two digits tell the codes of members apart. */
const CODE_DIGITS_AT = 11;
/** The end of a request, from upstream as from us. With it `opaque` is a key of the header itself, and the last. */
const requestEnd =
  /"opaque":(0|[1-9][0-9]{0,8})(,"serializeTypeCurrentRPC":"JSON","version":[0-9]+\})$/;

export class HeaderMemo {
  readonly #known = new Array<Known | null>(KNOWN_MAX).fill(null);
  readonly #shapes = new Array<HeaderShape | null>(KNOWN_MAX).fill(null);
  #missesLeft = MISSES_MAX;
  #shapesLeft = MISSES_MAX;

  /** The command whose header lies at [start, end), with this body; null: the header is not known. */
  recall(
    bytes: Buffer,
    start: number,
    end: number,
    body: RemotingCommand['body'],
  ): RemotingCommand | null {
    const digits = codeDigits(bytes, start, end);
    if (digits === null) return null;
    const known = this.#missesLeft === 0 ? null : this.#known[slotOf(digits, end - start)];
    if (known != null) {
      const opaque = opaqueIn(known, bytes, start, end);
      if (opaque >= 0) {
        this.#missesLeft = MISSES_MAX;
        const { code, extFields, flag, language, remark, version } = known.command;
        return { code, language, version, opaque, flag, remark, extFields, body };
      }
    }
    const shape = this.#shapes[digits % KNOWN_MAX];
    const command = shape == null ? null : readShaped(shape, bytes, start, end, body);
    if (command === null) return null;
    this.#shapesLeft = MISSES_MAX;
    this.#rememberHeader(digits, command, bytes, start, end);
    return command;
  }

  /** Of a header that was not known: what became of it. */
  remember(command: RemotingCommand, bytes: Buffer, start: number, end: number): void {
    const digits = codeDigits(bytes, start, end);
    if (digits === null) return;
    if (this.#shapesLeft > 0) {
      this.#shapesLeft -= 1;
      this.#shapes[digits % KNOWN_MAX] = shapeOf(command, bytes.toString('latin1', start, end));
    }
    this.#rememberHeader(digits, command, bytes, start, end);
  }

  #rememberHeader(
    digits: number,
    command: RemotingCommand,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    if (this.#missesLeft === 0) return;
    this.#missesLeft -= 1;
    this.#known[slotOf(digits, end - start)] = knownFrom(command, bytes, start, end);
  }
}

/** Tells codes apart; null for what is not remembered. */
function codeDigits(bytes: Buffer, start: number, end: number): number | null {
  const digitsAt = start + CODE_DIGITS_AT;
  if (end - start > HEADER_BYTES_MAX || digitsAt + 1 >= end) return null;
  return (bytes[digitsAt] as number) + (bytes[digitsAt + 1] as number);
}

const slotOf = (digits: number, headerBytes: number): number => (digits + headerBytes) % KNOWN_MAX;

/** @returns the `opaque` of a header that is the known one in all else; -1: it is another. */
function opaqueIn(known: Known, bytes: Buffer, start: number, end: number): number {
  const { header, opaqueAt, opaqueEnd } = known;
  if (end - start !== header.length) return -1;
  const opaque = readOpaque(bytes, start + opaqueAt, start + opaqueEnd);
  if (opaque < 0) return -1;
  const isSame =
    bytes.compare(header, 0, opaqueAt, start, start + opaqueAt) === 0 &&
    bytes.compare(header, opaqueEnd, header.length, start + opaqueEnd, end) === 0;
  return isSame ? opaque : -1;
}

/** null for what is not a plain request, whose digits of `opaque` could be others than they seem. */
function knownFrom(
  command: RemotingCommand,
  bytes: Buffer,
  start: number,
  end: number,
): Known | null {
  const text = bytes.toString('latin1', start, end);
  const [, digits, rest] = requestEnd.exec(text) ?? [];
  if (digits === undefined || rest === undefined) return null;
  const opaqueEnd = text.length - rest.length;
  return {
    header: Buffer.from(bytes.subarray(start, end)),
    opaqueAt: opaqueEnd - digits.length,
    opaqueEnd,
    command: { ...command, body: null },
  };
}
