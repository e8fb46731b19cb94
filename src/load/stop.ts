/** Waiting that can be cut short: a trial that is told to stop ends at its next step. */
import type { Clock } from '../lib/clock.js';

export class Stop {
  readonly #clock: Clock;
  readonly #wakers = new Set<() => void>();
  #requested = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isRequested(): boolean {
    return this.#requested;
  }

  request(): void {
    this.#requested = true;
    for (const wake of [...this.#wakers]) wake();
  }

  /** Calls back once when the trial is told to stop; at once when it has been. */
  whenRequested(action: () => void): void {
    if (this.#requested) action();
    else this.#wakers.add(action);
  }

  /** Until the clock shows `untilMs`, or the trial is told to stop. */
  sleepUntil(untilMs: number): Promise<void> {
    if (this.#requested) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#wakers.delete(wake);
        resolve();
      };
      const cancel = this.#clock.after(Math.max(0, untilMs - this.#clock.nowMs()), wake);
      this.#wakers.add(wake);
    });
  }

  /** Until `isDone`, looking every few milliseconds, for at most `forMs`. @returns whether it was done. */
  async pollUntil(isDone: () => boolean, forMs: number): Promise<boolean> {
    const endMs = this.#clock.nowMs() + forMs;
    while (!isDone()) {
      if (this.#requested || this.#clock.nowMs() >= endMs) return false;
      await this.sleepUntil(this.#clock.nowMs() + POLL_MS);
    }
    return true;
  }
}

const POLL_MS = 5;
