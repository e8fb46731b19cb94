/**
 * Which transitions met which faults: a table with holes says what was never tried.
 */
export const transitions = [
  'leader elected',
  'leader stepped down',
  'leadership handed over',
  'entries cut',
  'entries committed',
  'write answered',
  'read proved',
  'snapshot taken',
  'snapshot installed',
  'log compacted',
  'members changed',
  'member restarted',
  'log rebuilt',
  'store refused',
  'disk full',
  'master elected',
] as const;
export type Transition = (typeof transitions)[number];

/** Faults count while they last and for so long after. */
export const AFTERMATH_MS = 1_000;

export class Coverage {
  readonly #counts = new Map<string, number>();

  /** @param faults kinds in force; none at all counts as `calm`. */
  met(transition: Transition, faults: Iterable<string>): void {
    let isCalm = true;
    for (const fault of faults) {
      isCalm = false;
      this.#add(`${transition}\t${fault}`, 1);
    }
    if (isCalm) this.#add(`${transition}\tcalm`, 1);
  }

  count(transition: Transition, fault: string): number {
    return this.#counts.get(`${transition}\t${fault}`) ?? 0;
  }

  merge(other: readonly (readonly [string, number])[]): void {
    for (const [cell, count] of other) this.#add(cell, count);
  }

  /** For sending to another thread. */
  get cells(): readonly (readonly [string, number])[] {
    return [...this.#counts];
  }

  #add(cell: string, count: number): void {
    this.#counts.set(cell, (this.#counts.get(cell) ?? 0) + count);
  }
}

/** A row a fault and a column a transition, within 80 columns, and the empty cells by name. */
export function coverageTable(coverage: Coverage, faults: readonly string[]): string {
  const columns = transitions.map((_, i) => String.fromCharCode(97 + i));
  const width = Math.max(...faults.map((fault) => fault.length), 4);
  const lines = [`${' '.repeat(width)}  ${columns.map((name) => name.padStart(3)).join('')}`];
  const empty: string[] = [];
  for (const fault of ['calm', ...faults]) {
    const cells = transitions.map((transition) => {
      const count = coverage.count(transition, fault);
      if (count === 0) empty.push(`${transition} × ${fault}`);
      return short(count).padStart(3);
    });
    lines.push(`${fault.padEnd(width)}  ${cells.join('')}`);
  }
  const key = transitions.map((name, i) => `${columns[i]} ${name}`);
  lines.push('', ...inRows(key, 26, 3));
  lines.push(
    '',
    empty.length === 0 ? 'No empty cells.' : `${empty.length} empty cells: ${empty.join('; ')}`,
  );
  return lines.join('\n');
}

/** Two characters: a digit and the power of ten, `·` for none. */
function short(count: number): string {
  if (count === 0) return '·';
  const power = Math.floor(Math.log10(count));
  return power < 1 ? String(count) : `e${power}`;
}

function inRows(items: readonly string[], width: number, perRow: number): string[] {
  const rows: string[] = [];
  for (let i = 0; i < items.length; i += perRow) {
    rows.push(
      items
        .slice(i, i + perRow)
        .map((item) => item.padEnd(width))
        .join('')
        .trimEnd(),
    );
  }
  return rows;
}
