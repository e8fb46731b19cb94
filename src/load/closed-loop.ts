/**
 * Closed loop: a given number of places, each with one request outstanding.
 *
 * An answer frees its place and the next request leaves in the same turn, so the client writes all
 * of a turn at once. A place whose request was refused or lost rests first: asking a dead
 * controller again at once would spin, and take its processor.
 */
import type { Clock } from '../lib/clock.js';

/** A place rests this long after a failure. */
export const REST_MS = 10;

export class ClosedLoop {
  readonly #clock: Clock;
  readonly #places: number;
  readonly #send: () => boolean;
  #running = false;
  #resting = 0;
  #asked = 0;

  /** @param options.send false when the request could not be sent; `settled` is not called then. */
  constructor(options: {
    readonly clock: Clock;
    readonly places: number;
    readonly send: () => boolean;
  }) {
    this.#clock = options.clock;
    this.#places = options.places;
    this.#send = options.send;
  }

  /** Requests that were sent. */
  get asked(): number {
    return this.#asked;
  }

  start(): void {
    this.#running = true;
    for (let place = 0; place < this.#places; place += 1) this.#next();
  }

  /** What is outstanding stays so; nothing new is sent. */
  stop(): void {
    this.#running = false;
  }

  /** A request of this loop has ended. @param rest when the controller could not serve it. */
  settled(rest: boolean): void {
    if (!this.#running) return;
    if (rest) this.#rest();
    else this.#next();
  }

  #next(): void {
    if (this.#send()) this.#asked += 1;
    else this.#rest();
  }

  /** One timer for all that rest: a dead leader frees a thousand places at once. */
  #rest(): void {
    this.#resting += 1;
    if (this.#resting > 1) return;
    this.#clock.after(REST_MS, () => {
      const rested = this.#resting;
      this.#resting = 0;
      if (!this.#running) return;
      for (let place = 0; place < rested; place += 1) this.#next();
    });
  }
}
