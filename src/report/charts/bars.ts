/**
 * One measure, one bar a target: the median, its interval as a whisker, each trial as a dot, and the
 * machine's floor as a line across.
 */
import * as palette from '../palette.js';
import { type ChartSpec, colourScale, frame, type Hue, NAME_AXIS, rowName } from './base.js';

export interface Bar {
  /** Names the row; unique within the chart. */
  readonly row: string;
  /** Decides the colour. */
  readonly hue: string;
  readonly median: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly trials: readonly number[];
  /** As the number should be read: `43,500/s`. */
  readonly text: string;
}

export interface BarsData {
  readonly bars: readonly Bar[];
  readonly hues: readonly Hue[];
  readonly floor: { readonly value: number; readonly text: string } | undefined;
}

export function barsChart({ bars, hues, floor }: BarsData): ChartSpec {
  const most = Math.max(
    ...bars.flatMap(({ median, high, trials }) => [median, high ?? 0, ...trials]),
    floor?.value ?? 0,
    Number.MIN_VALUE,
  );
  const x = {
    field: 'median',
    type: 'quantitative',
    // Room at the end for the number that stands behind the longest bar.
    scale: { domain: [0, most * 1.4], nice: false },
    axis: null,
  } as const;
  const y = {
    field: 'row',
    type: 'nominal',
    sort: null,
    title: null,
    scale: { paddingInner: 0.45, paddingOuter: 0.3 },
    axis: { labelLimit: 0, labelColor: palette.ink.light },
  } as const;
  const intervals = bars.filter(({ low, high }) => low !== null && high !== null);
  const dots = bars.flatMap(({ row, trials }) =>
    trials.map((value) => ({ row: rowName(row), median: value })),
  );
  const values = bars.map(({ trials: _, ...bar }) => ({
    ...bar,
    row: rowName(bar.row),
    say: `${bar.row}: ${bar.text}`,
  }));
  return {
    ...frame({ left: NAME_AXIS, top: floor === undefined ? 2 : 20, bottom: 4 }),
    height: 10 + 34 * bars.length,
    data: { values },
    encoding: { y },
    layer: [
      {
        mark: { type: 'bar', cornerRadiusEnd: 3, height: { band: 1 } },
        encoding: {
          x,
          color: { field: 'hue', type: 'nominal', scale: colourScale(hues), legend: null },
          description: { field: 'say', type: 'nominal' },
        },
      },
      ...(floor === undefined
        ? []
        : [
            {
              data: { values: [{ median: floor.value, say: `floor: ${floor.text}` }] },
              mark: {
                type: 'rule',
                color: palette.floor.light,
                strokeDash: [4, 3],
                strokeWidth: 1.5,
              },
              encoding: { x, y: null, description: { field: 'say', type: 'nominal' } },
            },
            {
              data: { values: [{ median: floor.value, text: `floor ${floor.text}` }] },
              mark: {
                type: 'text',
                align: floor.value > most * 0.5 ? 'right' : 'left',
                dx: floor.value > most * 0.5 ? 4 : -4,
                y: -9,
                color: palette.muted.light,
                fontSize: 12,
              },
              encoding: { x, y: null, text: { field: 'text', type: 'nominal' } },
            },
          ]),
      {
        data: { values: dots },
        mark: { type: 'point', filled: true, size: 14, color: palette.ink.light, opacity: 0.55 },
        encoding: { x },
      },
      {
        data: { values: intervals.map(({ row, low, high }) => ({ row: rowName(row), low, high })) },
        mark: { type: 'rule', color: palette.ink.light, strokeWidth: 1.5 },
        encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' } },
      },
      // A halo, where the number lies over the floor's line.
      valueText({ x, isHalo: true }),
      valueText({ x, isHalo: false }),
    ],
  };
}

function valueText({ x, isHalo }: { readonly x: object; readonly isHalo: boolean }) {
  return {
    transform: [{ calculate: 'max(datum.median, datum.high || 0)', as: 'end' }],
    mark: {
      type: 'text',
      align: 'left',
      dx: 8,
      fontSize: 13,
      fontWeight: 600,
      ...(isHalo
        ? { stroke: palette.paper.light, strokeWidth: 4, strokeJoin: 'round' }
        : { color: palette.ink.light }),
    },
    encoding: { x: { ...x, field: 'end' }, text: { field: 'text', type: 'nominal' } },
  };
}
