/**
 * What changes a key-value store, as the body of a log entry.
 *
 * ```
 * u8 kind (1 put, 2 delete, 3 compare and swap), u16 length, key,
 * put: value to the end
 * swap: u32 length of what is expected (2^32 - 1: nothing there), that, new value to the end
 * ```
 */
export type KvCommand =
  | { readonly kind: 'put'; readonly key: string; readonly value: Buffer }
  | { readonly kind: 'delete'; readonly key: string }
  /** `expected` null: the key must not be there. */
  | {
      readonly kind: 'cas';
      readonly key: string;
      readonly expected: Buffer | null;
      readonly value: Buffer;
    };

export const KEY_BYTES_MAX = 1_024;
export const VALUE_BYTES_MAX = 1 << 20;
const ABSENT = 0xffff_ffff;
const kinds = { put: 1, delete: 2, cas: 3 } as const;

export class KvCommandError extends Error {
  override readonly name = 'KvCommandError';
  readonly code = 'KV_COMMAND_INVALID';
}

/** @throws {KvCommandError} for a key or value out of bounds, naming it. */
export function encodeKvCommand(command: KvCommand): Buffer {
  const key = Buffer.from(command.key);
  if (key.length === 0 || key.length > KEY_BYTES_MAX) {
    throw new KvCommandError(`the key has ${key.length} bytes, 1 to ${KEY_BYTES_MAX} are allowed`);
  }
  const value = command.kind === 'delete' ? empty : command.value;
  const expected = command.kind === 'cas' ? (command.expected ?? empty) : empty;
  for (const { length } of [value, expected]) {
    if (length > VALUE_BYTES_MAX) {
      throw new KvCommandError(
        `the value has ${length} bytes, at most ${VALUE_BYTES_MAX} are allowed`,
      );
    }
  }
  const head = Buffer.alloc(3);
  head.writeUInt8(kinds[command.kind]);
  head.writeUInt16BE(key.length, 1);
  if (command.kind !== 'cas') return Buffer.concat([head, key, value]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(command.expected === null ? ABSENT : expected.length);
  return Buffer.concat([head, key, length, expected, value]);
}

/** @throws {KvCommandError} for bytes that `encodeKvCommand` did not make. */
export function decodeKvCommand(body: Uint8Array): KvCommand {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  try {
    const kind = bytes.readUInt8(0);
    const valueAt = 3 + bytes.readUInt16BE(1);
    if (valueAt > bytes.length) throw new RangeError('the key is cut short');
    const key = bytes.toString('utf8', 3, valueAt);
    if (kind === kinds.put) return { kind: 'put', key, value: bytes.subarray(valueAt) };
    if (kind === kinds.delete && valueAt === bytes.length) return { kind: 'delete', key };
    if (kind !== kinds.cas) throw new RangeError(`kind ${kind}`);
    const length = bytes.readUInt32BE(valueAt);
    const at = valueAt + 4 + (length === ABSENT ? 0 : length);
    if (at > bytes.length) throw new RangeError('what is expected is cut short');
    const expected = length === ABSENT ? null : bytes.subarray(valueAt + 4, at);
    return { kind: 'cas', key, expected, value: bytes.subarray(at) };
  } catch (error) {
    throw new KvCommandError(`not a command: ${String(error)}`);
  }
}

const empty = Buffer.alloc(0);
