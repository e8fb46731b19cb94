/**
 * The port to the state of a key-value store: in memory, or in an embedded LSM store.
 *
 * The state follows from the log and its snapshots, which are what is durable.
 */
import type { SnapshotSink, SnapshotSource } from '../engine/state-machine.js';
import type { KvCommand } from './command.js';

export interface KvPair {
  readonly key: string;
  readonly value: Buffer;
}

/** What a command did; `previous` is null when the key was not there. */
export interface KvResult {
  readonly done: boolean;
  readonly previous: Buffer | null;
}

export interface KvState {
  get(key: string): Buffer | null;
  apply(command: KvCommand): KvResult;
  /** Keys in [from, to), in order of code units, at most `limit`. `to` null: to the end. */
  range(from: string, to: string | null, limit: number): Promise<readonly KvPair[]>;
  /** Writes wait for the disk: proposals are to be refused for a while. */
  readonly isBusy: boolean;
  snapshot(): SnapshotSource;
  restore(): SnapshotSink;
  close(): Promise<void>;
}

/** What a command does to the value of its key: what it becomes (null: gone), and the result. */
export function effectOf(
  command: KvCommand,
  previous: Buffer | null,
): { readonly value: Buffer | null; readonly result: KvResult } {
  switch (command.kind) {
    case 'put':
      return { value: command.value, result: { done: true, previous } };
    case 'delete':
      return { value: null, result: { done: previous !== null, previous } };
    case 'cas': {
      const { expected, value } = command;
      const isSame = expected === null ? previous === null : previous?.equals(expected) === true;
      return { value: isSame ? value : previous, result: { done: isSame, previous } };
    }
  }
}

/** Pairs as bytes: u16 length, key, u32 length, value; parts may be cut anywhere. */
export function encodePair({ key, value }: KvPair): Buffer {
  const keyBytes = Buffer.from(key);
  const bytes = Buffer.allocUnsafe(2 + keyBytes.length + 4 + value.length);
  bytes.writeUInt16BE(keyBytes.length);
  keyBytes.copy(bytes, 2);
  bytes.writeUInt32BE(value.length, 2 + keyBytes.length);
  value.copy(bytes, 6 + keyBytes.length);
  return bytes;
}

/** Puts pairs together from parts that are cut anywhere. */
export class PairReader {
  #left = Buffer.alloc(0);

  /** Whole pairs that this part completes. */
  push(part: Uint8Array): KvPair[] {
    this.#left = Buffer.concat([this.#left, part]);
    const pairs: KvPair[] = [];
    let at = 0;
    for (;;) {
      const valueAt = this.#valueAt(at);
      if (valueAt === null) break;
      const end = valueAt + this.#left.readUInt32BE(valueAt - 4);
      if (end > this.#left.length) break;
      const key = this.#left.toString('utf8', at + 2, valueAt - 4);
      pairs.push({ key, value: Buffer.from(this.#left.subarray(valueAt, end)) });
      at = end;
    }
    this.#left = this.#left.subarray(at);
    return pairs;
  }

  get isAtEnd(): boolean {
    return this.#left.length === 0;
  }

  #valueAt(at: number): number | null {
    if (at + 2 > this.#left.length) return null;
    const valueAt = at + 2 + this.#left.readUInt16BE(at) + 4;
    return valueAt > this.#left.length ? null : valueAt;
  }
}
