/**
 * The view as one self-contained page: inline style, inline SVG, no script, nothing to fetch.
 *
 * Verdict first; then the numbers, the pictures, what they rest on, and how to read them.
 */
import { P99_MAX_MS } from '../analyze/saturation.js';
import { escapeHtml as text } from './escape.js';
import { plural, ratioText } from './format.js';
import { chartSection } from './html-charts.js';
import {
  environmentSection,
  notesSection,
  processTable,
  readsSection,
  trialsSection,
} from './html-details.js';
import { list, type Section } from './html-parts.js';
import { summarySection } from './html-summary.js';
import type { ReportView } from './model.js';
import { styleSheet } from './page-style.js';

/** The most findings that are shown large. */
const TILES_MAX = 4;
/** Nothing may be fetched, whatever a target's name contains. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

export async function reportHtml(view: ReportView): Promise<string> {
  const sections = [
    ...summarySection(view),
    ...(await chartSection(view, view.panels.measures, {
      id: 'measures',
      title: 'The main measure of each workload',
      intro:
        'Median over trials; the dots are the trials, the whisker is their 95 % interval. The dashed line is the floor: the least work that still replicates.',
    })),
    ...readsSection(view),
    ...(await chartSection(view, view.panels.latency, {
      id: 'latency',
      title: 'Response time by percentile',
      intro:
        'From the intended send to the answer, all valid trials merged. Each step to the right is one more nine, so the tail gets the room it deserves. Dashed: the floor, further targets, unproved reads.',
    })),
    ...(await chartSection(view, view.panels.overTime, {
      id: 'time',
      title: 'Over time',
      intro:
        'Interval by interval. A red line is a fault; the red band lasts until the next acknowledged write.',
    })),
    ...(await chartSection(view, view.panels.sweep, {
      id: 'sweep',
      title: 'Throughput against latency',
      intro: `Each point asks for a higher rate. The large point is the highest rate that was kept: at least 99 % of it answered, with a p99 below ${P99_MAX_MS} ms.`,
    })),
    ...(await chartSection(view, view.panels.processes, {
      id: 'processes',
      title: 'CPU and memory',
      intro:
        'Per process, medians over trials. Shades of the accent are the controllers; grey is the load generator, which shares the machine.',
      after: processTable(view),
    })),
    ...trialsSection(view),
    ...environmentSection(view),
    ...notesSection(view),
  ];
  return page(view, sections);
}

function page(view: ReportView, sections: readonly Section[]): string {
  const links = sections.map(({ id, title }) => `<a href="#${id}">${text(title)}</a>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:,">
<title>${text(view.verdict.headline)} · Quorumark</title>
<style>${styleSheet(view.series)}</style>
</head>
<body>
<header>
<p class="eyebrow">Quorumark · run ${text(view.runId)}</p>
<h1>${text(view.verdict.headline)}</h1>
${tiles(view)}
${list('said', view.verdict.sentences)}
<dl class="facts">${view.facts.map(({ name, value }) => `<div><dt>${text(name)}</dt><dd>${text(value)}</dd></div>`).join('')}</dl>
${warnings(view)}
<nav aria-label="On this page">${links.join('')}</nav>
</header>
<main>
${sections.map(sectionHtml).join('\n')}
</main>
<footer>${rawData()}</footer>
</body>
</html>
`;
}

function sectionHtml({ id, title, body }: Section): string {
  return `<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${text(title)}</h2>${body}</section>`;
}

function tiles({ verdict }: ReportView): string {
  // Where something was shown, what was not has no place in large type.
  const proven = verdict.findings.filter(
    ({ ratio }) => ratio.verdict === 'faster' || ratio.verdict === 'slower',
  );
  const findings = proven.length > 0 ? proven : verdict.findings;
  const shown = findings.flatMap(({ workload, label, better, ratio }) => {
    const words = ratioText(ratio, better);
    if (words === undefined || ratio.verdict === 'no difference shown') return [];
    const sure =
      words.interval === undefined
        ? `${plural(ratio.trials, 'trial')}: too few for an interval`
        : `95 % interval ${words.interval}`;
    return [
      `<li><span class="big">${text(words.factor)}</span><span class="what">${text(`${words.word} ${label}`)}</span><span class="from">${text(`${workload} · ${sure}`)}</span></li>`,
    ];
  });
  return shown.length === 0
    ? ''
    : `<ul class="tiles" aria-label="Largest differences">${shown.slice(0, TILES_MAX).join('')}</ul>`;
}

function warnings(view: ReportView): string {
  if (view.warnings.length === 0) return '';
  return `<div class="warnings" role="note"><strong>Before you trust the numbers</strong>${list('plain', view.warnings)}</div>`;
}

function rawData(): string {
  const files = ['results.json', 'comparison.json', 'environment.json', 'summary.md'];
  return `Raw data, beside this file: ${files.map((file) => `<a href="${file}">${file}</a>`).join(', ')}. Redo this page from them with <code>npm run report -- DIR</code>.`;
}
