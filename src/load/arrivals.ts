/**
 * When each request *should* be sent, whatever the controller does.
 *
 * Response time is counted from the intended time, not from the send. A generator that waits for
 * a slow server before it starts the next clock leaves out the requests that would have suffered
 * most ("coordinated omission").
 *
 * @source Tene, "How NOT to Measure Latency"; OpenMessaging Benchmark `intendedSendTime`
 */
import assert from 'node:assert/strict';
import type { Prng } from '../lib/prng.js';

export interface ArrivalOptions {
  /** Of the first possible arrival, monotonic. */
  readonly startMs: number;
  /** No arrival is due at or after it. */
  readonly endMs: number;
  readonly ratePerSecond: number;
  /** Given: exponential gaps of the same mean (Poisson). Left out: even gaps. */
  readonly poisson?: Prng | undefined;
}

export class Arrivals {
  readonly #startMs: number;
  readonly #endMs: number;
  readonly #gapMs: number;
  readonly #poisson: Prng | undefined;
  #count = 0;
  #nextMs: number;

  constructor({ startMs, endMs, ratePerSecond, poisson }: ArrivalOptions) {
    assert(ratePerSecond > 0);
    this.#startMs = startMs;
    this.#endMs = endMs;
    this.#gapMs = 1_000 / ratePerSecond;
    this.#poisson = poisson;
    this.#nextMs = poisson === undefined ? startMs : startMs + this.#exponentialGap(poisson);
  }

  /** How many have been taken. */
  get count(): number {
    return this.#count;
  }

  /** The next intended time if it is due by `nowMs`, and moves on; −1 when none is. */
  take(nowMs: number): number {
    const dueMs = this.#nextMs;
    if (dueMs > nowMs || dueMs >= this.#endMs) return -1;
    this.#count += 1;
    this.#nextMs =
      this.#poisson === undefined
        ? this.#startMs + this.#count * this.#gapMs // Multiplied, so that errors do not add up.
        : dueMs + this.#exponentialGap(this.#poisson);
    return dueMs;
  }

  #exponentialGap(prng: Prng): number {
    return -Math.log(1 - prng.unit()) * this.#gapMs;
  }
}
