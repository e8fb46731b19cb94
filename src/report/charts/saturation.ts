/** Throughput against tail latency as the asked rate rises: flat while it keeps up, then a wall. */
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
  VALUE_AXIS,
} from './base.js';

export interface StepPoint {
  readonly series: string;
  readonly askedPerSecond: number;
  readonly achievedPerSecond: number;
  readonly p99Ms: number;
  readonly isKnee: boolean;
}

export interface SaturationData {
  readonly points: readonly StepPoint[];
  readonly hues: readonly Hue[];
  /** The p99 that must not be reached. */
  readonly limitMs: number;
}

export function saturationChart({ points, hues, limitMs }: SaturationData): ChartSpec {
  const yDomain = logDomain([...points.map(({ p99Ms }) => p99Ms), limitMs]);
  const xDomain = logDomain(points.map(({ achievedPerSecond }) => achievedPerSecond));
  const values = points.map((point) => ({
    ...point,
    knee: `${point.askedPerSecond.toLocaleString('en-US')}/s`,
    say: `${point.series}, asked ${point.askedPerSecond}/s: ${Math.round(point.achievedPerSecond)}/s, p99 ${Number(point.p99Ms.toPrecision(3))} ms`,
  }));
  return {
    ...frame({ left: VALUE_AXIS, top: 24, bottom: 42 }),
    height: 260,
    data: { values },
    encoding: {
      x: {
        field: 'achievedPerSecond',
        type: 'quantitative',
        title: 'answered per second',
        scale: { type: 'log', domain: xDomain, nice: false },
        axis: { values: logTicks(...xDomain), labelExpr: COUNT_LABEL },
      },
      y: {
        field: 'p99Ms',
        type: 'quantitative',
        title: 'p99 response time',
        scale: { type: 'log', domain: yDomain, nice: false },
        axis: { values: logTicks(...yDomain), labelExpr: MS_LABEL },
      },
    },
    layer: [
      {
        data: { values: [{ p99Ms: limitMs }] },
        mark: { type: 'rule', color: palette.alarm.light, strokeDash: [4, 3] },
        encoding: { x: null },
      },
      {
        data: { values: [{ p99Ms: limitMs, text: `${limitMs} ms limit` }] },
        mark: {
          type: 'text',
          align: 'right',
          baseline: 'bottom',
          dy: -4,
          x: 'width',
          color: palette.alarm.light,
          fontSize: 12,
        },
        encoding: { x: null, text: { field: 'text', type: 'nominal' } },
      },
      {
        mark: { type: 'line', opacity: 0.8 },
        encoding: {
          color: { field: 'series', type: 'nominal', scale: colourScale(hues), legend: null },
          order: { field: 'askedPerSecond', type: 'quantitative' },
        },
      },
      {
        mark: { type: 'point', filled: true, opacity: 1 },
        encoding: {
          color: { field: 'series', type: 'nominal', scale: colourScale(hues), legend: null },
          size: { condition: { test: 'datum.isKnee', value: 130 }, value: 36 },
          description: { field: 'say', type: 'nominal' },
        },
      },
      {
        transform: [{ filter: 'datum.isKnee' }],
        // A halo, where the label lies over its own line.
        mark: {
          type: 'text',
          dy: 20,
          fontSize: 12,
          fontWeight: 600,
          stroke: palette.paper.light,
          strokeWidth: 4,
        },
        encoding: { text: { field: 'knee', type: 'nominal' } },
      },
      {
        transform: [{ filter: 'datum.isKnee' }],
        mark: { type: 'text', dy: 20, fontSize: 12, fontWeight: 600, color: palette.ink.light },
        encoding: { text: { field: 'knee', type: 'nominal' } },
      },
    ],
  };
}
