/** A key-value state in memory. */
import type { SnapshotSink, SnapshotSource } from '../engine/state-machine.js';
import type { KvCommand } from './command.js';
import {
  effectOf,
  encodePair,
  type KvPair,
  type KvResult,
  type KvState,
  PairReader,
} from './state.js';

const PART_BYTES = 128 << 10;

export class MemoryState implements KvState {
  #values = new Map<string, Buffer>();
  readonly isBusy = false;

  get(key: string): Buffer | null {
    return this.#values.get(key) ?? null;
  }

  apply(command: KvCommand): KvResult {
    const { result, value } = effectOf(command, this.get(command.key));
    if (value === null) this.#values.delete(command.key);
    // A body is a view of a larger buffer, which must not live as long as the value.
    else if (value !== result.previous) this.#values.set(command.key, Buffer.from(value));
    return result;
  }

  /** All of them, in order. */
  pairs(): KvPair[] {
    const sorted = [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([key, value]) => ({ key, value }));
  }

  async range(from: string, to: string | null, limit: number): Promise<readonly KvPair[]> {
    return this.pairs()
      .filter(({ key }) => key >= from && (to === null || key < to))
      .slice(0, limit);
  }

  /** Values are replaced, never changed, so that a copy of the references is the state of now. */
  snapshot(): SnapshotSource {
    const pairs = this.pairs();
    let at = 0;
    return {
      async next() {
        if (at === pairs.length) return null;
        const part: Buffer[] = [];
        for (let bytes = 0; at < pairs.length && bytes < PART_BYTES; at += 1) {
          const encoded = encodePair(pairs[at] as KvPair);
          part.push(encoded);
          bytes += encoded.length;
        }
        return Buffer.concat(part);
      },
      close() {},
    };
  }

  restore(): SnapshotSink {
    const values = new Map<string, Buffer>();
    const reader = new PairReader();
    return {
      async write(part) {
        for (const { key, value } of reader.push(part)) values.set(key, value);
      },
      end: async () => {
        if (!reader.isAtEnd) throw new Error('a snapshot of pairs is cut short');
        this.#values = values;
      },
    };
  }

  async close(): Promise<void> {}
}
