/**
 * Throughput and p99 interval by interval. A workload with a fault has a panel per target, side by
 * side on the same axes; the others have one panel for all targets.
 */

import type { Comparison } from '../../analyze/comparison.js';
import { mergeHistograms } from '../../analyze/histograms.js';
import { nameOf, sum } from '../../analyze/metrics.js';
import type { Fault, Interval, Operation, Results, Trial } from '../../measure/results.js';
import type { Cast, Series } from '../cast.js';
import {
  type FaultMark,
  p99OverTime,
  sharedBounds,
  type TimePoint,
  throughputOverTime,
} from '../charts/over-time.js';
import { listed, milliseconds, plural } from '../format.js';
import { group, headingFor, type Panel, type PanelGroup } from './panel.js';

interface Drawn {
  readonly title: string;
  readonly note: string;
  readonly points: readonly TimePoint[];
  readonly faults: readonly FaultMark[];
}

export function overTimePanels(
  results: Results,
  comparison: Comparison,
  parts: { readonly casts: readonly Cast[]; readonly series: readonly Series[] },
): PanelGroup[] {
  const { casts, series } = parts;
  return casts.flatMap((cast) => {
    const own = series.filter(({ target }) => cast.all.includes(target));
    const names = new Set(own.map(({ name }) => name));
    const panels = comparison.workloads.flatMap(({ workload, primary }) => {
      const trials = results.trials.filter(
        (trial) =>
          trial.workload === workload &&
          trial.status === 'valid' &&
          trial.intervals.length > 1 &&
          names.has(trial.target),
      );
      const kind = kindOf(primary, trials);
      if (kind === undefined) return [];
      const drawn = trials.some(isDisturbed)
        ? perTarget(trials, { workload, kind, series: own })
        : [together(trials, { workload, kind })];
      const bounds = sharedBounds(drawn.flatMap(({ points }) => points));
      return drawn.map((each) => panelOf(each, { bounds, series: own }));
    });
    return group(headingFor(cast.durability, casts), own, panels);
  });
}

/** The kind that the workload is about: of its primary metric, else the most frequent. */
function kindOf(primary: string | null, trials: readonly Trial[]): Operation['kind'] | undefined {
  const operations = trials.flatMap((trial) => trial.operations);
  const kinds = [...new Set(operations.map(({ kind }) => kind))];
  const named = kinds.find(
    (kind) => primary?.endsWith(`/${kind}`) || primary?.endsWith(`-${kind}`),
  );
  const okOf = (kind: Operation['kind']): number =>
    sum(operations.filter((each) => each.kind === kind).map(({ ok }) => ok));
  return named ?? kinds.sort((one, other) => okOf(other) - okOf(one))[0];
}

const isDisturbed = (trial: Trial): boolean => trial.faults.length > 0;

function together(
  trials: readonly Trial[],
  { workload, kind }: { readonly workload: string; readonly kind: Operation['kind'] },
): Drawn {
  return {
    title: workload,
    note: `${kind}s, a line per trial`,
    points: trials.flatMap((trial) => pointsOf(trial, kind)),
    faults: [],
  };
}

/** With faults, one trial a target: the one whose gap is the median, so that bands do not pile up. */
function perTarget(
  trials: readonly Trial[],
  parts: {
    readonly workload: string;
    readonly kind: Operation['kind'];
    readonly series: readonly Series[];
  },
): Drawn[] {
  const { workload, kind, series } = parts;
  return series.flatMap(({ name }) => {
    const own = trials
      .filter(({ target }) => target === name)
      .sort((one, other) => gapOf(one) - gapOf(other));
    const disturbed = own.filter(isDisturbed);
    const shown = disturbed[Math.floor((disturbed.length - 1) / 2)] ?? own[0];
    if (shown === undefined) return [];
    const gaps = disturbed.map(gapOf).filter((gap) => gap > 0);
    const [least, most] = [gaps[0], gaps[gaps.length - 1]];
    const spread =
      least === undefined || most === undefined
        ? ''
        : `, gap ${listed([...new Set([milliseconds(least), milliseconds(most)])]).replace(' and ', ' to ')}`;
    return [
      {
        title: `${workload}: ${name}`,
        note: `${kind}s, round ${shown.round} of ${plural(own.length, 'trial')}${spread}`,
        points: pointsOf(shown, kind),
        faults: shown.faults.map(markOf),
      },
    ];
  });
}

function gapOf(trial: Trial): number {
  return Math.max(0, ...trial.faults.map(({ gapMs }) => gapMs ?? 0));
}

const faultNames: Record<Fault['kind'], string> = {
  'kill-leader': 'leader killed',
  'member-exit': 'member gone',
  'member-restart': 'member back',
};

function markOf({ kind, member, atMs, gapMs }: Fault): FaultMark {
  const name = `${faultNames[kind]} (${member})`;
  return {
    atS: atMs / 1_000,
    untilS: gapMs === undefined ? null : (atMs + gapMs) / 1_000,
    label: gapMs === undefined ? name : `${name}: no write for ${milliseconds(gapMs)}`,
  };
}

function pointsOf(trial: Trial, kind: Operation['kind']): TimePoint[] {
  const names = new Set(
    trial.operations.filter((each) => each.kind === kind).map(({ name }) => name),
  );
  return trial.intervals.map((interval) => {
    const own = interval.operations.filter(({ name }) => names.has(name));
    return {
      series: trial.target,
      trial: nameOf(trial),
      atS: (interval.startMs + interval.lengthMs / 2) / 1_000,
      perSecond: rateOf(interval, sum(own.map(({ ok }) => ok))),
      p99Ms: tailOf(
        own.map(({ responseTime }) => responseTime),
        trial,
      ),
    };
  });
}

const rateOf = ({ lengthMs }: Interval, ok: number): number =>
  lengthMs > 0 ? Math.round((ok * 1_000) / lengthMs) : 0;

/** Of fewer than a hundred answers the slowest stands for the 99th percentile. */
function tailOf(encoded: readonly string[], trial: Trial): number | null {
  const merged = mergeHistograms(encoded, nameOf(trial));
  return merged.percentileMs(99) ?? merged.maxMs ?? null;
}

function panelOf(
  { title, note, points, faults }: Drawn,
  parts: { readonly bounds: ReturnType<typeof sharedBounds>; readonly series: readonly Series[] },
): Panel {
  const data = { points, faults, hues: parts.series, ...parts.bounds };
  const said = faults.map(({ label, atS }) => `${label}, at ${atS.toFixed(1)} s`);
  const label = `${title}, over time${said.length === 0 ? '' : `: ${listed(said)}`}`;
  return {
    title,
    note,
    charts: [
      { spec: throughputOverTime(data), label: `${label}; answers per second` },
      { spec: p99OverTime(data), label: `${label}; p99 response time` },
    ],
  };
}
