/**
 * Keeps the brokers alive: every broker beats one-way to every member, evenly spread over the interval.
 *
 * One tick for all brokers. Beats that a stall made late are not made up for: a real broker that
 * slept does not beat twice.
 */
import type { Cancel, Clock } from '../lib/clock.js';
import type { Broker } from './fleet.js';
import type { Links } from './links.js';

const TICK_MS = 5;

export class Heartbeats {
  readonly #brokers: readonly Broker[];
  readonly #links: Links;
  readonly #clock: Clock;
  readonly #perMs: number;
  #cursor = 0;
  #lastMs = 0;
  /** Beats due, with the fraction that the last tick left over. */
  #due = 0;
  #sent = 0;
  #cancel: Cancel | undefined;

  constructor(options: {
    readonly brokers: readonly Broker[];
    readonly everyMs: number;
    readonly links: Links;
    readonly clock: Clock;
  }) {
    this.#brokers = options.brokers;
    this.#links = options.links;
    this.#clock = options.clock;
    this.#perMs = options.brokers.length / options.everyMs;
  }

  /** Beats handed to a socket. */
  get sent(): number {
    return this.#sent;
  }

  /** All brokers beat at once, then in their turns. */
  start(): void {
    for (const broker of this.#brokers) this.#beat(broker);
    this.#lastMs = this.#clock.nowMs();
    this.#cancel = this.#clock.every(TICK_MS, () => this.#tick());
  }

  stop(): void {
    this.#cancel?.();
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs();
    this.#due += (nowMs - this.#lastMs) * this.#perMs;
    this.#lastMs = nowMs;
    this.#due = Math.min(this.#due, this.#brokers.length);
    for (; this.#due >= 1; this.#due -= 1) {
      const broker = this.#brokers[this.#cursor];
      this.#cursor = (this.#cursor + 1) % this.#brokers.length;
      if (broker !== undefined) this.#beat(broker);
    }
  }

  #beat(broker: Broker): void {
    for (let member = 0; member < this.#links.members.length; member += 1) {
      const connection = this.#links.connection(member, broker.lane);
      if (connection?.oneway(broker.heartbeat) === true) this.#sent += 1;
    }
  }
}
