/**
 * How long a group is without a leader, over many seeds, for each election rule.
 */
import {
  dledgerTiming,
  type ElectionRule,
  type ElectionTiming,
  fastTiming,
} from '../../raft/types.js';
import { failover, isolatedTermGrowth } from './election-trial.js';

export interface Distribution {
  readonly rule: ElectionRule;
  readonly timing: 'dledger' | 'fast';
  readonly seeds: number;
  /** Fail-over times in ms, sorted; endless ones left out. */
  readonly failoversMs: Float64Array;
  readonly endless: number;
  /** Mean over the seeds. */
  readonly termsPerFailover: number;
  /** The most that the term of an isolated follower rose, over the seeds looked at. */
  readonly isolatedTermGrowthMax: number;
  readonly isolatedMs: number;
}

export const timings: Readonly<Record<'dledger' | 'fast', ElectionTiming>> = {
  dledger: dledgerTiming,
  fast: fastTiming,
};
export const electionRules: readonly ElectionRule[] = ['dledger', 'pre-vote', 'plain'];
/** Enough for the growth of an isolated member's term to show. */
const ISOLATED_SEEDS_MAX = 100;
const ISOLATED_HEARTBEATS = 60;

export interface ExploreOptions {
  readonly rule: ElectionRule;
  readonly timing: 'dledger' | 'fast';
  readonly firstSeed: number;
  readonly seeds: number;
  readonly onProgress?: (done: number) => void;
}

export function explore({
  rule,
  timing,
  firstSeed,
  seeds,
  onProgress,
}: ExploreOptions): Distribution {
  const options = { rule, timing: timings[timing], delayMinMs: 0.2, delayMaxMs: 2 };
  const isolatedMs = timings[timing].heartbeatMs * ISOLATED_HEARTBEATS;
  const failovers: number[] = [];
  let endless = 0;
  let terms = 0;
  let growthMax = 0;
  for (let i = 0; i < seeds; i += 1) {
    const trial = { ...options, seed: firstSeed + i };
    const result = failover(trial);
    if (result.failoverMs === null) endless += 1;
    else {
      failovers.push(result.failoverMs);
      terms += result.terms;
    }
    if (i < ISOLATED_SEEDS_MAX)
      growthMax = Math.max(growthMax, isolatedTermGrowth(trial, isolatedMs));
    onProgress?.(i + 1);
  }
  return {
    rule,
    timing,
    seeds,
    failoversMs: Float64Array.from(failovers).sort(),
    endless,
    termsPerFailover: failovers.length === 0 ? 0 : terms / failovers.length,
    isolatedTermGrowthMax: growthMax,
    isolatedMs,
  };
}

/** The value that a share of `sorted` is at or below. */
export function percentile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] as number;
}
