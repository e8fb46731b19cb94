/**
 * Starts every broker of the fleet at once, and knows when all of it works: every set with a master
 * that knows all replicas in step.
 */
import type { BrokerSet } from './fleet.js';
import { LiveFleet, type LiveFleetOptions } from './live-fleet.js';

export class BringUp {
  readonly #fleet: LiveFleet;
  readonly #complete = new Set<BrokerSet>();
  /** Told once, when every set is complete. */
  onComplete: (nowMs: number) => void = () => {};

  constructor(options: Omit<LiveFleetOptions, 'watch'>) {
    const { sets, clock } = options;
    this.#fleet = new LiveFleet({
      ...options,
      isRegistered: false,
      watch: {
        learnt: () => {},
        inStep: (set, replicas) => {
          if (replicas < set.brokers.length || this.#complete.has(set)) return;
          this.#complete.add(set);
          if (this.#complete.size === sets.length) this.onComplete(clock.nowMs());
        },
      },
    });
  }

  /** Requests handed to a connection. */
  get sent(): number {
    return this.#fleet.sent;
  }

  get inFlight(): number {
    return this.#fleet.inFlight;
  }

  /** One-way heartbeats handed to a socket. */
  get beats(): number {
    return this.#fleet.beats;
  }

  get setsComplete(): number {
    return this.#complete.size;
  }

  start(): void {
    this.#fleet.start();
  }

  stop(): void {
    this.#fleet.stop();
  }
}
