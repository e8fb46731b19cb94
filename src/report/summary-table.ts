/**
 * The summary: a row per workload and measure, at one durability, as text and verdict.
 *
 * The same rows become the HTML table, the Markdown table and the terminal's.
 */
import type { Comparison, Group, TargetValue, WorkloadComparison } from '../analyze/comparison.js';
import { LAST_ELECTED, sum } from '../analyze/metrics.js';
import { familyOf } from '../analyze/reads.js';
import type { Verdict } from '../analyze/verdict.js';
import type { Target } from '../measure/results.js';
import type { Cast } from './cast.js';
import { estimateText, NOTHING, ratioLine } from './format.js';
import { kneeText } from './verdict-words.js';

export interface Cell {
  readonly value: string;
  readonly interval: string | undefined;
  /** What this value is that its neighbour is not: `unproved`. */
  readonly note?: string;
  /** Of a target whose rates still changed when its warm-up had to end. */
  readonly isUnsteady?: boolean;
}

/** Whether some trial that counts was measured before the target was steady. */
export type IsUnsteady = (workload: string, target: string | undefined) => boolean;

export interface SummaryRow {
  readonly workload: string;
  readonly measure: string;
  /** The measure that the verdict on this workload rests on. */
  readonly isPrimary: boolean;
  readonly reference: Cell;
  readonly challenger: Cell;
  readonly floor: Cell;
  /** `51× more (48–52)`. */
  readonly ratio: string;
  readonly verdict: Verdict | undefined;
}

export interface SummaryTable {
  readonly cast: Cast;
  readonly rows: readonly SummaryRow[];
}

/** A class of operations below this share of a workload's answers is left to `comparison.json`. */
const SHARE_MIN = 0.05;
const none: Cell = { value: NOTHING, interval: undefined };

export function summaryTable(
  comparison: Comparison,
  cast: Cast,
  isUnsteady: IsUnsteady,
): SummaryTable {
  const families = comparison.reads.filter(({ durability }) => durability === cast.durability);
  const rows = comparison.workloads.flatMap((workload) => {
    const family = families.find((each) => each.workload === familyOf(workload.workload));
    if (family !== undefined) {
      return family.workload === workload.workload ? readRows(family, cast) : [];
    }
    const group = workload.groups.find(({ durability }) => durability === cast.durability);
    return group === undefined ? [] : metricRows(workload, group, cast);
  });
  const marked = [...rows, ...sweepRows(comparison, cast)].map((row) => {
    const mark = (cell: Cell, target: string | undefined): Cell =>
      cell !== none && isUnsteady(row.workload, target) ? { ...cell, isUnsteady: true } : cell;
    const { reference, challenger } = row;
    return {
      ...row,
      reference: mark(reference, cast.reference?.name),
      challenger: mark(challenger, cast.challenger?.name),
    };
  });
  return { cast, rows: marked };
}

/** What stands below or behind a value: `42,900–44,100 · unproved · not steady`. */
export const asidesOf = ({ interval, note, isUnsteady = false }: Cell): string[] =>
  [interval, note, isUnsteady ? 'not steady' : undefined].filter((part) => part !== undefined);

