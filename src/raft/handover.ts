/**
 * A leader's attempt to hand over: to whom, since when, and when the next one may be made.
 *
 * @source Ongaro thesis §3.10; dledger threads 85, 106 (a preferred leader that lags), 287 (ping-pong)
 */
import type { MemberId } from './types.js';

/** After a hand-over that a preference asked for failed, in election timeouts. */
const BACK_OFF = 20;

export class Handover {
  readonly #timeoutMs: number;
  #to: MemberId | null = null;
  #untilMs = 0;
  #isSent = false;
  #preferFromMs = 0;

  /** @param timeoutMs after which it is given up: an election timeout. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** null: none is under way. */
  get to(): MemberId | null {
    return this.#to;
  }

  get isSent(): boolean {
    return this.#isSent;
  }

  /** We lead since now: a preference waits for a moment, so that it does not follow every election. */
  began(nowMs: number): void {
    this.#preferFromMs = Math.max(this.#preferFromMs, nowMs + this.#timeoutMs);
  }

  begin(to: MemberId, nowMs: number): void {
    this.#to = to;
    this.#isSent = false;
    this.#untilMs = nowMs + this.#timeoutMs;
  }

  sent(): void {
    this.#isSent = true;
  }

  mayPrefer(nowMs: number): boolean {
    return this.#to === null && nowMs >= this.#preferFromMs;
  }

  end(nowMs: number): void {
    this.#to = null;
    this.#preferFromMs = nowMs + BACK_OFF * this.#timeoutMs;
  }

  /** @returns true once, when the time is over. */
  expired(nowMs: number): boolean {
    if (this.#to === null || nowMs < this.#untilMs) return false;
    this.end(nowMs);
    return true;
  }
}
