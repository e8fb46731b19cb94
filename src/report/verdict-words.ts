/** The verdict as sentences: what a reader should believe after one line. */
import type { Comparison, Ratio } from '../analyze/comparison.js';
import type { Metric } from '../analyze/metrics.js';
import { familyOf } from '../analyze/reads.js';
import { isCompared } from '../analyze/targets.js';
import type { Better, Verdict } from '../analyze/verdict.js';
import type { Target } from '../measure/results.js';
import type { Cast } from './cast.js';
import { listed, plural, ratioLine, ratioText } from './format.js';

/** One workload's answer to "is the challenger better?". */
export interface Finding {
  readonly workload: string;
  readonly label: string;
  readonly unit: Metric['unit'];
  readonly better: Better;
  readonly ratio: Ratio;
}

/** At most one finding a workload: by its primary metric; for reads, by those that are proved. */
export function findingsOf(comparison: Comparison, { challenger, durability }: Cast): Finding[] {
  if (challenger === undefined) return [];
  const families = comparison.reads.filter((each) => each.durability === durability);
  return comparison.workloads.flatMap(({ workload, primary, groups }): Finding[] => {
    const family = families.find((each) => each.workload === familyOf(workload));
    if (family !== undefined) {
      const column =
        family.columns.find(
          (each) => each.target === challenger.name && each.proof !== 'unproved',
        ) ?? family.columns.find((each) => each.target === challenger.name);
      if (column === undefined || column.workload !== workload || column.ratio === null) return [];
      const label = column.proof === 'unproved' ? 'unproved reads' : 'proved reads';
      return [{ workload, label, unit: '/s', better: 'higher', ratio: column.ratio }];
    }
    const compared = groups
      .find((group) => group.durability === durability)
      ?.metrics.find(({ metric }) => metric.id === primary);
    const ratio = compared?.targets.find(({ target }) => target === challenger.name)?.ratio;
    if (compared === undefined || ratio === undefined || ratio === null) return [];
    const { label, unit, better } = compared.metric;
    return [{ workload, label, unit, better, ratio }];
  });
}

export interface VerdictWords {
  /** The first line of everything; fits a terminal line with ordinary names. */
  readonly headline: string;
  /** The other durabilities, what was not shown, what was left out. */
  readonly sentences: readonly string[];
  /** Largest differences first, either way. */
  readonly findings: readonly Finding[];
}

export function verdictWords(
  comparison: Comparison,
  casts: readonly Cast[],
  targets: readonly Target[],
): VerdictWords {
  const [main, ...rest] = casts;
  const findings = main === undefined ? [] : findingsOf(comparison, main);
  const sentences = [
    ...undecided(findings),
    ...rest.flatMap((cast) => {
      const own = findingsOf(comparison, cast);
      return own.length === 0 ? [] : [`With ${cast.durability} durability: ${tally(own)}.`];
    }),
    ...sweepSentences(comparison, main),
    ...classSentences(casts, targets),
    ...leftOut(comparison),
  ];
  const partial = comparison.partial ? ' (partial run)' : '';
  return {
    headline: `${headlineOf(comparison, main, findings)}${partial}`,
    sentences,
    findings: [...findings].sort((one, other) => size(other) - size(one)),
  };
}

const size = ({ ratio }: Finding): number =>
  ratio.value === null || ratio.value <= 0 ? 0 : Math.abs(Math.log(ratio.value));

function headlineOf(
  comparison: Comparison,
  cast: Cast | undefined,
  findings: readonly Finding[],
): string {
  const names = { challenger: cast?.challenger?.name, reference: cast?.reference?.name };
  if (names.reference === undefined || names.challenger === undefined) {
    const only = names.reference ?? names.challenger;
    if (only !== undefined)
      return `Only ${only} was measured: there is nothing to compare it with.`;
    const seen = namesMeasured(comparison);
    return seen.length === 0
      ? 'Nothing was measured.'
      : `Only ${listed(seen)} ${seen.length === 1 ? 'was' : 'were'} measured: no controller to compare.`;
  }
  if (findings.length === 0) {
    return `No workload has valid trials of both ${names.challenger} and ${names.reference}.`;
  }
  const faster = having(findings, 'faster').length;
  const slower = having(findings, 'slower').length;
  if (faster > 0 || slower > 0) {
    const [word, count, other, rest] =
      faster >= slower
        ? (['faster', faster, 'slower', slower] as const)
        : (['slower', slower, 'faster', faster] as const);
    const share =
      count === findings.length ? allOf(count) : `${count} of ${workloads(findings.length)}`;
    const tail = count === findings.length ? '' : `, ${other} in ${rest === 0 ? 'none' : rest}`;
    return `${names.challenger} is ${word} than ${names.reference} in ${share}${tail}.`;
  }
  if (having(findings, 'too few trials').length === findings.length) {
    return `Too few trials to say: each side needs ${comparison.method.trialsMin} valid rounds.`;
  }
  return `No difference shown between ${names.challenger} and ${names.reference}.`;
}