function metricRows(workload: WorkloadComparison, group: Group, cast: Cast): SummaryRow[] {
  const shown = group.metrics.filter(({ metric, targets }) => {
    if (metric.id === workload.primary) return true;
    const { operationClass } = metric;
    if (operationClass === undefined) return true;
    if (/^(figure|gap)\//.test(workload.primary ?? '')) return isReadMeanwhile(workload, metric);
    if (metric.id.startsWith('p99.9/')) return false;
    if (shareOf(group, operationClass) < SHARE_MIN) return false;
    // An open loop asks for a rate: what came back matters only where it was not that.
    const isThroughput = metric.id.startsWith('throughput/');
    return !isThroughput || workload.load.startsWith('closed') || differs(targets);
  });
  const rows = shown.map(({ metric, targets }): SummaryRow => {
    const cell = (name: string | undefined): Cell => {
      const found = targets.find(({ target }) => target === name);
      return found === undefined ? none : estimateText(found.estimate, metric.unit);
    };
    const ratio = targets.find(({ target }) => target === cast.challenger?.name)?.ratio;
    return {
      workload: workload.workload,
      measure: metric.label,
      isPrimary: metric.id === workload.primary,
      reference: cell(cast.reference?.name),
      challenger: cell(cast.challenger?.name),
      floor: cell(cast.floor?.name),
      ratio: ratio == null ? NOTHING : ratioLine(ratio, metric.better),
      verdict: ratio?.verdict,
    };
  });
  const joined = joinReads(rows);
  const primaryFirst = [
    ...joined.filter((row) => row.isPrimary),
    ...joined.filter((row) => !row.isPrimary),
  ];
  return primaryFirst.filter(
    ({ reference, challenger }) => reference !== none || challenger !== none,
  );
}

/**
 * Where one side proves its reads and the other does not, one row shows both, says which is which,
 * and holds no ratio.
 */
function joinReads(rows: readonly SummaryRow[]): SummaryRow[] {
  const twinOf = (row: SummaryRow, from: string, to: string): SummaryRow | undefined =>
    rows.find(
      ({ measure }) => measure !== row.measure && measure === row.measure.replace(from, to),
    );
  return rows.flatMap((row) => {
    const unproved = row.measure.startsWith('proved read')
      ? twinOf(row, 'proved read', 'unproved read')
      : undefined;
    if (unproved !== undefined && areApart(row, unproved)) {
      const noted = (cell: Cell, note: string): Cell => (cell === none ? none : { ...cell, note });
      const pick = (side: 'reference' | 'challenger'): Cell =>
        row[side] === none ? noted(unproved[side], 'unproved') : noted(row[side], 'proved');
      return [
        {
          ...row,
          measure: row.measure.replace('proved read', 'read'),
          isPrimary: row.isPrimary || unproved.isPrimary,
          reference: pick('reference'),
          challenger: pick('challenger'),
        },
      ];
    }
    const proved = row.measure.startsWith('unproved read')
      ? twinOf(row, 'unproved read', 'proved read')
      : undefined;
    return proved !== undefined && areApart(proved, row) ? [] : [row];
  });
}

function areApart(proved: SummaryRow, unproved: SummaryRow): boolean {
  return (['reference', 'challenger'] as const).every(
    (side) => proved[side] === none || unproved[side] === none,
  );
}

/** After a mass failure: how long the brokers waited for their reads while masters were elected. */
function isReadMeanwhile(
  { primary }: WorkloadComparison,
  { id }: { readonly id: string },
): boolean {
  return primary === LAST_ELECTED && /^p(50|99)\/(un)?proved-read$/.test(id);
}

function shareOf(group: Group, operationClass: string): number {
  const rates = group.metrics
    .filter(({ metric }) => metric.id.startsWith('throughput/'))
    .map(({ metric, targets }) => ({
      name: metric.operationClass,
      total: sum(targets.map(({ estimate }) => estimate.median)),
    }));
  const all = sum(rates.map(({ total }) => total));
  if (all === 0) return 1;
  return sum(rates.filter(({ name }) => name === operationClass).map(({ total }) => total)) / all;
}

function differs(targets: readonly TargetValue[]): boolean {
  return targets.some(({ ratio }) => ratio?.verdict === 'faster' || ratio?.verdict === 'slower');
}

/** Two rows: reads that are proved, and those that are not; never a ratio from one to the other. */
function readRows(family: Comparison['reads'][number], cast: Cast): SummaryRow[] {
  const proves = (name: string | undefined): boolean =>
    family.columns.some(({ proof, target }) => target === name && proof !== 'unproved');
  // Who proves nothing is in the other row only: then both are needed to see both.
  const bothProve = proves(cast.reference?.name) && proves(cast.challenger?.name);
  return [true, false].flatMap((isProved): SummaryRow[] => {
    const alike = family.columns.filter(({ proof }) => (proof !== 'unproved') === isProved);
    const of = (name: string | undefined) => alike.find(({ target }) => target === name);
    const reference = of(cast.reference?.name);
    const challenger = of(cast.challenger?.name);
    if (reference === undefined && challenger === undefined) return [];
    const ratio = challenger?.ratio ?? null;
    return [
      {
        workload: family.workload,
        measure: isProved ? 'proved reads' : 'unproved reads',
        isPrimary: isProved || !bothProve,
        reference: reference === undefined ? none : estimateText(reference.perSecond, '/s'),
        challenger: challenger === undefined ? none : estimateText(challenger.perSecond, '/s'),
        floor: none,
        ratio: ratio === null ? NOTHING : ratioLine(ratio, 'higher'),
        verdict: ratio?.verdict,
      },
    ];
  });
}

function sweepRows(comparison: Comparison, cast: Cast): SummaryRow[] {
  return comparison.sweeps
    .filter(({ durability }) => durability === cast.durability)
    .map(({ sweep, targets }) => {
      const cell = (name: string | undefined): Cell => {
        const found = targets.find(({ target }) => target === name);
        return found === undefined ? none : { value: kneeText(found), interval: undefined };
      };
      return {
        workload: sweep,
        measure: 'highest rate kept',
        isPrimary: true,
        reference: cell(cast.reference?.name),
        challenger: cell(cast.challenger?.name),
        floor: cell(cast.floor?.name),
        ratio: NOTHING,
        verdict: undefined,
      };
    });
}

export interface OtherRow {
  readonly target: string;
  readonly kind: Target['kind'];
  readonly durability: Comparison['workloads'][number]['groups'][number]['durability'];
  readonly workload: string;
  readonly measure: string;
  readonly value: Cell;
  readonly ratio: string;
  readonly verdict: Verdict | undefined;
}

/** Every further target (another hand-off, another product): its primary measures, in long form. */
export function otherRows(comparison: Comparison, cast: Cast, isUnsteady: IsUnsteady): OtherRow[] {
  return cast.others.flatMap(({ name, kind }) =>
    comparison.workloads.flatMap(({ workload, primary, groups }) => {
      const { durability } = cast;
      const own = groups.find((group) => group.durability === durability);
      const valueIn = (metric: Group['metrics'][number] | undefined) =>
        metric?.targets.find(({ target }) => target === name);
      // One that proves its reads has no value where most do not: then what it has instead.
      const sort = primary?.split('/')[0];
      const found = [
        ...(own?.metrics.filter(({ metric }) => metric.id === primary) ?? []),
        ...(own?.metrics.filter(({ metric }) => metric.id.startsWith(`${sort}/`)) ?? []),
      ].find((metric) => valueIn(metric) !== undefined);
      const value = valueIn(found);
      if (found === undefined || value === undefined) return [];
      return [
        {
          target: name,
          kind,
          durability,
          workload,
          measure: found.metric.label,
          value: {
            ...estimateText(value.estimate, found.metric.unit),
            isUnsteady: isUnsteady(workload, name),
          },
          ratio: value.ratio === null ? NOTHING : ratioLine(value.ratio, found.metric.better),
          verdict: value.ratio?.verdict,
        },
      ];
    }),
  );
}
