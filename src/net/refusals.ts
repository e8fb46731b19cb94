/**
 * Says in the log who was refused and why, without letting strangers fill it: a few lines between
 * two sweeps, then only how many more there were.
 */
import type { Logger } from '../lib/logger.js';

/** Ends a connection at once, with a logged reason. */
export interface Refusable {
  refuse(reason: string): void;
}

const LINES_MAX = 10;

export class Refusals {
  readonly #logger: Logger;
  #lines = 0;
  #unsaid = 0;
  /** All, since the start. */
  total = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(peer: string, reason: string): void {
    this.total += 1;
    if (this.#lines === LINES_MAX) {
      this.#unsaid += 1;
      return;
    }
    this.#lines += 1;
    this.#logger.warn({ peer, reason }, 'refused');
  }

  sweep(): void {
    if (this.#unsaid > 0) this.#logger.warn({ connections: this.#unsaid }, 'refused more');
    this.#lines = 0;
    this.#unsaid = 0;
  }
}
