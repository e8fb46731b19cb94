/**
 * What one remote address may have at once: connections, and requests in a second.
 *
 * Requests are counted by a token bucket that holds one second's worth. An address is remembered
 * while it has connections, and after that until its bucket is full again: whoever comes back
 * sooner finds it as it was left.
 */

export interface AddressLimitsOptions {
  /** 0: no limit. */
  readonly connectionsMax: number;
  /** 0: no limit. */
  readonly requestsPerSecondMax: number;
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
    const { connectionsMax, requestsPerSecondMax } = this.#options;
    let budget = this.#budgets.get(host);
    if (budget === undefined) {
      budget = new AddressBudget(requestsPerSecondMax, nowMs);
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

  constructor(requestsPerSecondMax: number, nowMs: number) {
    this.#perSecondMax = requestsPerSecondMax;
    this.#tokens = requestsPerSecondMax;
    this.#filledAtMs = nowMs;
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
