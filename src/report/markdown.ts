/** `summary.md`: the verdict and the summary tables, for a pull request or a job summary. */

import { NOTHING } from './format.js';
import type { ReportView } from './model.js';
import { asidesOf, type Cell, type SummaryRow, type SummaryTable } from './summary-table.js';

export function summaryMarkdown(view: ReportView): string {
  const { verdict, facts, tables, warnings, others } = view;
  const blocks = [
    `# ${cell(verdict.headline)}`,
    verdict.sentences.map((sentence) => `- ${cell(sentence)}`).join('\n'),
    facts.map(({ name, value }) => `${name} ${cell(value)}`).join(' · '),
    ...tables.map(tableMarkdown),
    others.length === 0
      ? ''
      : table(
          ['further target', 'workload', 'measure', 'median', 'against the reference', 'verdict'],
          others.map((row) => [
            row.target,
            row.workload,
            row.measure,
            cellText(row.value),
            row.ratio,
            row.verdict ?? NOTHING,
          ]),
        ),
    warnings.length === 0
      ? ''
      : `## Before you trust the numbers\n\n${warnings.map((warning) => `- ${cell(warning)}`).join('\n')}`,
    'Medians over valid trials, 95 % bootstrap intervals in brackets. Charts, method and limits: `report.html`.',
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function tableMarkdown({ cast, rows }: SummaryTable): string {
  const { durability, reference, challenger, floor } = cast;
  const head = [
    'workload',
    'measure',
    reference?.name ?? 'reference',
    ...(challenger === undefined ? [] : [challenger.name, 'difference', 'verdict']),
    ...(floor === undefined ? [] : ['floor']),
  ];
  const body = rows.map((row: SummaryRow) => [
    row.isPrimary ? `**${row.workload}**` : row.workload,
    row.measure,
    cellText(row.reference),
    ...(challenger === undefined
      ? []
      : [cellText(row.challenger), row.ratio, row.verdict ?? NOTHING]),
    ...(floor === undefined ? [] : [cellText(row.floor)]),
  ]);
  return `## ${cell(durability)} durability\n\n${table(head, body)}`;
}

function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  const rule = head.map((_, index) => (index < 2 ? '---' : '---:'));
  return [row(head), `| ${rule.join(' | ')} |`, ...body.map(row)].join('\n');
}

const cellText = (cell: Cell): string => {
  const aside = asidesOf(cell).join(', ');
  return aside === '' ? cell.value : `${cell.value} (${aside})`;
};

/** Names come from files: none may end a cell or open a tag. */
const cell = (value: string): string =>
  value.replace(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');
