/** The summary tables: one per durability, and one for targets beyond the two that are compared. */
import { escapeHtml as text } from './escape.js';
import { listed, NOTHING } from './format.js';
import { ratioHtml, type Section, verdictHtml } from './html-parts.js';
import type { ReportView } from './model.js';
import { asidesOf, type Cell, type SummaryRow, type SummaryTable } from './summary-table.js';

export function summarySection(view: ReportView): Section[] {
  if (view.tables.length === 0) return [];
  const tables = view.tables.map((table) => summaryTable(table, view.tables.length > 1));
  const intro =
    '<p>Medians over valid trials, with their 95 % bootstrap interval. The bold row of a workload is the one its verdict rests on.</p>';
  return [{ id: 'summary', title: 'Summary', body: intro + tables.join('') + othersTable(view) }];
}

function summaryTable({ cast, rows }: SummaryTable, isOneOfSeveral: boolean): string {
  const { durability, reference, challenger, floor } = cast;
  const handoffs = [reference, challenger].flatMap((each) => each?.handoff ?? []);
  const columns = [
    { name: reference?.name ?? 'reference', of: (row: SummaryRow) => row.reference },
    ...(challenger === undefined
      ? []
      : [{ name: challenger.name, of: (row: SummaryRow) => row.challenger }]),
    ...(floor === undefined ? [] : [{ name: 'floor', of: (row: SummaryRow) => row.floor }]),
  ];
  const body = rows.map((row, index) => {
    const isFirst = rows[index - 1]?.workload !== row.workload;
    const span = rows.filter(({ workload }) => workload === row.workload).length;
    const head = isFirst ? `<th scope="row" rowspan="${span}">${text(row.workload)}</th>` : '';
    const classes = [isFirst ? 'first' : '', row.isPrimary ? 'lead' : ''].join(' ').trim();
    const cells = columns.map(({ name, of }) => cellHtml(name, of(row)));
    return `<tr class="${classes}">${head}<td class="measure">${text(row.measure)}</td>${cells.join('')}${challenger === undefined ? '' : judged(row)}</tr>`;
  });
  const head = [
    '<th scope="col">workload</th><th scope="col">measure</th>',
    ...columns.map(({ name }) => `<th scope="col" class="n">${text(name)}</th>`),
    challenger === undefined
      ? ''
      : '<th scope="col" class="n">difference</th><th scope="col">verdict</th>',
  ].join('');
  const heading = isOneOfSeveral ? `<h3>${text(durability)} durability</h3>` : '';
  const caption = `Durability ${durability}; hand-off ${listed([...new Set(handoffs)])}; ${reference?.members ?? challenger?.members ?? 0} members.`;
  return `${heading}<div class="scroll"><table class="summary"><caption>${text(caption)}</caption><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

function judged({ ratio, verdict }: SummaryRow): string {
  const absent = ratio === NOTHING ? ' absent' : '';
  return `<td class="n${absent}" data-label="difference">${ratioHtml(ratio)}</td><td>${verdictHtml(verdict)}</td>`;
}

function cellHtml(label: string, cell: Cell): string {
  const { value } = cell;
  return `<td class="n${value === NOTHING ? ' absent' : ''}" data-label="${text(label)}">${text(value)}${belowHtml(asidesOf(cell))}</td>`;
}

const belowHtml = (asides: readonly string[]): string =>
  asides.length === 0 ? '' : `<span class="interval">${text(asides.join(' · '))}</span>`;

function othersTable({ others }: ReportView): string {
  if (others.length === 0) return '';
  const rows = others.map(
    ({ target, workload, measure, value, ratio, verdict }, index) =>
      `<tr class="${others[index - 1]?.target === target ? '' : 'first'}"><th scope="row">${text(target)}</th><td>${text(workload)}</td><td>${text(measure)}</td><td class="n">${text(value.value)}${belowHtml(value.isUnsteady ? ['not steady'] : [])}</td><td class="n">${ratioHtml(ratio)}</td><td>${verdictHtml(verdict)}</td></tr>`,
  );
  return `<h3>Further targets</h3><div class="scroll" tabindex="0" role="region" aria-label="Further targets"><table><thead><tr><th scope="col">target</th><th scope="col">workload</th><th scope="col">measure</th><th scope="col" class="n">median</th><th scope="col" class="n">against the reference</th><th scope="col">verdict</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}
