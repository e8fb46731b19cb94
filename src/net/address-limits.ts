/**
 * What one remote address may have at once: connections, bytes of frames that are not complete, and
 * requests in a second.
 *
 * Requests are counted by a token bucket that holds one second's worth. An address is remembered
 * while it has connections, and after that until its bucket is full again: whoever comes back
 * sooner finds it as it was left.
 */
import type { Refusable } from './refusals.js';

export interface AddressLimitsOptions {
  /** 0: no limit. */
  readonly connectionsMax: number;
  /** 0: no limit. */
  readonly requestsPerSecondMax: number;
  /** Memory for frames begun and not complete, of all its connections. 0: no limit. */
  readonly unfinishedBytesMax: number;
}

export class AddressLimits {
  readonly #options: AddressLimitsOptions;
  readonly #budgets = new Map<string, AddressBudget>();

  constructor(options: AddressLimitsOptions) {
    this.#options = options;
  }

  /** Addresses remembered. */
  get size(): number {
    return this.#budgets.size;
  }

  /** @returns what the new connection may spend; null when `host` has as many as it may have. */
  enter(host: string, nowMs: number): AddressBudget | null {
    const { connectionsMax } = this.#options;
    let budget = this.#budgets.get(host);
    if (budget === undefined) {
      budget = new AddressBudget(this.#options, nowMs);
      this.#budgets.set(host, budget);
    }
    if (connectionsMax > 0 && budget.connections >= connectionsMax) return null;
    budget.connections += 1;
    return budget;
  }

  leave(host: string, nowMs: number): void {
    const budget = this.#budgets.get(host);
    if (budget === undefined) return;
    budget.connections -= 1;
    if (budget.connections === 0 && budget.isFull(nowMs)) this.#budgets.delete(host);
  }

  /** Forgets who has no connection and a full bucket. */
  sweep(nowMs: number): void {
    for (const [host, budget] of this.#budgets) {
      if (budget.connections === 0 && budget.isFull(nowMs)) this.#budgets.delete(host);
    }
  }
}

export class AddressBudget {
  connections = 0;
  readonly #perSecondMax: number;
  #tokens: number;
  #filledAtMs: number;
  readonly #unfinishedBytesMax: number;
  #unfinishedBytes = 0;
  /** Who holds how many of them. */
  readonly #holders = new Map<Refusable, number>();

  constructor({ requestsPerSecondMax, unfinishedBytesMax }: AddressLimitsOptions, nowMs: number) {
    this.#perSecondMax = requestsPerSecondMax;
    this.#tokens = requestsPerSecondMax;
    this.#filledAtMs = nowMs;
    this.#unfinishedBytesMax = unfinishedBytesMax;
  }

  /** Bytes of frames that are not complete, of all connections. */
  get unfinishedBytes(): number {
    return this.#unfinishedBytes;
  }

  /**
   * `connection` holds `bytes` of an unfinished frame from now on. Where that is too much for the
   * address, whoever holds most is refused: a flood closes its own, and not who asks for little.
   */
  hold(connection: Refusable, bytes: number): void {
    if (this.#unfinishedBytesMax === 0) return;
    this.#unfinishedBytes += bytes - (this.#holders.get(connection) ?? 0);
    if (bytes === 0) this.#holders.delete(connection);
    else this.#holders.set(connection, bytes);
    if (this.#unfinishedBytes > this.#unfinishedBytesMax) this.#refuseLargest();
  }

  #refuseLargest(): void {
    let largest: Refusable | null = null;
    let most = 0;
    for (const [connection, bytes] of this.#holders) {
      if (bytes > most) [largest, most] = [connection, bytes];
    }
    if (largest === null) return;
    this.hold(largest, 0);
    largest.refuse(`${this.#unfinishedBytesMax} bytes of unfinished frames of this address`);
  }

  /** @returns false when one more request in this second is too many. */
  take(nowMs: number): boolean {
    if (this.#perSecondMax === 0) return true;
    this.#fill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens >= this.#perSecondMax;
  }

  #fill(nowMs: number): void {
    const earned = ((nowMs - this.#filledAtMs) / 1_000) * this.#perSecondMax;
    this.#tokens = Math.min(this.#perSecondMax, this.#tokens + earned);
    this.#filledAtMs = nowMs;
  }
}
