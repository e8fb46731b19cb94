/**
 * A leader's lease: for how long nobody else can lead, whatever it does not hear of.
 *
 * Members that acknowledged a heartbeat refuse votes for an election timeout from then on, by their
 * own clocks. So a leader that a quorum acknowledged may answer reads alone for that long from the
 * moment when it *sent* the heartbeat, less what clocks may differ in speed.
 *
 * @source Ongaro thesis §6.4.1; sofa-jraft threads 25, 26, 34 (leases that outlived leaderships)
 */
import assert from 'node:assert/strict';
import type { LeaseOptions } from './types.js';

/** Rounds whose sending times are remembered; older ones prove nothing any more. */
const ROUNDS_MAX = 256;

export class Lease {
  readonly #options: LeaseOptions;
  readonly #lengthMs: number;
  #rounds: { readonly round: number; readonly sentMs: number }[] = [];
  #untilMs = Number.NEGATIVE_INFINITY;
  #isSpoiled = false;

  constructor(options: LeaseOptions, electionTimeoutMs: number) {
    assert(options.clockDriftMax >= 0 && options.clockDriftMax < 1, 'a drift is in [0, 1)');
    this.#options = options;
    this.#lengthMs = electionTimeoutMs * (1 - options.clockDriftMax);
  }

  /** By a clock that does not stand still while the process does. */
  get isHeld(): boolean {
    return !this.#isSpoiled && this.#options.nowMs() < this.#untilMs;
  }

  /** A new leadership, and no lease yet. */
  begin(): void {
    this.#rounds = [];
    this.#untilMs = Number.NEGATIVE_INFINITY;
    this.#isSpoiled = false;
  }

  /** A heartbeat round left now. */
  sent(round: number): void {
    if (this.#rounds.length >= ROUNDS_MAX) this.#rounds.shift();
    this.#rounds.push({ round, sentMs: this.#options.nowMs() });
  }

  /** A quorum has acknowledged `round`, and with it all earlier ones. */
  confirmed(round: number): void {
    let sentMs: number | null = null;
    while (this.#rounds[0] !== undefined && this.#rounds[0].round <= round) {
      sentMs = this.#rounds.shift()?.sentMs ?? null;
    }
    if (sentMs !== null) this.#untilMs = Math.max(this.#untilMs, sentMs + this.#lengthMs);
  }

  /** Somebody was told to take over: no lease for the rest of this leadership. */
  spoil(): void {
    this.#isSpoiled = true;
  }
}
