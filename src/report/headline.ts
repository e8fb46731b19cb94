/**
 * The headline as a picture of its own, for a README: writes, proved reads, fail-over, bring-up.
 *
 * One SVG with no outside references; it follows the reader's light or dark preference by itself.
 */
import type { Comparison, Estimate } from '../analyze/comparison.js';
import { sum } from '../analyze/metrics.js';
import type { Cast } from './cast.js';
import { barsChart } from './charts/bars.js';
import { FONT, PANEL_WIDTH } from './charts/base.js';
import { drawSvg } from './draw.js';
import { escapeHtml as text } from './escape.js';
import { listed, withUnit } from './format.js';
import type { ReportView } from './model.js';
import * as palette from './palette.js';

const GAP = 28;
/** Two by two stays readable at the width of a README. */
const COLUMNS = 2;
const TITLE_HEIGHT = 48;
const FOOT_HEIGHT = 30;

interface Measure {
  readonly title: string;
  readonly note: string;
  readonly unit: '/s' | 'ms';
  readonly reference: Estimate;
  readonly challenger: Estimate;
  readonly floor: number | undefined;
}

/** @returns `undefined` when none of the four was measured on both builds. */
export async function headlineSvg(
  comparison: Comparison,
  view: ReportView,
): Promise<string | undefined> {
  const cast = view.casts[0];
  const { reference, challenger } = cast ?? {};
  if (cast === undefined || reference === undefined || challenger === undefined) return undefined;
  const names = [reference.name, challenger.name] as const;
  const measures = measuresOf(comparison, cast.durability, {
    reference: names[0],
    challenger: names[1],
    floor: cast.floor?.name,
  });
  if (measures.length === 0) return undefined;
  const drawn = await Promise.all(
    measures.map(async (measure, index) => {
      const { unit, floor } = measure;
      const bars = [measure.reference, measure.challenger].map((estimate, side) => ({
        row: names[side] ?? '',
        hue: names[side] ?? '',
        median: estimate.median,
        low: estimate.interval?.low ?? null,
        high: estimate.interval?.high ?? null,
        trials: [],
        text: withUnit(estimate.median, unit),
      }));
      const spec = barsChart({
        bars,
        hues: view.series,
        floor: floor === undefined ? undefined : { value: floor, text: withUnit(floor, unit) },
      });
      const label = `${measure.title}: ${listed(bars.map((bar) => `${bar.row} ${bar.text}`))}`;
      return { measure, label, svg: await drawSvg(spec, { label, id: `headline-${index}` }) };
    }),
  );
  return compose(drawn, view, cast);
}

function measuresOf(
  comparison: Comparison,
  durability: string,
  names: {
    readonly reference: string;
    readonly challenger: string;
    readonly floor: string | undefined;
  },
): Measure[] {
  const find = (id: string, title: string, unit: Measure['unit']): Measure[] => {
    const found = comparison.workloads.flatMap(({ workload, load, groups }) =>
      groups
        .filter((group) => group.durability === durability)
        .flatMap(({ metrics }) => metrics.filter(({ metric }) => metric.id === id))
        .map(({ targets }) => ({ workload, load, targets })),
    );
    const complete = found.flatMap(({ workload, load, targets }): Measure[] => {
      const of = (name: string | undefined) =>
        targets.find(({ target }) => target === name)?.estimate;
      const reference = of(names.reference);
      const challenger = of(names.challenger);
      if (reference === undefined || challenger === undefined) return [];
      const note = id.startsWith('throughput/') ? `${workload}, ${load}` : workload;
      const floor = of(names.floor)?.median;
      return [{ title, note, unit, reference, challenger, floor }];
    });
    // Of several workloads that write, the one that writes most shows what can be carried.
    const most = complete.sort((one, other) => other.challenger.median - one.challenger.median)[0];
    return most === undefined ? [] : [most];
  };
  return [
    ...find('throughput/write', 'Writes', '/s'),
    ...provedReads(comparison, durability, names),
    ...find('figure/failoverMs', 'Fail-over, shorter is better', 'ms'),
    ...find('figure/bringUpMs', 'Bring-up, shorter is better', 'ms'),
  ];
}

function provedReads(
  comparison: Comparison,
  durability: string,
  names: { readonly reference: string; readonly challenger: string },
): Measure[] {
  const family = comparison.reads.find((each) => each.durability === durability);
  const proved = family?.columns.filter(({ proof }) => proof !== 'unproved') ?? [];
  const reference = proved.find(({ target }) => target === names.reference)?.perSecond;
  const challenger = proved.find(({ target }) => target === names.challenger)?.perSecond;
  if (family === undefined || reference === undefined || challenger === undefined) return [];
  const note = `${family.workload}, by the log and by ReadIndex`;
  return [{ title: 'Proved reads', note, unit: '/s', reference, challenger, floor: undefined }];
}

interface Drawn {
  readonly measure: Measure;
  readonly label: string;
  readonly svg: string;
}

function compose(drawn: readonly Drawn[], view: ReportView, cast: Cast): string {
  const columns = Math.min(COLUMNS, drawn.length);
  const width = columns * PANEL_WIDTH + (columns + 1) * GAP;
  const rows = Array.from({ length: Math.ceil(drawn.length / columns) }, (_, row) =>
    Math.max(...drawn.slice(row * columns, (row + 1) * columns).map(({ svg }) => heightOf(svg))),
  );
  const topOf = (row: number): number =>
    GAP / 2 + sum(rows.slice(0, row).map((tallest) => TITLE_HEIGHT + tallest + GAP / 2));
  const height = topOf(rows.length) + FOOT_HEIGHT;
  const panels = drawn.map(({ measure, svg }, index) => {
    const x = GAP + (index % columns) * (PANEL_WIDTH + GAP);
    const row = Math.floor(index / columns);
    const top = TITLE_HEIGHT + (rows[row] ?? 0) - heightOf(svg);
    const placed = svg.replace(
      /<svg [^>]*viewBox/,
      `<svg y="${top}" width="${PANEL_WIDTH}" height="${heightOf(svg)}" viewBox`,
    );
    return `<g transform="translate(${x},${topOf(row)})">${line(measure.title, { y: 20, size: 16, weight: 650 })}${line(measure.note, { y: 40, size: 12.5 })}${placed}</g>`;
  });
  const { members } = cast.challenger ?? { members: 0 };
  const foot = `Medians; ${cast.durability} durability; ${members} controllers and the load on one machine; run ${view.runId}`;
  const label = drawn.map((each) => each.label).join('; ');
  return `<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-label="${text(label)}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${text(FONT)}"><style>@media (prefers-color-scheme:dark){
${palette.darkRules('.chart')}
}</style><rect width="${width}" height="${height}" rx="10" fill="${palette.paper.light}"/>${panels.join('')}<g transform="translate(${GAP},0)">${line(foot, { y: height - 16, size: 12 })}</g></svg>
`;
}

function line(
  content: string,
  { y, size, weight }: { readonly y: number; readonly size: number; readonly weight?: number },
): string {
  const colour = weight === undefined ? palette.muted.light : palette.ink.light;
  return `<text x="2" y="${y}" font-size="${size}" font-weight="${weight ?? 400}" fill="${colour}">${text(content)}</text>`;
}

function heightOf(svg: string): number {
  return Number(/viewBox="[\d.-]+ [\d.-]+ [\d.]+ ([\d.]+)"/.exec(svg)?.[1] ?? 0);
}
