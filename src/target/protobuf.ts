/**
 * As much of protocol buffers as a few small messages need: varints, and fields with a length.
 *
 * @source protobuf.dev/programming-guides/encoding
 */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** A field as it is written: its number and what it holds. `false` and 0 are what absence means. */
export type Field = readonly [number: number, value: number | bigint | Buffer];

export function message(...fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) =>
      Buffer.isBuffer(value)
        ? [varint((number << 3) | LENGTH), varint(value.length), value]
        : [varint((number << 3) | VARINT), varint(value)],
    ),
  );
}

function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** The fields of a message by number; of a repeated one, the last. Views into `bytes`. */
export type Fields = ReadonlyMap<number, bigint | Buffer>;

/** @throws {RangeError} for bytes that are no message. */
export function fieldsOf(bytes: Buffer): Fields {
  const fields = new Map<number, bigint | Buffer>();
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError('a protocol buffer ends within a field');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const takeVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = take(1)[0] ?? 0;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new RangeError('a varint of more than ten bytes');
  };
  while (at < bytes.length) {
    const key = Number(takeVarint());
    const number = key >> 3;
    switch (key & 7) {
      case VARINT:
        fields.set(number, takeVarint());
        break;
      case LENGTH:
        fields.set(number, take(Number(takeVarint())));
        break;
      case FIXED64:
        take(8);
        break;
      case FIXED32:
        take(4);
        break;
      default:
        throw new RangeError(`field ${number} has wire type ${key & 7}`);
    }
  }
  return fields;
}

/** A number field; 0 when it is absent. */
export function numberField(fields: Fields, number: number): bigint {
  const value = fields.get(number);
  return typeof value === 'bigint' ? value : 0n;
}

/** A nested message; an empty one when it is absent. */
export function messageField(fields: Fields, number: number): Fields {
  const value = fields.get(number);
  return Buffer.isBuffer(value) ? fieldsOf(value) : new Map();
}
