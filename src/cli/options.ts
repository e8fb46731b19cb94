/**
 * Options that more than one command takes, said in the same words everywhere.
 */
import { InvalidArgumentError, Option } from 'commander';
import { durabilities, electionProfiles, handoffs } from '../server/config.js';

export const buildOption = (): Option =>
  new Option(
    '--build <build>',
    'baseline, optimized, or a mixture: baseline+reads=optimized (parts: admission, commits, reads, liveness)',
  ).default('optimized');
export const durabilityOption = (): Option =>
  new Option('--durability <policy>', 'when an append counts as done').choices(durabilities);
export const handoffOption = (): Option =>
  new Option('--handoff <how>', 'wake at once, or poll every 1 ms as DLedger does').choices(
    handoffs,
  );
export const electionProfileOption = (): Option =>
  new Option('--election-profile <profile>', 'fast, or upstream’s 2 s × 3').choices(
    electionProfiles,
  );
export const logLevelOption = (level: string): Option =>
  new Option('--log-level <level>', 'of the log on stderr')
    .choices(['debug', 'info', 'warn', 'error', 'silent'])
    .default(level);

/** For options whose value is a whole number in a range. */
export function integerIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be an integer in [${min}, ${max}].`);
  };
}
