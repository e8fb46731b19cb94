/**
 * What a known difference is made of. Pure.
 */
import { type Ask, isReply, type Outcome, type Reply } from './exchange.js';

export interface Pair {
  readonly upstream: Outcome;
  readonly ours: Outcome;
  /** Where a member that does not lead was asked: what upstream's leader said to the same, if it was asked. */
  readonly leader?: Outcome;
}

export interface Deviation {
  readonly id: string;
  /** The only version of upstream that shows it; absent: every one. */
  readonly peer?: string;
  /** Both replies without this difference; the same pair where it is not met. */
  readonly takenAway: (pair: Pair, step: Ask) => Pair;
}

/** Changes each reply by itself. */
export const each =
  (change: (reply: Reply) => Reply): Deviation['takenAway'] =>
  (pair) => ({
    ...pair,
    upstream: isReply(pair.upstream) ? change(pair.upstream) : pair.upstream,
    ours: isReply(pair.ours) ? change(pair.ours) : pair.ours,
  });

/**
 * Differences of a request that a scenario marks: what was done before it is remembered otherwise.
 *
 * @param expected upstream's answer as it has to be here
 */
export const ofState =
  (id: string, expected: (upstream: Reply) => Reply): Deviation['takenAway'] =>
  (pair, { known }) =>
    known === id && isReply(pair.upstream) ? { ...pair, upstream: expected(pair.upstream) } : pair;
