/**
 * A key-value state in LevelDB, for more than fits in memory.
 *
 * Writes go to LevelDB in batches behind the log; until they have arrived there, reads find them
 * here. The directory is emptied at every start: what is durable is the log and its snapshots.
 */
import { ClassicLevel } from 'classic-level';
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

type Level = ClassicLevel<string, Buffer>;

const PART_BYTES = 128 << 10;
/** Writes that wait for LevelDB; beyond, proposals are refused. */
const UNWRITTEN_MAX = 50_000;

/** @throws what LevelDB throws when the directory cannot be used. */
export async function openLevelState(
  directory: string,
  onFatal: (error: Error) => void,
): Promise<KvState> {
  const level: Level = new ClassicLevel(directory, { valueEncoding: 'buffer' });
  await level.open();
  await level.clear();
  return new LevelState(level, onFatal);
}

class LevelState implements KvState {
  readonly #level: Level;
  readonly #onFatal: (error: Error) => void;
  /** Not in LevelDB for sure yet; null: deleted. */
  readonly #unwritten = new Map<string, Buffer | null>();
  #writing: Promise<void> | null = null;

  constructor(level: Level, onFatal: (error: Error) => void) {
    this.#level = level;
    this.#onFatal = onFatal;
  }

  get isBusy(): boolean {
    return this.#unwritten.size > UNWRITTEN_MAX;
  }

  get(key: string): Buffer | null {
    const unwritten = this.#unwritten.get(key);
    return unwritten !== undefined ? unwritten : (this.#level.getSync(key) ?? null);
  }

  apply(command: KvCommand): KvResult {
    const { result, value } = effectOf(command, this.get(command.key));
    if (value !== result.previous) {
      this.#unwritten.set(command.key, value === null ? null : Buffer.from(value));
      this.#write();
    }
    return result;
  }

  async range(from: string, to: string | null, limit: number): Promise<readonly KvPair[]> {
    const isIn = (key: string): boolean => key >= from && (to === null || key < to);
    const unwritten = new Map([...this.#unwritten].filter(([key]) => isIn(key)));
    const found = new Map<string, Buffer>();
    for (const [key, value] of unwritten) if (value !== null) found.set(key, value);
    // LevelDB orders by bytes of UTF-8, we by code units: they differ beyond the BMP only.
    for await (const [key, value] of this.#level.iterator({
      gte: from,
      ...(to !== null && { lt: to }),
    })) {
      if (!unwritten.has(key)) found.set(key, value);
      if (found.size >= limit + unwritten.size) break;
    }
    const keys = [...found.keys()].sort().slice(0, limit);
    return keys.map((key) => ({ key, value: found.get(key) as Buffer }));
  }

  /** What LevelDB holds now, but for the keys whose newer values are here. */
  snapshot(): SnapshotSource {
    const unwritten = new Map(this.#unwritten);
    const iterator = this.#level.iterator();
    const early = [...unwritten].filter((pair): pair is [string, Buffer] => pair[1] !== null);
    let at = 0;
    return {
      async next() {
        const part: Buffer[] = [];
        let bytes = 0;
        for (; at < early.length && bytes < PART_BYTES; at += 1) {
          const [key, value] = early[at] as [string, Buffer];
          bytes += part[part.push(encodePair({ key, value })) - 1]?.length ?? 0;
        }
        while (bytes < PART_BYTES) {
          const next = await iterator.next();
          if (next === undefined) break;
          const [key, value] = next;
          if (unwritten.has(key)) continue;
          bytes += part[part.push(encodePair({ key, value })) - 1]?.length ?? 0;
        }
        return part.length === 0 ? null : Buffer.concat(part);
      },
      close() {
        void iterator.close();
      },
    };
  }

  restore(): SnapshotSink {
    const reader = new PairReader();
    let hasBegun = false;
    return {
      write: async (part) => {
        if (!hasBegun) await this.#empty();
        hasBegun = true;
        await this.#level.batch(
          reader.push(part).map(({ key, value }) => ({ type: 'put' as const, key, value })),
        );
      },
      end: async () => {
        if (!hasBegun) await this.#empty();
        if (!reader.isAtEnd) throw new Error('a snapshot of pairs is cut short');
      },
    };
  }

  async close(): Promise<void> {
    await this.#abandonWrites();
    await this.#level.close();
  }

  async #empty(): Promise<void> {
    await this.#abandonWrites();
    await this.#level.clear();
  }

  /** What waits goes first: a batch that ends would start the next one with it. */
  async #abandonWrites(): Promise<void> {
    this.#unwritten.clear();
    await this.#writing;
  }

  /** One batch at a time; what comes meanwhile makes the next. */
  #write(): void {
    if (this.#writing !== null) return;
    const pairs = [...this.#unwritten];
    const operations = pairs.map(([key, value]) =>
      value === null ? { type: 'del' as const, key } : { type: 'put' as const, key, value },
    );
    this.#writing = this.#level.batch(operations).then(
      () => {
        this.#writing = null;
        for (const [key, value] of pairs) {
          if (this.#unwritten.get(key) === value) this.#unwritten.delete(key);
        }
        if (this.#unwritten.size > 0) this.#write();
      },
      (error: Error) => {
        this.#writing = null;
        this.#onFatal(error);
      },
    );
  }
}
