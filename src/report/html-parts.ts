/** Pieces that several parts of the page use. */
import type { Verdict } from '../analyze/verdict.js';
import { escapeHtml as text } from './escape.js';

export interface Section {
  readonly id: string;
  readonly title: string;
  /** HTML. */
  readonly body: string;
}

export function list(name: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  return `<ul class="${name}">${items.map((item) => `<li>${text(item)}</li>`).join('')}</ul>`;
}

/** `51× more (48–52)`, the interval below. */
export function ratioHtml(ratio: string): string {
  const [, value, interval] = /^(.*?)(?: \((.*)\))?$/.exec(ratio) ?? [];
  const range = interval === undefined ? '' : `<span class="interval">${text(interval)}</span>`;
  return `<span>${text(value ?? ratio)}</span>${range}`;
}

const signs: Record<Verdict, string> = {
  faster: '▲',
  slower: '▼',
  'no difference shown': '=',
  'too few trials': '?',
  'not comparable': '×',
};

export function verdictHtml(verdict: Verdict | undefined): string {
  if (verdict === undefined) return '';
  const name = verdict === 'faster' || verdict === 'slower' ? ` ${verdict}` : '';
  return `<span class="verdict${name}"><span aria-hidden="true">${signs[verdict]}</span> ${verdict}</span>`;
}