function namesMeasured({ workloads }: Comparison): string[] {
  const metrics = workloads.flatMap(({ groups }) => groups.flatMap((group) => group.metrics));
  return [...new Set(metrics.flatMap(({ targets }) => targets.map(({ target }) => target)))];
}

const workloads = (count: number): string => plural(count, 'workload');
const allOf = (count: number): string =>
  count === 1 ? 'its one workload' : `all ${workloads(count)}`;

function having(findings: readonly Finding[], verdict: Verdict): Finding[] {
  return findings.filter(({ ratio }) => ratio.verdict === verdict);
}

function tally(findings: readonly Finding[]): string {
  const parts = (['faster', 'slower', 'no difference shown', 'too few trials'] as const).flatMap(
    (verdict) => {
      const count = having(findings, verdict).length;
      return count === 0 ? [] : [`${verdict} in ${count}`];
    },
  );
  return `${listed(parts)} of ${workloads(findings.length)}`;
}

function undecided(findings: readonly Finding[]): string[] {
  const name = ({ workload, better, ratio }: Finding): string =>
    `${workload} (${ratioLine(ratio, better)})`;
  // Where it is so of all, the headline has said it.
  const some = (verdict: Verdict): Finding[] => {
    const found = having(findings, verdict);
    return found.length === findings.length ? [] : found;
  };
  const none = some('no difference shown');
  const few = some('too few trials');
  return [
    ...(none.length === 0 ? [] : [`No difference shown in ${listed(none.map(name))}.`]),
    ...(few.length === 0 ? [] : [`Too few trials to say in ${listed(few.map(name))}.`]),
  ];
}

function sweepSentences(comparison: Comparison, cast: Cast | undefined): string[] {
  return comparison.sweeps.flatMap(({ sweep, durability, targets }) => {
    if (durability !== cast?.durability) return [];
    const said = targets
      .filter(({ target }) => target === cast.reference?.name || target === cast.challenger?.name)
      .map((each) => `${each.target} ${kneeText(each)}`);
    return said.length === 0 ? [] : [`Highest rate kept (${sweep}): ${listed(said)}.`];
  });
}

export function kneeText(target: Comparison['sweeps'][number]['targets'][number]): string {
  const { kneePerSecond, bracketed, points } = target;
  const show = (value: number): string => `${value.toLocaleString('en-US')}/s`;
  if (kneePerSecond === null) return `below ${show(points[0]?.askedPerSecond ?? 0)}`;
  return bracketed ? show(kneePerSecond) : `at least ${show(kneePerSecond)}`;
}

/** Beside products whose class is their own, who stands in which is said. */
function classSentences(casts: readonly Cast[], targets: readonly Target[]): string[] {
  const references = targets.filter(({ kind }) => kind === 'reference').map(({ name }) => name);
  const hasOthers = targets.some(({ kind }) => kind === 'java' || kind === 'address');
  const classes = casts.map(({ durability, all }) => {
    const names = all.filter((target) => isCompared(target)).map(({ name }) => name);
    return `${durability} (${listed(names)})`;
  });
  return [
    ...(hasOthers && casts.length > 1
      ? [`Compared within a durability class, never across: ${classes.join('; ')}.`]
      : []),
    ...(references.length === 0
      ? []
      : [
          `For reference, and compared with nothing: ${listed(references)} (the same records, but no masters are elected there).`,
        ]),
  ];
}

function leftOut(comparison: Comparison): string[] {
  const failed = comparison.workloads.flatMap(({ workload, groups }) =>
    groups.flatMap(({ outcomes }) =>
      outcomes
        .filter(({ trials, valid }) => trials > 0 && valid === 0)
        .map(({ target }) => `${workload} on ${target}`),
    ),
  );
  const count = comparison.excluded.length;
  return [
    ...(failed.length === 0 ? [] : [`No valid trial of ${listed(failed)}.`]),
    ...(count === 0
      ? []
      : [`${plural(count, 'trial')} left out of every number; the reasons are listed below.`]),
  ];
}

/** `51× more writes (48–52)`: a finding without its workload. */
export function findingText({ label, better, ratio }: Finding): string {
  const text = ratioText(ratio, better);
  if (text === undefined) return label;
  const interval = text.interval === undefined ? '' : ` (${text.interval})`;
  return `${[text.factor, text.word, label].filter((part) => part !== '').join(' ')}${interval}`;
}
