/**
 * What all charts share: a quiet frame, type that stays readable when a panel shrinks to a phone,
 * and axes in units that people say.
 */
import * as palette from '../palette.js';

/**
 * A Vega-Lite specification, as JSON. Its own type rejects encodings that layers share, so a chart is
 * held to be one by its test, which draws it.
 */
export type ChartSpec = Readonly<Record<string, unknown>>;

/** Width of one panel in CSS pixels; it scales to its column. */
export const PANEL_WIDTH = 420;
export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

interface Room {
  readonly left: number;
  readonly top: number;
  readonly bottom: number;
}
const RIGHT = 14;

/**
 * A frame of {@link PANEL_WIDTH} with fixed room round the plot. Nothing is measured, so charts that
 * stand above each other share their time axis to the pixel.
 */
export function frame({ left, top, bottom }: Room) {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    width: PANEL_WIDTH - left - RIGHT,
    padding: { left, right: RIGHT, top, bottom },
    autosize: 'none',
    config,
  } as const;
}

/** Room for the numbers of a vertical axis, and for a name on a row. */
export const VALUE_AXIS = 56;
export const NAME_AXIS = 134;

const config = {
  background: 'transparent',
  font: FONT,
  view: { stroke: null },
  axis: {
    labelColor: palette.muted.light,
    titleColor: palette.muted.light,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    labelPadding: 6,
    gridColor: palette.grid.light,
    domain: false,
    ticks: false,
    labelFlush: false,
  },
  axisY: {
    titleAnchor: 'end',
    titleAngle: 0,
    titleAlign: 'left',
    titleX: -VALUE_AXIS,
    titleY: -10,
  },
  line: { strokeWidth: 2, strokeJoin: 'round', strokeCap: 'round' },
} as const;

/** Who is who, for the colour channel; legends are drawn once, in the page. */
export interface Hue {
  readonly name: string;
  readonly colour: palette.Colour;
}

export function colourScale(hues: readonly Hue[]) {
  return { domain: hues.map(({ name }) => name), range: hues.map(({ colour }) => colour.light) };
}

/** Marks at powers of ten; at finer steps when there would be fewer than two of those. */
export function logTicks(low: number, high: number): number[] {
  const steps = [[1], [1, 2, 5], [1, 1.5, 2, 3, 5, 7]];
  const marks = steps.map((within) => ticksAt(within, low, high));
  return marks.find(({ length }) => length >= 2) ?? marks.at(-1) ?? [];
}

function ticksAt(steps: readonly number[], low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const step of steps) {
      // Of a negative power the quotient is exact where the product is not: 2 / 100, not 2 × 0.01.
      const tick = power < 0 ? step / 10 ** -power : step * 10 ** power;
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks;
}

/** Room around positive values on a log axis; a decade round 1 when there are none. */
export function logDomain(values: readonly number[]): [number, number] {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return [0.1, 10];
  return [Math.min(...positive) / 1.3, Math.max(...positive) * 1.3];
}

/** Vega expression: 0.5 ms, 20 ms, 2 s. */
export const MS_LABEL = "datum.value >= 1000 ? datum.value / 1000 + ' s' : datum.value + ' ms'";
/** Vega expression: 500, 20k, 1M. */
export const COUNT_LABEL =
  "datum.value >= 1e6 ? datum.value / 1e6 + 'M' : datum.value >= 1000 ? datum.value / 1000 + 'k' : datum.value";

/** Names of rows share the panel with the plot; a long one is cut, its tooltip is not. */
export const rowName = (name: string): string =>
  name.length <= 21 ? name : `${name.slice(0, 20)}…`;
