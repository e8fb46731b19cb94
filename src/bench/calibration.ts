/**
 * Is `baseline` a fair model of the upstream controller? Both make the same writes at the same
 * numbers outstanding, and their rates must be alike.
 *
 * The model is `baseline` as upstream waits (`handoff: poll`) and promises (`background`), beside
 * `java-dledger`. Pure: what to run, and what came of it.
 */
import { median } from '../analyze/bootstrap.js';
import type { Results, Trial } from '../measure/results.js';
import { loadWorkloads } from '../workload/parse.js';
import { workloadPoints } from '../workload/points.js';
import { makePlan, type Plan } from './plan.js';

export const MODEL = 'baseline';
export const MODELLED = 'java-dledger';
export const CONCURRENCY_DEFAULT: readonly number[] = [1, 16, 64, 256, 1_024];

/**
 * How far the model's rate may be from what it models. Two runs of the upstream controller on one
 * machine differ by up to 20 %; less than half as much again is left for the model itself. Whatever a
 * report says of `baseline` and `optimized` is a factor of 10, which such an error does not touch.
 */
export const BAND = 0.3;

export interface CalibrationOptions {
  readonly concurrency: readonly number[];
  readonly rounds: number;
}

export function calibrationPlan({ concurrency, rounds }: CalibrationOptions): Plan {
  const workload = loadWorkloads().find(({ name }) => name === 'isr-churn');
  if (workload?.kind !== 'load' || workload.load.mode !== 'closed') {
    throw new Error('isr-churn is a closed loop');
  }
  const { load } = workload;
  return makePlan({
    targets: [MODEL, MODELLED],
    trials: rounds,
    durabilities: ['background'],
    handoff: 'poll',
    electionProfile: 'dledger',
    workloads: concurrency.flatMap((outstanding) =>
      workloadPoints(
        { ...workload, load: { ...load, outstanding } },
        { sets: Math.max(...concurrency) },
      ).map((point) => ({ ...point, name: pointName(outstanding) })),
    ),
    provedBaseline: false,
  });
}

const pointName = (outstanding: number): string => `writes@${outstanding}`;

export interface CalibrationRow {
  readonly outstanding: number;
  /** Writes per second, the median of the valid rounds; null when there was none. */
  readonly modelPerSecond: number | null;
  readonly modelledPerSecond: number | null;
  /** Model ÷ modelled. */
  readonly ratio: number | null;
  readonly isWithin: boolean | null;
}

export interface Calibration {
  readonly model: string;
  readonly modelled: string;
  readonly band: number;
  /** `incomplete` when a figure is missing: nothing is said then. */
  readonly verdict: 'within' | 'outside' | 'incomplete';
  readonly rows: readonly CalibrationRow[];
}

export function calibrationOf(results: Results, concurrency: readonly number[]): Calibration {
  const rows = concurrency.map((outstanding): CalibrationRow => {
    const rateOf = (target: string): number | null => {
      const rates = results.trials
        .filter((trial) => trial.workload === pointName(outstanding) && trial.target === target)
        .filter(({ status }) => status === 'valid')
        .map(writesPerSecond);
      return rates.length === 0 ? null : median(rates);
    };
    const modelPerSecond = rateOf(MODEL);
    const modelledPerSecond = rateOf(MODELLED);
    const known = modelPerSecond !== null && modelledPerSecond !== null && modelledPerSecond > 0;
    const ratio = known ? modelPerSecond / modelledPerSecond : null;
    const isWithin = ratio === null ? null : Math.abs(ratio - 1) <= BAND;
    return { outstanding, modelPerSecond, modelledPerSecond, ratio, isWithin };
  });
  const isIncomplete = rows.some(({ ratio }) => ratio === null);
  const isWithin = rows.every((row) => row.isWithin === true);
  const verdict = isIncomplete ? 'incomplete' : isWithin ? 'within' : 'outside';
  return { model: MODEL, modelled: MODELLED, band: BAND, verdict, rows };
}

function writesPerSecond({ operations, measuredMs }: Trial): number {
  const ok = operations.reduce((sum, operation) => sum + operation.ok, 0);
  return measuredMs > 0 ? (ok * 1_000) / measuredMs : 0;
}

/** For a terminal of 80 columns. */
export function calibrationTable({ model, modelled, band, verdict, rows }: Calibration): string {
  const columns = [12, 14, 14, 7, 9];
  const line = (cells: readonly string[]): string =>
    cells.map((cell, index) => cell.padStart(columns[index] ?? 0)).join('  ');
  const rate = (value: number | null): string =>
    value === null ? '–' : `${Math.round(value).toLocaleString('en-US')}/s`;
  const percent = `±${Math.round(band * 100)} %`;
  const words = {
    within: `The model is within ${percent} of ${modelled} everywhere.`,
    outside: `The model is not within ${percent} of ${modelled} everywhere.`,
    incomplete: 'Figures are missing: nothing can be said.',
  };
  return [
    line(['outstanding', `${model}, poll`, modelled, 'ratio', percent]),
    ...rows.map(({ outstanding, modelPerSecond, modelledPerSecond, ratio, isWithin }) =>
      line([
        outstanding.toLocaleString('en-US'),
        rate(modelPerSecond),
        rate(modelledPerSecond),
        ratio === null ? '–' : ratio.toFixed(2),
        isWithin === null ? '–' : isWithin ? 'within' : 'outside',
      ]),
    ),
    '',
    words[verdict],
  ].join('\n');
}
