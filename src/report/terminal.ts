/**
 * The summary for a terminal of 80 columns. Its first line is the verdict in words.
 *
 * Plain text: no colour, so that it reads the same in a log. One row a workload; the report has the rest.
 */
import type { Durability } from '../analyze/comparison.js';
import { type Verdict, verdicts } from '../analyze/verdict.js';
import type { ReportView } from './model.js';
import type { Cell, OtherRow, SummaryRow, SummaryTable } from './summary-table.js';

export const COLUMNS_MAX = 80;
/** Warnings beyond this many are counted, not printed. */
const WARNINGS_MAX = 5;

export function terminalSummary(view: ReportView): string {
  const { verdict, tables, warnings } = view;
  const kept = warnings.slice(0, WARNINGS_MAX);
  const dropped = warnings.length - kept.length;
  const blocks = [
    wrap(verdict.headline, ''),
    ...tables.map((table) => tableText(table, furtherRows(view, table.cast.durability))),
    rowsWithoutTable(view),
    legend(view),
    [...verdict.sentences, ...kept].map((line) => wrap(line, '  ')).join('\n'),
    dropped > 0 ? `${dropped} more warnings in the report.` : '',
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/** Of a durability in which no controller was measured. */
function rowsWithoutTable(view: ReportView): string {
  return view.casts
    .map(({ durability }) => durability)
    .filter((durability) => !view.tables.some(({ cast }) => cast.durability === durability))
    .flatMap((durability) => furtherRows(view, durability).map(furtherLine))
    .join('\n');
}

interface Column {
  readonly title: string;
  readonly widthMax: number;
  readonly isRight: boolean;
  readonly of: (row: SummaryRow) => string;
}

/** Other products have rows of their own; variants of a build are left to the report. */
function furtherRows({ others }: ReportView, durability: Durability): OtherRow[] {
  return others.filter(
    (row) => row.durability === durability && row.kind !== 'build' && row.kind !== 'floor',
  );
}

function tableText({ cast, rows }: SummaryTable, further: readonly OtherRow[]): string {
  const { durability, reference, challenger, floor } = cast;
  const base = (name: string | undefined): string => name?.split('@')[0] ?? '';
  const all: readonly (Column | undefined)[] = [
    {
      title: durability,
      widthMax: 13,
      isRight: false,
      of: ({ workload }) => shortName(workload, 13),
    },
    { title: '', widthMax: 17, isRight: false, of: ({ measure }) => measure },
    {
      title: base(reference?.name),
      widthMax: 10,
      isRight: true,
      of: ({ reference }) => valueText(reference),
    },
    challenger && {
      title: base(challenger.name),
      widthMax: 10,
      isRight: true,
      of: ({ challenger }) => valueText(challenger),
    },
    challenger && { title: 'ratio, 95 %', widthMax: 22, isRight: true, of: ratioCell },
  ];
  const columns = all.filter((column) => column !== undefined);
  const shown = rows.filter(({ isPrimary }) => isPrimary);
  const body = shown.map((row) => columns.map(({ of }) => of(row)));
  const widths = columns.map(({ title, widthMax }, index) =>
    Math.min(widthMax, Math.max(title.length, ...body.map((cells) => cells[index]?.length ?? 0))),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ isRight }, index) => fit(cells[index] ?? '', widths[index] ?? 0, isRight))
      .join('  ')
      .trimEnd();
  const limits = floor === undefined ? [] : floorLines(shown);
  return [
    line(columns.map(({ title }) => title)),
    ...body.map(line),
    ...further.map(furtherLine),
    ...limits,
  ].join('\n');
}

/** `java-dledger   isr-churn      855/s  5.2× less (4.9–5.5)`; of a reference store the value alone. */
function furtherLine({ target, workload, measure, value, ratio, verdict, kind }: OtherRow): string {
  const told = kind === 'reference' ? 'reference' : ratioCell({ ratio, verdict });
  const cells = [
    fit(target, 13, false),
    fit(workload, 13, false),
    fit(measure, 16, false),
    fit(valueText(value), 10, true),
    fit(told, 20, true),
  ];
  return cells.join('  ').trimEnd();
}

const UNSTEADY = '~';

const valueText = ({ value, isUnsteady = false }: Cell): string =>
  value.replace('at least ', '≥') + (isUnsteady ? UNSTEADY : '');

const marks: Record<Verdict, string> = {
  faster: '',
  slower: '!',
  'no difference shown': '=',
  'too few trials': '?',
  'not comparable': '',
};

/** Only the marks that are there. */
function legend(view: ReportView): string {
  const rows = view.tables.flatMap(({ rows }) => rows.filter(({ isPrimary }) => isPrimary));
  const further = view.casts.flatMap(({ durability }) => furtherRows(view, durability));
  const used = new Set([...rows, ...further].map(({ verdict }) => verdict));
  const cells = [
    ...rows.flatMap(({ reference, challenger }) => [reference, challenger]),
    ...further.map(({ value }) => value),
  ];
  const said = verdicts
    .filter((verdict) => used.has(verdict) && marks[verdict] !== '')
    .map((verdict) => `${marks[verdict]} ${verdict}`);
  if (cells.some(({ isUnsteady }) => isUnsteady)) said.push(`${UNSTEADY} before it was steady`);
  return said.join('   ');
}

/** `51× more (48–52)`, and a mark where that is not simply faster. */
function ratioCell({ ratio, verdict }: Pick<SummaryRow, 'ratio' | 'verdict'>): string {
  return verdict === undefined || marks[verdict] === '' ? ratio : `${ratio} ${marks[verdict]}`;
}

function floorLines(rows: readonly SummaryRow[]): string[] {
  const said = rows
    .filter(({ floor }) => floor.interval !== undefined || floor.value !== '–')
    .map(({ workload, floor }) => `${workload} ${floor.value}`);
  return said.length === 0 ? [] : [wrap(`floor of this machine: ${said.join(', ')}`, '  ')];
}

/** Cut in the middle: names of a family differ at their ends. */
function shortName(name: string, width: number): string {
  if (name.length <= width) return name;
  const half = Math.floor((width - 1) / 2);
  return `${name.slice(0, width - 1 - half)}…${name.slice(-half)}`;
}

function fit(value: string, width: number, isRight: boolean): string {
  const cut = value.length > width ? `${value.slice(0, width - 1)}…` : value;
  return isRight ? cut.padStart(width) : cut.padEnd(width);
}

/** Breaks between words; what continues is indented. A word longer than the line stays whole. */
function wrap(line: string, indent: string): string {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (longer.length > COLUMNS_MAX && current !== '') {
      lines.push(current);
      current = `${indent}${word}`;
    } else {
      current = longer;
    }
  }
  return [...lines, current].join('\n');
}
