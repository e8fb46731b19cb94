/**
 * Timers for tens of thousands of brokers on one tick: adding and firing cost the same for any number.
 *
 * One slot a millisecond; nothing may be further away than the wheel is long.
 */
import assert from 'node:assert/strict';

const SLOTS = 16_384;

export class TimerWheel<Item> {
  readonly #slots: (Item[] | undefined)[] = new Array<Item[] | undefined>(SLOTS);
  /** Everything due before this millisecond has fired. */
  #nextMs: number;
  #size = 0;

  constructor(startMs: number) {
    this.#nextMs = Math.floor(startMs);
  }

  get size(): number {
    return this.#size;
  }

  /** What is due already fires with the next `advance`. */
  add(dueMs: number, item: Item): void {
    const atMs = Math.max(Math.ceil(dueMs), this.#nextMs);
    assert(atMs < this.#nextMs + SLOTS, 'due beyond the wheel');
    const slot = atMs % SLOTS;
    const items = this.#slots[slot];
    if (items === undefined) this.#slots[slot] = [item];
    else items.push(item);
    this.#size += 1;
  }

  /** Fires all that is due by `nowMs`, in order; what they add for now fires with the next call. */
  advance(nowMs: number, fire: (item: Item) => void): void {
    const lastMs = Math.floor(nowMs);
    while (this.#nextMs <= lastMs) {
      const slot = this.#nextMs % SLOTS;
      const items = this.#slots[slot];
      this.#slots[slot] = undefined;
      this.#nextMs += 1;
      if (items === undefined) continue;
      this.#size -= items.length;
      for (const item of items) fire(item);
    }
  }
}
