/**
 * `quorumark calibrate`: is `baseline` a fair model of the upstream controller on this machine?
 *
 * A bench of its own with its report, and `calibration.json` beside it. The exit code tells.
 */
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  CONCURRENCY_DEFAULT,
  calibrationOf,
  calibrationPlan,
  calibrationTable,
} from '../bench/calibration.js';
import { createProgress } from '../bench/progress.js';
import { runBench } from '../bench/run.js';
import { projectRoot } from '../lib/project-root.js';
import { findPeers, PeersError } from '../target/peers.js';
import { ExitCode } from './exit-codes.js';
import { stopSignal } from './stop.js';

export interface CalibrateCommand {
  readonly concurrency: readonly number[] | null;
  readonly rounds: number;
  readonly workers?: number;
  readonly seed?: number;
  readonly out?: string;
  readonly json: boolean;
}

export async function runCalibrate(command: CalibrateCommand, version: string): Promise<ExitCode> {
  try {
    findPeers();
  } catch (error) {
    if (!(error instanceof PeersError)) throw error;
    console.log(`skipped: ${error.message}`);
    return ExitCode.Ok;
  }
  const concurrency = [...new Set(command.concurrency ?? CONCURRENCY_DEFAULT)];
  const plan = calibrationPlan({ concurrency, rounds: command.rounds });
  const seed = command.seed ?? randomInt(1, 2 ** 31);
  const signal = stopSignal();
  const progress = createProgress(command.json ? process.stderr : process.stdout, () =>
    performance.now(),
  );
  progress.note(
    `quorumark ${version}: about ${Math.ceil(plan.expectedSeconds / 60)} min, seed ${seed}`,
  );
  const { results, directory, report, failures } = await runBench({
    plan,
    seed,
    workers: command.workers,
    runsDirectory: resolve(command.out ?? join(projectRoot(), 'reports', 'runs')),
    command: `quorumark ${process.argv.slice(2).join(' ')}`,
    version,
    signal,
    progress,
  });
  for (const failure of failures) progress.note(`failed: ${failure}`);
  const calibration = calibrationOf(results, concurrency);
  const file = join(directory, 'calibration.json');
  writeFileSync(file, `${JSON.stringify(calibration, null, 2)}\n`);
  process.stdout.write(
    command.json
      ? `${JSON.stringify(calibration)}\n`
      : `\n${calibrationTable(calibration)}\n\n${file}\nreport ${report.html}\n`,
  );
  if (signal.aborted) return ExitCode.Interrupted;
  const codes = {
    within: ExitCode.Ok,
    outside: ExitCode.OutOfBand,
    incomplete: failures.length > 0 ? ExitCode.TargetFailed : ExitCode.Inconclusive,
  };
  return codes[calibration.verdict];
}
