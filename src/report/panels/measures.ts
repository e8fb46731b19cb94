/** One bar panel per workload: the measure that stands for it, with the floor as a line. */
import type { Comparison, Group, WorkloadComparison } from '../../analyze/comparison.js';
import { LAST_ELECTED } from '../../analyze/metrics.js';
import { familyOf } from '../../analyze/reads.js';
import type { Cast, Series } from '../cast.js';
import { type Bar, barsChart } from '../charts/bars.js';
import { listed, withUnit } from '../format.js';
import { proofNames } from '../reads-words.js';
import { group, headingFor, type Panel, type PanelGroup } from './panel.js';

export function measurePanels(
  comparison: Comparison,
  casts: readonly Cast[],
  series: readonly Series[],
): PanelGroup[] {
  return casts.flatMap((cast) => {
    const families = comparison.reads.filter(({ durability }) => durability === cast.durability);
    const panels = comparison.workloads.flatMap((workload): Panel[] => {
      const family = families.find((each) => each.workload === familyOf(workload.workload));
      if (family !== undefined) {
        return family.workload === workload.workload ? [readsPanel(family, series)] : [];
      }
      const own = workload.groups.find(({ durability }) => durability === cast.durability);
      return own === undefined ? [] : measurePanel(workload, own, cast, series);
    });
    const legend = series.filter(({ target }) => cast.all.includes(target));
    return group(headingFor(cast.durability, casts), legend, panels);
  });
}

function measurePanel(
  { workload, load, primary }: WorkloadComparison,
  own: Group,
  cast: Cast,
  series: readonly Series[],
): Panel[] {
  if (primary === LAST_ELECTED) return electionsPanel({ workload, own, cast, series });
  const found = own.metrics.find(({ metric }) => metric.id === primary);
  if (found === undefined) return [];
  const { unit, label, better } = found.metric;
  const estimateOf = (name: string) =>
    found.targets.find(({ target }) => target === name)?.estimate;
  const bars = cast.all.flatMap(({ name, kind }): Bar[] => {
    const estimate = estimateOf(name);
    if (estimate === undefined || kind === 'floor') return [];
    return [barOf({ row: name, hue: name, estimate, text: withUnit(estimate.median, unit) })];
  });
  if (bars.length === 0) return [];
  const floor = cast.floor === undefined ? undefined : estimateOf(cast.floor.name)?.median;
  const chart = barsChart({
    bars,
    hues: series,
    floor: floor === undefined ? undefined : { value: floor, text: withUnit(floor, unit) },
  });
  const said = bars.map(({ row, text }) => `${row} ${text}`);
  const limit = floor === undefined ? '' : `; floor ${withUnit(floor, unit)}`;
  return [
    {
      title: workload,
      note: `${label}, ${better} is better · ${load}`,
      charts: [{ spec: chart, label: `${workload}, ${label}: ${listed(said)}${limit}` }],
    },
  ];
}

/** A mass failure is a distribution over sets: first, median and last of each target. */
function electionsPanel(parts: {
  readonly workload: string;
  readonly own: Group;
  readonly cast: Cast;
  readonly series: readonly Series[];
}): Panel[] {
  const { workload, own, cast, series } = parts;
  const bars = cast.all.flatMap(({ name }) =>
    (['first', 'median', 'last'] as const).flatMap((which): Bar[] => {
      const found = own.metrics.find(({ metric }) => metric.id === `figure/${which}ElectedMs`);
      const estimate = found?.targets.find(({ target }) => target === name)?.estimate;
      if (estimate === undefined) return [];
      const text = withUnit(estimate.median, 'ms');
      return [barOf({ row: `${name}, ${which}`, hue: name, estimate, text })];
    }),
  );
  if (bars.length === 0) return [];
  const said = bars.map(({ row, text }) => `${row} ${text}`);
  return [
    {
      title: workload,
      note: 'from the loss of all masters until the first, the median and the last set has a new one, lower is better',
      charts: [
        {
          spec: barsChart({ bars, hues: series, floor: undefined }),
          label: `${workload}, sets re-elected: ${listed(said)}`,
        },
      ],
    },
  ];
}

function readsPanel(family: Comparison['reads'][number], series: readonly Series[]): Panel {
  const bars = family.columns.map((column) =>
    barOf({
      row: `${column.target}, ${proofNames[column.proof].short}`,
      hue: column.target,
      estimate: column.perSecond,
      text: withUnit(column.perSecond.median, '/s'),
    }),
  );
  const said = bars.map(({ row, text }) => `${row} ${text}`);
  return {
    title: family.workload,
    note: 'reads by what the answer proves, higher is better · closed loop',
    charts: [
      {
        spec: barsChart({ bars, hues: series, floor: undefined }),
        label: `${family.workload}, reads: ${listed(said)}`,
      },
    ],
  };
}

function barOf(parts: {
  readonly row: string;
  readonly hue: string;
  readonly estimate: Group['metrics'][number]['targets'][number]['estimate'];
  readonly text: string;
}): Bar {
  const { row, hue, estimate, text } = parts;
  return {
    row,
    hue,
    text,
    median: estimate.median,
    low: estimate.interval?.low ?? null,
    high: estimate.interval?.high ?? null,
    trials: estimate.values.map(({ value }) => value),
  };
}
