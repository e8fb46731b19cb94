/**
 * Time as one simulated process sees it: its clock may run fast or slow, its wall clock may jump,
 * and the process itself may be stopped for a while, with timers that fire late when it goes on.
 *
 * A process that was killed never hears of its timers again.
 */
import type { Cancel, Clock } from '../lib/clock.js';
import type { World } from './world.js';

export class ProcessClock implements Clock {
  readonly #world: World;
  #isAlive = true;
  /** Local milliseconds per millisecond of the world. */
  #rate = 1;
  #localBaseMs = 0;
  #worldBaseMs = 0;
  #wallOffsetMs = 1_700_000_000_000;
  #pausedUntilMs = 0;
  /** Added to the start of everything that this process does. */
  slowMs = 0;

  constructor(world: World) {
    this.#world = world;
    this.#worldBaseMs = world.nowMs;
    this.#localBaseMs = world.nowMs;
  }

  nowMs(): number {
    return this.#localBaseMs + (this.#world.nowMs - this.#worldBaseMs) * this.#rate;
  }

  wallMs(): number {
    return Math.floor(this.#wallOffsetMs + this.nowMs());
  }

  after(delayMs: number, action: () => void): Cancel {
    const event = this.#world.after(Math.max(0, delayMs) / this.#rate, () => this.run(action));
    return () => {
      event.run = null;
    };
  }

  every(periodMs: number, action: () => void): Cancel {
    let cancel: Cancel = () => {};
    let isCancelled = false;
    const again = (): void => {
      action();
      if (!isCancelled) cancel = this.after(periodMs, again);
    };
    cancel = this.after(periodMs, again);
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  endOfTurn(action: () => void): void {
    this.#world.at(this.#world.nowMs, () => this.run(action));
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.#world.nowMs < this.#pausedUntilMs;
  }

  /** Does what comes to this process now, or later if it is stopped or slow, or never if it is dead. */
  run(action: () => void): void {
    if (!this.#isAlive) return;
    if (this.#world.nowMs < this.#pausedUntilMs) {
      this.#world.at(this.#pausedUntilMs, () => this.run(action));
    } else if (this.slowMs > 0) {
      this.#world.after(this.slowMs, () => {
        if (this.#isAlive) action();
      });
    } else {
      action();
    }
  }

  kill(): void {
    this.#isAlive = false;
  }

  /** Stops the process; what comes meanwhile happens all at once when it goes on. */
  pause(forMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#world.nowMs + forMs);
  }

  drift(rate: number): void {
    this.#localBaseMs = this.nowMs();
    this.#worldBaseMs = this.#world.nowMs;
    this.#rate = rate;
  }

  /** What people see jumps; what is measured with does not. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }
}
