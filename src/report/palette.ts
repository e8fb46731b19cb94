/**
 * The report's colours: one accent per target, the same in every chart, each with a dark twin.
 *
 * Charts are drawn in the light colours; a style sheet maps each of them to its twin when the reader
 * prefers dark. A chart copied out of the page therefore still has its colours.
 *
 * Orange against blue, then teal and purple: told apart by every common kind of colour vision.
 */
export interface Colour {
  readonly light: string;
  readonly dark: string;
}

export const ink: Colour = { light: '#1a1e24', dark: '#e7eaee' };
export const muted: Colour = { light: '#5a6372', dark: '#9ba5b4' };
export const line: Colour = { light: '#c7cdd6', dark: '#3c4552' };
export const grid: Colour = { light: '#e6e9ee', dark: '#262d37' };
export const alarm: Colour = { light: '#c02b34', dark: '#ff7d78' };
/** Behind text that lies over lines. */
export const paper: Colour = { light: '#ffffff', dark: '#12161c' };

export const reference: Colour = { light: '#b9560b', dark: '#f2a154' };
export const challenger: Colour = { light: '#1c5fc9', dark: '#72abff' };
export const floor: Colour = { light: '#6c7583', dark: '#98a3b1' };
export const others: readonly Colour[] = [
  { light: '#0d7a6b', dark: '#4ed0bd' },
  { light: '#9a3a8c', dark: '#e491d6' },
  { light: '#67700f', dark: '#bccb4f' },
];

const all: readonly Colour[] = [
  ink,
  muted,
  line,
  grid,
  alarm,
  paper,
  reference,
  challenger,
  floor,
  ...others,
];

/** Rules that repaint a chart for readers who prefer dark. */
export function darkRules(scope: string): string {
  return all
    .flatMap(({ light, dark }) => [
      `${scope} [fill="${light}"]{fill:${dark}}`,
      `${scope} [stroke="${light}"]{stroke:${dark}}`,
    ])
    .join('\n');
}
