/** Response time by percentile, on a "nines" axis, so that the tail gets the room it deserves. */
import {
  type ChartSpec,
  colourScale,
  frame,
  type Hue,
  logDomain,
  logTicks,
  MS_LABEL,
  VALUE_AXIS,
} from './base.js';

export interface LatencyPoint {
  readonly series: string;
  /** In [0, 100). */
  readonly percentile: number;
  readonly latencyMs: number;
}

export interface LatencyData {
  readonly points: readonly LatencyPoint[];
  readonly hues: readonly Hue[];
  /** Drawn dashed: the floor, and whatever is not one of the two builds that are compared. */
  readonly dashed: readonly string[];
}

/** Where the axis carries a label: each is a nine more than the one before it. */
const marked = [50, 90, 99, 99.9, 99.99, 99.999] as const;
const nines = (percentile: number): number => -Math.log10(1 - percentile / 100);

export function latencyChart({ points, hues, dashed }: LatencyData): ChartSpec {
  const values = points.map((point) => ({
    ...point,
    nines: Number(nines(point.percentile).toFixed(4)),
    say: `${point.series}: p${point.percentile} ${Number(point.latencyMs.toPrecision(3))} ms`,
  }));
  const domain = logDomain(points.map(({ latencyMs }) => latencyMs));
  const last = Math.max(1, ...values.map((value) => value.nines));
  const labels = marked.map((percentile) => Number(nines(percentile).toFixed(4)));
  const text = labels.map((label, index) => `datum.value == ${label} ? '${marked[index]}' : `);
  return {
    ...frame({ left: VALUE_AXIS, top: 24, bottom: 42 }),
    height: 210,
    data: { values },
    encoding: {
      x: {
        field: 'nines',
        type: 'quantitative',
        title: 'percentile',
        scale: { domain: [0, last], nice: false },
        axis: {
          values: labels.filter((label) => label <= last),
          labelOverlap: false,
          labelExpr: `${text.join('')}''`,
        },
      },
      y: {
        field: 'latencyMs',
        type: 'quantitative',
        title: 'response time',
        scale: { type: 'log', domain, nice: false },
        axis: { values: logTicks(...domain), labelExpr: MS_LABEL },
      },
      color: { field: 'series', type: 'nominal', scale: colourScale(hues), legend: null },
    },
    layer: [
      {
        mark: { type: 'line', interpolate: 'monotone' },
        encoding: {
          strokeDash: {
            condition: { test: { field: 'series', oneOf: [...dashed] }, value: [5, 4] },
            value: [1, 0],
          },
        },
      },
      {
        transform: [{ filter: { field: 'percentile', oneOf: [...marked] } }],
        mark: { type: 'point', filled: true, size: 34, opacity: 1 },
        encoding: { description: { field: 'say', type: 'nominal' } },
      },
    ],
  };
}
