/**
 * Deadlines of many items, most of which move before they are due: a hashed timing wheel.
 *
 * Adding, moving and removing cost the same for ten items and for a hundred thousand. A deadline
 * that moves later is only noted; the item is put into its new slot when the old one comes round.
 * No clock inside: `advance` is told the time.
 *
 * @source Varghese & Lauck, "Hashed and Hierarchical Timing Wheels" (SOSP 1987), scheme 6
 */
import assert from 'node:assert/strict';

interface Timer<Item> {
  readonly item: Item;
  deadlineMs: number;
  /** Orders items that are due at the same time: first added or moved, first out. */
  order: number;
  /** Not after the deadline's tick, and not before the wheel's position when it was put there. */
  slot: Set<Timer<Item>>;
}

export class TimingWheel<Item> {
  readonly #tickMs: number;
  readonly #slots: readonly Set<Timer<Item>>[];
  readonly #timers = new Map<Item, Timer<Item>>();
  /** The last tick looked at; it may hold items that are due later in it. */
  #tick = Number.NEGATIVE_INFINITY;
  #order = 0;

  /** @param options.slots times `tickMs` should reach as far as most deadlines; more distant ones are looked at once a round. */
  constructor(options: { readonly tickMs: number; readonly slots: number }) {
    assert(options.tickMs > 0 && Number.isSafeInteger(options.slots) && options.slots > 0);
    this.#tickMs = options.tickMs;
    this.#slots = Array.from({ length: options.slots }, () => new Set<Timer<Item>>());
  }

  get size(): number {
    return this.#timers.size;
  }

  /** Sets the item's deadline, whether or not it had one. A past deadline is due at the next `advance`. */
  add(item: Item, deadlineMs: number): void {
    assert(Number.isFinite(deadlineMs), `not a time: ${deadlineMs}`);
    this.#order += 1;
    const timer = this.#timers.get(item);
    if (timer === undefined) {
      const slot = this.#slotOf(deadlineMs);
      const added = { item, deadlineMs, order: this.#order, slot };
      this.#timers.set(item, added);
      slot.add(added);
      return;
    }
    const isEarlier = deadlineMs < timer.deadlineMs;
    timer.deadlineMs = deadlineMs;
    timer.order = this.#order;
    if (isEarlier) this.#put(timer);
  }

  /** @returns whether the item had a deadline. */
  remove(item: Item): boolean {
    const timer = this.#timers.get(item);
    if (timer === undefined) return false;
    this.#timers.delete(item);
    timer.slot.delete(timer);
    return true;
  }

  /**
   * When to advance next, for whoever does not do it every tick: at the end of the first tick that
   * holds anything, so at most a tick after the earliest deadline; null when nothing is held.
   */
  get nextMs(): number | null {
    if (this.#timers.size === 0) return null;
    assert(Number.isFinite(this.#tick), 'a wheel that was never advanced knows no time');
    for (let i = 0; i < this.#slots.length; i += 1) {
      const tick = this.#tick + i;
      if (this.#slotAt(tick).size > 0) return (tick + 1) * this.#tickMs;
    }
    throw new Error('a timer is in no slot');
  }

  /** Takes out every item that is due at `nowMs` or before, the earliest first. Time never goes back. */
  advance(nowMs: number): Item[] {
    const tick = Math.floor(nowMs / this.#tickMs);
    if (tick < this.#tick) return [];
    const due: Timer<Item>[] = [];
    const ticks = Math.min(tick - this.#tick + 1, this.#slots.length);
    this.#tick = tick;
    for (let i = 0; i < ticks; i += 1) {
      const slot = this.#slotAt(tick - i);
      if (slot.size === 0) continue;
      // A copy: an item that is put back may land in the slot under inspection.
      for (const timer of [...slot]) {
        if (timer.deadlineMs <= nowMs) {
          this.#timers.delete(timer.item);
          timer.slot.delete(timer);
          due.push(timer);
        } else {
          this.#put(timer);
        }
      }
    }
    due.sort((a, b) => a.deadlineMs - b.deadlineMs || a.order - b.order);
    return due.map(({ item }) => item);
  }

  #put(timer: Timer<Item>): void {
    const slot = this.#slotOf(timer.deadlineMs);
    if (slot === timer.slot) return;
    timer.slot.delete(timer);
    timer.slot = slot;
    slot.add(timer);
  }

  #slotOf(deadlineMs: number): Set<Timer<Item>> {
    return this.#slotAt(Math.max(Math.floor(deadlineMs / this.#tickMs), this.#tick));
  }

  #slotAt(tick: number): Set<Timer<Item>> {
    const count = this.#slots.length;
    const slot = this.#slots[((tick % count) + count) % count];
    assert(slot !== undefined);
    return slot;
  }
}
