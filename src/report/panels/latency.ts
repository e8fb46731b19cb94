/** Percentile curves per workload and kind of operation, merged over all valid trials. */
import { mergeHistograms } from '../../analyze/histograms.js';
import { sum } from '../../analyze/metrics.js';
import { familyOf } from '../../analyze/reads.js';
import type { Operation, Results, Trial } from '../../measure/results.js';
import type { Cast, Series } from '../cast.js';
import { type LatencyPoint, latencyChart } from '../charts/latency.js';
import { listed, milliseconds } from '../format.js';
import { proofNames } from '../reads-words.js';
import { group, headingFor, type Panel, type PanelGroup } from './panel.js';

/** A kind of operation below this share of a workload's answers gets no panel of its own. */
const SHARE_MIN = 0.1;
const curve = [1, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.9, 99.95, 99.99, 99.995, 99.999];
const kindNames: Record<Operation['kind'], string> = {
  write: 'writes',
  read: 'reads',
  heartbeat: 'heartbeats',
  local: 'answers without the log',
};
const kinds = ['write', 'read', 'heartbeat', 'local'] as const;

interface Curve {
  readonly name: string;
  readonly series: Series;
  readonly isDashed: boolean;
  readonly points: readonly LatencyPoint[];
}

export function latencyPanels(
  results: Results,
  casts: readonly Cast[],
  series: readonly Series[],
): PanelGroup[] {
  const swept = new Set(
    results.workloads.filter(({ sweepOf }) => sweepOf !== undefined).map(({ name }) => name),
  );
  const valid = results.trials.filter(
    ({ status, workload }) => status === 'valid' && !swept.has(workload),
  );
  const families = [...new Set(valid.map(({ workload }) => familyOf(workload)))];
  return casts.flatMap((cast) => {
    const own = series.filter(({ target }) => cast.all.includes(target));
    const panels = families.flatMap((family) => {
      const trials = valid.filter(({ workload }) => familyOf(workload) === family);
      return kinds.flatMap((kind) => panelOf(family, { kind, trials, series: own, cast }));
    });
    return group(headingFor(cast.durability, casts), own, panels);
  });
}

function panelOf(
  family: string,
  parts: {
    readonly kind: Operation['kind'];
    readonly trials: readonly Trial[];
    readonly series: readonly Series[];
    readonly cast: Cast;
  },
): Panel[] {
  const { kind, trials, series, cast } = parts;
  const curves = series.flatMap((each) =>
    curvesOf(
      trials.filter(({ target }) => target === each.name),
      { kind, series: each, cast },
    ),
  );
  if (curves.length === 0 || curves.every(({ series: { isFloor } }) => isFloor)) return [];
  const hues = curves.map(({ name, series: { colour } }) => ({ name, colour }));
  const dashed = curves.filter(({ isDashed }) => isDashed).map(({ name }) => name);
  const said = curves.flatMap(({ name, points }) => {
    const tail = points.find(({ percentile }) => percentile === 99) ?? points.at(-1);
    return tail === undefined
      ? []
      : [`${name} p${tail.percentile} ${milliseconds(tail.latencyMs)}`];
  });
  const note = kind === 'read' ? 'dashed: unproved' : '';
  return [
    {
      title: `${family}: ${kindNames[kind]}`,
      note,
      charts: [
        {
          spec: latencyChart({ points: curves.flatMap(({ points }) => points), hues, dashed }),
          label: `${family}, response time of ${kindNames[kind]} by percentile: ${listed(said)}`,
        },
      ],
    },
  ];
}

/** One curve a target; for reads one for each proof, since they are different promises. */
function curvesOf(
  trials: readonly Trial[],
  parts: { readonly kind: Operation['kind']; readonly series: Series; readonly cast: Cast },
): Curve[] {
  const { kind, series, cast } = parts;
  const operations = trials.flatMap((trial) => trial.operations);
  const own = operations.filter((each) => each.kind === kind);
  if (sum(own.map(({ ok }) => ok)) < SHARE_MIN * sum(operations.map(({ ok }) => ok))) return [];
  const isAside = series.isFloor || cast.others.includes(series.target);
  return [...new Set(own.map(({ proof }) => proof))].flatMap((proof): Curve[] => {
    const alike = own.filter((each) => each.proof === proof);
    const merged = mergeHistograms(
      alike.map(({ responseTime }) => responseTime),
      series.name,
    );
    const name = proof === 'none' ? series.name : `${series.name}, ${proofNames[proof].short}`;
    const points = curve.flatMap((percentile) => {
      const latencyMs = merged.percentileMs(percentile);
      return latencyMs === undefined ? [] : [{ series: name, percentile, latencyMs }];
    });
    if (points.length === 0) return [];
    return [{ name, series, isDashed: isAside || proof === 'unproved', points }];
  });
}
