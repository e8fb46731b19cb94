/** The elections of all workers after a mass failure, as figures, faults and notes of the trial. */
import type { WorkloadPoint } from '../workload/points.js';
import type { WorkerResult } from './messages.js';

export interface MergedElections {
  /** Why the trial does not count: sets without a new master, or with a wrong one. */
  readonly reasons: readonly string[];
  /** Of a trial that counts: how closely was looked. */
  readonly notes: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
}

/**
 * A loss that takes longer than both is not one moment; and who looks later than both does not see when,
 * unless every set was looked at more often for all that.
 * An idle thread that is as late is no excuse here: the figure itself is a time that was looked at.
 */
const GENERATOR_MS_FLOOR = 300;
const GENERATOR_SHARE_MAX = 0.15;

const nothing: MergedElections = { reasons: [], notes: [], figures: {} };

export function electionsOf(
  workload: WorkloadPoint,
  results: readonly WorkerResult[],
  latenessP99Ms: number,
): MergedElections {
  const parts = results.map(({ elections }) => elections).filter((part) => part !== null);
  if (workload.kind !== 'mass-failover' || parts.length === 0) return nothing;
  const { sets } = workload;
  const electedMs = ascending(parts.flatMap((part) => part.electedMs));
  const gapMs = ascending(parts.flatMap((part) => part.gapMs));
  const toldMs = ascending(parts.flatMap((part) => part.toldMs));
  const sum = (of: (part: (typeof parts)[number]) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  const setsWrong = sum((part) => part.setsWrong);
  const repeated = sum((part) => part.repeated);
  const wrong = parts.flatMap((part) => part.wrong);

  const reasons: string[] = [];
  if (electedMs.length < sets) {
    reasons.push(
      `${sets - electedMs.length} of ${sets} broker sets had no new master after ${workload.giveUpAfterMs} ms`,
    );
  } else if (parts.some(({ isChecked }) => !isChecked)) {
    reasons.push('the sets could not be read again after the elections');
  }
  if (setsWrong > 0) {
    reasons.push(`${setsWrong} of ${sets} elections were wrong: ${wrong.join('; ')}`);
  }
  const firstMs = electedMs[0] ?? 0;
  const lastMs = electedMs.at(-1) ?? 0;
  const lossMs = Math.max(...parts.map(({ lossTookMs }) => lossTookMs));
  const allowedMs = Math.max(GENERATOR_MS_FLOOR, GENERATOR_SHARE_MAX * lastMs);
  const blindMs = gapMs.at(-1) ?? 0;
  if (latenessP99Ms > allowedMs && blindMs > allowedMs) {
    reasons.push(
      `the generator was the limit: its timers were late by ${Math.round(latenessP99Ms)} ms (p99), a set went unseen for ${Math.round(blindMs)} ms, and the last one was re-elected after ${Math.round(lastMs)} ms`,
    );
  }
  if (lossMs > allowedMs) {
    reasons.push(
      `the generator was the limit: it took ${Math.round(lossMs)} ms to lose all masters, and the last set was re-elected after ${Math.round(lastMs)} ms`,
    );
  }
  if (reasons.length > 0) return { reasons, notes: [], figures: {} };

  return {
    reasons,
    notes: [
      `note: a new master was seen at most ${Math.round(gapMs.at(-1) ?? 0)} ms after the set was last seen without (median ${Math.round(middle(gapMs))} ms)`,
      ...(lossMs >= 1 ? [`note: the loss took ${Math.round(lossMs)} ms to bring about`] : []),
      ...(repeated > 0
        ? [`note: masterEpoch rose by more than one in ${repeated} of ${sets} sets`]
        : []),
    ],
    figures: {
      lastElectedMs: lastMs,
      medianElectedMs: middle(electedMs),
      firstElectedMs: firstMs,
      ...(lastMs > firstMs && {
        electionsPerSecond: ((electedMs.length - 1) * 1_000) / (lastMs - firstMs),
      }),
      ...(toldMs.length === sets && { lastToldMs: toldMs.at(-1) ?? 0 }),
    },
  };
}

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/** The value in the middle; of two, the earlier. */
const middle = (sorted: readonly number[]): number =>
  sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
