/**
 * Pushes that arrived before the push they follow: kept sorted, bounded, used when the gap fills.
 *
 * All of one term, therefore all parts of one leader's log, which only grows: what is kept stays
 * true until the term ends.
 *
 * @source dledger EntryHandler.writeRequestMap (0.3.1.2)
 */
import type { LogIndex } from '../lib/brand.js';
import type { Message } from './types.js';

export type Push = Extract<Message, { kind: 'push' }>;

export class PushBuffer {
  readonly #max: number;
  readonly #kept: Push[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#kept.length;
  }

  /** Full: the push is dropped, and the leader sends it again. */
  keep(push: Push): void {
    let at = this.#kept.length;
    while (at > 0 && (this.#kept[at - 1] as Push).prevIndex > push.prevIndex) at -= 1;
    const twin = this.#kept[at - 1];
    if (twin?.prevIndex === push.prevIndex) {
      if (push.entries.length > twin.entries.length) this.#kept[at - 1] = push;
    } else if (this.#kept.length < this.#max) {
      this.#kept.splice(at, 0, push);
    }
  }

  /** The next push that begins at or before `end`, which it may overlap. */
  takeFollowing(end: LogIndex): Push | undefined {
    const first = this.#kept[0];
    return first !== undefined && first.prevIndex <= end ? this.#kept.shift() : undefined;
  }

  clear(): void {
    this.#kept.length = 0;
  }
}
