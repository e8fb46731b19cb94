/**
 * What happened when: throughput above, p99 response time below, on one time axis.
 *
 * A fault is a line; the time until the next acknowledged write is a band with its length written in
 * it. Between two intervals with no answer at all the line of p99 is broken, never joined.
 */
import * as palette from '../palette.js';
import {
  type ChartSpec,
  COUNT_LABEL,
  colourScale,
  frame,
  type Hue,
  logDomain,
  logTicks,
  MS_LABEL,
  PANEL_WIDTH,
  VALUE_AXIS,
} from './base.js';

export interface TimePoint {
  readonly series: string;
  /** Tells the lines of one series apart. */
  readonly trial: string;
  /** Middle of the interval, in seconds from the start of the measured window. */
  readonly atS: number;
  readonly perSecond: number;
  readonly p99Ms: number | null;
}

export interface FaultMark {
  readonly atS: number;
  /** End of the band; null when no acknowledged write followed, or none was awaited. */
  readonly untilS: number | null;
  readonly label: string;
}

export interface OverTimeData {
  readonly points: readonly TimePoint[];
  readonly faults: readonly FaultMark[];
  readonly hues: readonly Hue[];
  readonly lengthS: number;
  /** Upper ends that panels side by side share. */
  readonly perSecondMax: number;
  readonly p99Domain: readonly [number, number];
}

/** Bounds for a set of panels that are to be read side by side. */
export function sharedBounds(points: readonly TimePoint[]) {
  return {
    lengthS: Math.max(1, ...points.map(({ atS }) => Math.ceil(atS))),
    perSecondMax: Math.max(1, ...points.map(({ perSecond }) => perSecond)) * 1.08,
    p99Domain: logDomain(points.flatMap(({ p99Ms }) => p99Ms ?? [])),
  };
}

export function throughputOverTime(data: OverTimeData): ChartSpec {
  const y = {
    field: 'perSecond',
    type: 'quantitative',
    title: 'answers per second',
    scale: { domain: [0, data.perSecondMax], nice: false },
    axis: { tickCount: 4, labelExpr: COUNT_LABEL },
  } as const;
  return timeChart(data, { y, height: 120, isLabelled: true, title: null });
}

export function p99OverTime(data: OverTimeData): ChartSpec {
  const [low, high] = data.p99Domain;
  const y = {
    field: 'p99Ms',
    type: 'quantitative',
    title: 'p99 response time',
    scale: { type: 'log', domain: [low, high], nice: false },
    axis: { values: logTicks(low, high), labelExpr: MS_LABEL },
  } as const;
  return timeChart(data, { y, height: 110, isLabelled: false, title: 'seconds' });
}

function timeChart(
  { points, faults, hues, lengthS }: OverTimeData,
  parts: {
    readonly y: object;
    readonly height: number;
    readonly isLabelled: boolean;
    readonly title: string | null;
  },
): ChartSpec {
  const x = {
    field: 'atS',
    type: 'quantitative',
    title: parts.title,
    scale: { domain: [0, lengthS], nice: false },
    axis: { tickCount: 6, grid: false, tickMinStep: 1 },
  } as const;
  const bands = faults.filter(({ untilS }) => untilS !== null);
  const faultLayers = [
    {
      data: { values: bands },
      mark: { type: 'rect', color: palette.alarm.light, opacity: 0.14 },
      encoding: { x, x2: { field: 'untilS' } },
    },
    {
      data: { values: faults },
      mark: { type: 'rule', color: palette.alarm.light, strokeWidth: 1.5 },
      encoding: { x },
    },
    ...(parts.isLabelled ? [faultLabels(faults, lengthS)] : []),
  ];
  return {
    ...frame({ left: VALUE_AXIS, ...roomFor(parts, faults) }),
    height: parts.height,
    data: { values: points },
    layer: [
      ...(faults.length === 0 ? [] : faultLayers),
      {
        mark: { type: 'line', strokeWidth: 1.75, opacity: 0.85 },
        encoding: {
          x,
          y: parts.y,
          color: { field: 'series', type: 'nominal', scale: colourScale(hues), legend: null },
          detail: { field: 'trial', type: 'nominal' },
        },
      },
    ],
  };
}

/** Above the plot, from the fault's line on; moved left as far as a long label needs. */
function faultLabels(faults: readonly FaultMark[], lengthS: number) {
  const plot = PANEL_WIDTH - VALUE_AXIS;
  const values = faults.map(({ atS, label }) => {
    const wanted = (atS / lengthS) * plot;
    return { label, left: Math.max(-VALUE_AXIS, Math.min(wanted, plot - label.length * 7.8)) };
  });
  return {
    data: { values },
    mark: {
      type: 'text',
      align: 'left',
      baseline: 'bottom',
      y: -26,
      color: palette.alarm.light,
      fontSize: 12,
      fontWeight: 600,
    },
    encoding: {
      x: { field: 'left', type: 'quantitative', scale: null, axis: null },
      text: { field: 'label', type: 'nominal' },
    },
  };
}

/** Over a labelled plot: its title and, above that, what happened. */
function roomFor(
  { isLabelled, title }: { readonly isLabelled: boolean; readonly title: string | null },
  faults: readonly FaultMark[],
) {
  return { top: isLabelled && faults.length > 0 ? 44 : 24, bottom: title === null ? 24 : 42 };
}
