/**
 * A clock that stands still until told: tests and simulated runs decide when time passes.
 */
import type { Cancel, Clock } from './clock.js';

interface Timer {
  readonly dueMs: number;
  /** Breaks ties: timers due at the same time run in the order in which they were set. */
  readonly order: number;
  readonly action: () => void;
}

export class VirtualClock implements Clock {
  #nowMs: number;
  #order = 0;
  #timers: Timer[] = [];
  #endOfTurn: (() => void)[] = [];

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): Cancel {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, action };
    this.#order += 1;
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  every(periodMs: number, action: () => void): Cancel {
    let cancel: Cancel = () => {};
    const again = (): void => {
      cancel = this.after(periodMs, again);
      action();
    };
    cancel = this.after(periodMs, again);
    return () => cancel();
  }

  endOfTurn(action: () => void): void {
    this.#endOfTurn.push(action);
  }

  /** Runs what waits for the end of the turn; what these ask for belongs to the next. */
  finishTurn(): void {
    for (const action of this.#endOfTurn.splice(0)) action();
  }

  /** Lets `ms` pass as if the process were not awake: timers that fell due run late, with the next `advance`. */
  sleep(ms: number): void {
    this.#nowMs += ms;
  }

  /** Lets `ms` pass, running every timer at its time and ending a turn after each. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#earliest();
      if (next === undefined || next.dueMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.#timers = this.#timers.filter((other) => other !== next);
      next.action();
      this.finishTurn();
    }
    this.#nowMs = untilMs;
  }

  #earliest(): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) {
      if (
        earliest === undefined ||
        timer.dueMs < earliest.dueMs ||
        (timer.dueMs === earliest.dueMs && timer.order < earliest.order)
      ) {
        earliest = timer;
      }
    }
    return earliest;
  }
}
