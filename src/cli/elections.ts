/**
 * `quorumark elections`: how long a group is without a leader under each election rule, from many
 * seeds, and whether a member that is cut off raises its term.
 */
import type { ElectionRule } from '../raft/types.js';
import { type Distribution, explore, percentile } from '../sim/explorer/explore.js';
import { ExitCode } from './exit-codes.js';
import { Progress } from './progress.js';

export interface ElectionsCommand {
  readonly seeds: number;
  readonly firstSeed: number;
  readonly rules: readonly ElectionRule[];
  readonly timing: 'dledger' | 'fast';
  readonly json: boolean;
}

const BAR_WIDTH = 50;
const ROWS = 16;

export function runElections(command: ElectionsCommand): ExitCode {
  const { firstSeed, json, rules, seeds, timing } = command;
  const progress = new Progress(seeds * rules.length, 'trials');
  const distributions = rules.map((rule, i) =>
    explore({
      rule,
      timing,
      firstSeed,
      seeds,
      onProgress: (done) => progress.at(i * seeds + done),
    }),
  );
  progress.end();
  if (json) {
    console.log(JSON.stringify(distributions.map(summary), null, 2));
    return ExitCode.Ok;
  }
  console.log(
    `Fail-over of 3 members, ${seeds.toLocaleString('en')} seeds from ${firstSeed}, ${timing} timing\n`,
  );
  for (const distribution of distributions) console.log(`${picture(distribution)}\n`);
  return ExitCode.Ok;
}

function summary(distribution: Distribution) {
  const { failoversMs, ...rest } = distribution;
  const at = (share: number): number => Math.round(percentile(failoversMs, share));
  return { ...rest, p10Ms: at(0.1), p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99), maxMs: at(1) };
}

/** A histogram that fits 80 columns. */
function picture(distribution: Distribution): string {
  const { endless, failoversMs, isolatedMs, isolatedTermGrowthMax, rule, termsPerFailover } =
    distribution;
  const at = (share: number): string => seconds(percentile(failoversMs, share));
  const top = percentile(failoversMs, 0.998);
  const step = niceStep(top / ROWS);
  const rows = new Array<number>(Math.ceil((top + 1) / step)).fill(0);
  for (const ms of failoversMs) {
    const row = Math.min(rows.length - 1, Math.floor(ms / step));
    rows[row] = (rows[row] as number) + 1;
  }
  const most = Math.max(...rows);
  const first = rows.findIndex((count) => count > 0);
  const lines = rows.slice(first).map((count, i) => {
    const from = seconds((first + i) * step).padStart(8);
    const bar = '█'.repeat(Math.round((count / most) * BAR_WIDTH));
    const share = ((100 * count) / failoversMs.length).toFixed(1).padStart(5);
    return `  ${from}  ${share} %  ${bar}`;
  });
  return [
    `${rule}: median ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, longest ${at(1)}; ` +
      `${termsPerFailover.toFixed(2)} terms each`,
    ...lines,
    `  never elected: ${endless}; an isolated member's term rose by at most ` +
      `${isolatedTermGrowthMax} in ${isolatedMs / 1_000} s`,
  ].join('\n');
}

const seconds = (ms: number): string =>
  ms >= 1_000 ? `${(ms / 1_000).toFixed(2)} s` : `${Math.round(ms)} ms`;

/** 1, 2 or 5 times a power of ten. */
function niceStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  for (const factor of [1, 2, 5]) if (power * factor >= atLeast) return power * factor;
  return power * 10;
}
