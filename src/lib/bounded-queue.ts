/**
 * First in, first out, with a hard bound.
 *
 * `offer` answers at once: the caller must decide what a full queue means (a `SystemBusy`
 * response, a paused socket). Nothing here waits, so nothing here can hide latency.
 */
import assert from 'node:assert/strict';

export class BoundedQueue<Item> {
  readonly capacity: number;
  /** Grows towards `capacity` by doubling: a bound is not a reason to hold memory. */
  #slots: (Item | undefined)[];
  #head = 0;
  #size = 0;

  constructor(capacity: number) {
    assert(Number.isSafeInteger(capacity) && capacity > 0);
    this.capacity = capacity;
    this.#slots = new Array<Item | undefined>(Math.min(capacity, 16));
  }

  get size(): number {
    return this.#size;
  }

  offer(item: Item): 'accepted' | 'full' {
    if (this.#size === this.capacity) return 'full';
    if (this.#size === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#size) % this.#slots.length] = item;
    this.#size += 1;
    return 'accepted';
  }

  poll(): Item | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#slots.length;
    this.#size -= 1;
    return item;
  }

  #grow(): void {
    const slots = new Array<Item | undefined>(Math.min(this.capacity, this.#slots.length * 2));
    for (let i = 0; i < this.#size; i += 1) {
      slots[i] = this.#slots[(this.#head + i) % this.#slots.length];
    }
    this.#slots = slots;
    this.#head = 0;
  }
}
