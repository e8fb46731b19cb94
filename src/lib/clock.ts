/**
 * Time as an argument: the shipped processes hand in the machine's clock, the simulator its own.
 */

export type Cancel = () => void;

export interface Clock {
  /** Monotonic milliseconds, with a fraction. */
  nowMs(): number;
  /** Milliseconds since 1970; for what people and brokers see, never for measuring. */
  wallMs(): number;
  after(delayMs: number, action: () => void): Cancel;
  every(periodMs: number, action: () => void): Cancel;
  /** Runs `action` at the end of this turn: after every socket that was ready has been read. */
  endOfTurn(action: () => void): void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
  every(periodMs, action) {
    const timer = setInterval(action, periodMs);
    return () => clearInterval(timer);
  },
  endOfTurn: (action) => {
    setImmediate(action);
  },
};
