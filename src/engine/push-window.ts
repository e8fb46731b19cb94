/**
 * How many bytes may be under way to one follower: the other bound of its window beside the core's count
 * of pushes, kept here because the core knows no bodies.
 *
 * What has no room is reported to the core as unsent, and goes out when acknowledgements have made room.
 * A push that is alone always fits, however large, or it could never be made.
 */
import type { LogIndex } from '../lib/brand.js';
import type { Entry } from '../raft/types.js';

export class PushWindow {
  readonly #bytesMax: number;
  /** Last index and bytes of each frame under way, oldest first. */
  readonly #frames: { readonly last: LogIndex; readonly bytes: number }[] = [];
  #bytes = 0;
  /** The first entry that found no room, until the core comes back to it. */
  #refusedFrom = Number.POSITIVE_INFINITY;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * A push that begins at `first` is asked for, of a follower that acknowledged up to `match`: forgets
   * what arrived, and what is sent anew.
   *
   * @returns false for a push behind one that was refused: the core has not heard of that yet.
   */
  open(match: LogIndex, first: LogIndex): boolean {
    while ((this.#frames[0]?.last ?? Number.POSITIVE_INFINITY) <= match) {
      this.#bytes -= this.#frames.shift()?.bytes ?? 0;
    }
    while ((this.#frames.at(-1)?.last ?? 0) >= first) this.#bytes -= this.#frames.pop()?.bytes ?? 0;
    if (first > this.#refusedFrom && match < this.#refusedFrom) return false;
    this.#refusedFrom = Number.POSITIVE_INFINITY;
    return true;
  }

  /** Takes a frame of these entries in, if there is room. */
  take(entries: readonly Entry[]): boolean {
    let bytes = 0;
    for (const { body } of entries) bytes += body.length;
    const [first, last] = [entries[0], entries.at(-1)];
    if (first === undefined || last === undefined) return true;
    if (this.#frames.length > 0 && this.#bytes + bytes > this.#bytesMax) {
      this.#refusedFrom = first.index;
      return false;
    }
    this.#frames.push({ last: last.index, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** The core compares anew: nothing counts as under way. */
  reset(): void {
    this.#frames.length = 0;
    this.#bytes = 0;
    this.#refusedFrom = Number.POSITIVE_INFINITY;
  }
}
