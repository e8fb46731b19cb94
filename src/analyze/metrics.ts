/**
 * What one trial says: a handful of named values, each with its unit and which way is better.
 *
 * Operations are pooled by class. Reads are split by what their answer proves, because an
 * unproved read is a different, cheaper promise than a proved one; the two never share a ratio.
 */
import type { Operation, Trial } from '../measure/results.js';
import { type Distribution, mergeHistograms } from './histograms.js';
import type { Better } from './verdict.js';

export const operationClasses = [
  'write',
  'proved-read',
  'unproved-read',
  'heartbeat',
  'local',
] as const;
export type OperationClass = (typeof operationClasses)[number];

export const units = ['/s', 'ms', 'bytes', ''] as const;
export type Unit = (typeof units)[number];

export interface Metric {
  /** `throughput/write`, `p99/proved-read`, `figure/bringUpMs`, `gap/kill-leader`. */
  readonly id: string;
  readonly label: string;
  readonly unit: Unit;
  readonly better: Better;
  /** Absent for figures. */
  readonly operationClass?: OperationClass;
}

export interface MetricValue {
  readonly metric: Metric;
  readonly value: number;
}

export const percentilesShown = [50, 99, 99.9] as const;

/** A controller that proves nothing about a read answers an unproved one, whatever it is. */
export function classOf(operation: Pick<Operation, 'kind' | 'proof'>): OperationClass {
  if (operation.kind !== 'read') return operation.kind;
  return operation.proof === 'log' || operation.proof === 'read-index'
    ? 'proved-read'
    : 'unproved-read';
}

/** `writes`, `proved reads`, … for tables and sentences. */
export const classNames: Record<OperationClass, string> = {
  write: 'writes',
  'proved-read': 'proved reads',
  'unproved-read': 'unproved reads',
  heartbeat: 'heartbeats',
  local: 'local answers',
};

export function operationsOf(trial: Trial, operationClass: OperationClass): Operation[] {
  return trial.operations.filter((operation) => classOf(operation) === operationClass);
}

/** Response time (from the intended send) of all successes of one class. */
export function responseTime(trial: Trial, operationClass: OperationClass): Distribution {
  const encoded = operationsOf(trial, operationClass).map((operation) => operation.responseTime);
  return mergeHistograms(encoded, nameOf(trial));
}

export const nameOf = (trial: Trial): string =>
  `${trial.workload}/${trial.target} round ${trial.round}`;

/** Answered with success, per second of the measured window; 0 when there was no window. */
export function throughputOf(trial: Trial, operationClass?: OperationClass): number {
  const operations =
    operationClass === undefined ? trial.operations : operationsOf(trial, operationClass);
  return perSecond(sum(operations.map((operation) => operation.ok)), trial.measuredMs);
}

export function metricsOf(trial: Trial): MetricValue[] {
  const classes = operationClasses.filter((name) => operationsOf(trial, name).length > 0);
  return [
    ...Object.entries(trial.figures).flatMap(([name, value]) => figure(name, value)),
    ...gaps(trial),
    ...classes.flatMap((name) => [...throughput(trial, name), ...latencies(trial, name)]),
  ];
}

/** Acknowledged gaps of planned faults, unless a figure already names the fail-over. */
function gaps(trial: Trial): MetricValue[] {
  const { failoverMs } = trial.figures;
  if (failoverMs !== undefined) return [];
  const fault = trial.faults.find(({ planned, gapMs }) => planned && gapMs !== undefined);
  if (fault?.gapMs === undefined) return [];
  const metric: Metric = {
    id: `gap/${fault.kind}`,
    label: `gap after ${fault.kind}`,
    unit: 'ms',
    better: 'lower',
  };
  return [{ metric, value: fault.gapMs }];
}

/** A script runs to its end, so its rate says how long it was, not how fast the controller is. */
function throughput(trial: Trial, operationClass: OperationClass): MetricValue[] {
  if (trial.load.mode === 'script' || trial.measuredMs <= 0) return [];
  const metric: Metric = {
    id: `throughput/${operationClass}`,
    label: classNames[operationClass],
    unit: '/s',
    better: 'higher',
    operationClass,
  };
  return [{ metric, value: throughputOf(trial, operationClass) }];
}

function latencies(trial: Trial, operationClass: OperationClass): MetricValue[] {
  const distribution = responseTime(trial, operationClass);
  return percentilesShown.flatMap((percentile) => {
    const value = distribution.percentileMs(percentile);
    if (value === undefined) return [];
    const metric: Metric = {
      id: `p${percentile}/${operationClass}`,
      label: `${classNames[operationClass].replace(/s$/, '')} p${percentile}`,
      unit: 'ms',
      better: 'lower',
      operationClass,
    };
    return [{ metric, value }];
  });
}

/** Stands for a workload that loses all masters; the other figures of elections go with it. */
export const LAST_ELECTED = 'figure/lastElectedMs';

const figureLabels: Readonly<Record<string, string>> = {
  bringUpMs: 'bring-up time',
  failoverMs: 'fail-over time',
  lastElectedMs: 'last re-elected',
  medianElectedMs: 'median re-elected',
  firstElectedMs: 'first re-elected',
  electionsPerSecond: 'elections',
  lastToldMs: 'all survivors told',
};

function figure(name: string, value: number): MetricValue[] {
  if (!Number.isFinite(value)) return [];
  const perSecondFigure = name.endsWith('PerSecond');
  const unit = perSecondFigure
    ? '/s'
    : name.endsWith('Ms')
      ? 'ms'
      : name.endsWith('Bytes')
        ? 'bytes'
        : '';
  const metric: Metric = {
    id: `figure/${name}`,
    label: figureLabels[name] ?? words(name.replace(/(Ms|Bytes|PerSecond)$/, '')),
    unit,
    better: perSecondFigure ? 'higher' : 'lower',
  };
  return [{ metric, value }];
}

const words = (camelCase: string): string =>
  camelCase.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();

export const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

const perSecond = (count: number, ms: number): number => (ms > 0 ? (count * 1_000) / ms : 0);
