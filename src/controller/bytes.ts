/**
 * Numbers and strings as bytes: what log entries and snapshots are made of.
 *
 * A number from 0 to 254 is one byte; any other safe integer is 255 and a float64. A string is
 * its length and its code units, one byte each where all fit and two where not, so that every
 * string of the language survives, lone surrogates included: what was decided for one broker
 * name must not be applied to another.
 *
 * The bytes were written by us and checked by the store, so bad ones are a bug and an assertion.
 * Every read consumes at least one byte and stays within the rest, so it ends on any input.
 */
import assert from 'node:assert/strict';

const WIDE_NUMBER = 0xff;
const WIDE_NUMBER_BYTES = 9;

/**
 * Appends to a slab and hands out views of it, so that a thousand small results cost one
 * allocation. Bytes that were handed out are never written again.
 */
export class ByteWriter {
  readonly #slabBytes: number;
  #slab: Buffer;
  #start = 0;
  #end = 0;

  constructor(slabBytes: number) {
    this.#slabBytes = slabBytes;
    this.#slab = Buffer.allocUnsafeSlow(slabBytes);
  }

  /** Bytes written since the last `take`. */
  get byteLength(): number {
    return this.#end - this.#start;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#slab[this.#end] = value;
    this.#end += 1;
  }

  number(value: number): void {
    assert(Number.isSafeInteger(value), 'only safe integers are written');
    this.#reserve(WIDE_NUMBER_BYTES);
    if (value >= 0 && value < WIDE_NUMBER) {
      this.#slab[this.#end] = value;
      this.#end += 1;
      return;
    }
    this.#slab[this.#end] = WIDE_NUMBER;
    this.#end = this.#slab.writeDoubleLE(value, this.#end + 1);
  }

  /** Bytes that another writer made. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#slab.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  numbers(values: readonly number[]): void {
    this.number(values.length);
    for (const value of values) this.number(value);
  }

  text(value: string): void {
    const { length } = value;
    this.#reserve(WIDE_NUMBER_BYTES + 2 * length);
    const wide = !isLatin1(value);
    this.number(2 * length + (wide ? 1 : 0));
    const slab = this.#slab;
    if (wide) {
      this.#end += slab.write(value, this.#end, 'utf16le');
      return;
    }
    let at = this.#end;
    for (let i = 0; i < length; i += 1, at += 1) slab[at] = value.charCodeAt(i);
    this.#end = at;
  }

  nullableText(value: string | null): void {
    this.byte(value === null ? 0 : 1);
    if (value !== null) this.text(value);
  }

  /** @returns what was written since the last `take`; the caller's for good. */
  take(): Uint8Array {
    const taken = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return taken;
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#slab.length) return;
    const pending = this.byteLength;
    const slab = Buffer.allocUnsafeSlow(Math.max(this.#slabBytes, 2 * (pending + bytes)));
    this.#slab.copy(slab, 0, this.#start, this.#end);
    this.#slab = slab;
    this.#start = 0;
    this.#end = pending;
  }
}

export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    assert(value !== undefined, 'bytes end in the middle of a value');
    this.#at += 1;
    return value;
  }

  number(): number {
    const first = this.byte();
    if (first !== WIDE_NUMBER) return first;
    this.#need(WIDE_NUMBER_BYTES - 1);
    const value = this.#bytes.readDoubleLE(this.#at);
    assert(Number.isSafeInteger(value), 'not a safe integer');
    assert(value < 0 || value >= WIDE_NUMBER, 'a small number has one form only');
    this.#at += WIDE_NUMBER_BYTES - 1;
    return value;
  }

  /** A number of things that each take a byte at least, so that it cannot ask for more than is there. */
  count(): number {
    const value = this.number();
    assert(value >= 0 && value <= this.#bytes.length - this.#at, 'counts more than there is');
    return value;
  }

  numbers(): number[] {
    const values = new Array<number>(this.count());
    for (let i = 0; i < values.length; i += 1) values[i] = this.number();
    return values;
  }

  text(): string {
    const header = this.number();
    assert(header >= 0, 'negative length');
    const wide = header % 2 === 1;
    const bytes = wide ? header - 1 : header / 2;
    this.#need(bytes);
    const start = this.#at;
    this.#at += bytes;
    return this.#bytes.toString(wide ? 'utf16le' : 'latin1', start, this.#at);
  }

  nullableText(): string | null {
    const present = this.byte();
    assert(present <= 1, 'neither present nor absent');
    return present === 1 ? this.text() : null;
  }

  #need(bytes: number): void {
    assert(bytes <= this.#bytes.length - this.#at, 'bytes end in the middle of a value');
  }
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) > 0xff) return false;
  }
  return true;
}
