/** Sections that are neither summary nor chart: reads, processes, trials, environment, method. */
import type { ReadColumn } from '../analyze/comparison.js';
import { escapeHtml as text } from './escape.js';
import { estimateText, milliseconds, plural, ratioLine } from './format.js';
import { type Section, verdictHtml } from './html-parts.js';
import type { ReportView } from './model.js';
import { readingNotes } from './reading-notes.js';
import { proofNames } from './reads-words.js';

export function readsSection(view: ReportView): Section[] {
  if (view.reads.length === 0) return [];
  const proofs = ['unproved', 'log', 'read-index'] as const;
  const families = view.reads.map(({ workload, durability, columns }) => {
    const heading =
      view.reads.length > 1 ? `<h3>${text(`${workload}, ${durability} durability`)}</h3>` : '';
    const shown = proofs.map((proof) => {
      const own = columns.filter((column) => column.proof === proof);
      const answers = own.map((column) => answerHtml(view, column)).join('');
      const { title, note } = proofNames[proof];
      const empty = own.length === 0 ? '<p>Not measured in this run.</p>' : '';
      return `<div><h4>${title}</h4><p>${note}</p>${answers}${empty}</div>`;
    });
    return `${heading}<div class="columns">${shown.join('')}</div>`;
  });
  const intro =
    '<p>A read that proves nothing is a cheaper promise than one that does. Compare within the two proved columns; a ratio of an unproved to a proved read would be wrong in either direction.</p>';
  return [
    { id: 'reads', title: 'Reads, by what an answer proves', body: intro + families.join('') },
  ];
}

function answerHtml({ series }: ReportView, column: ReadColumn): string {
  const { target, workload, operations, perSecond, p50Ms, p99Ms, ratio } = column;
  const rate = estimateText(perSecond, '/s');
  const tail = [
    p50Ms === null ? [] : [`p50 ${milliseconds(p50Ms.median)}`],
    p99Ms === null ? [] : [`p99 ${milliseconds(p99Ms.median)}`],
  ].flat();
  const index = series.findIndex(({ name }) => name === target);
  const lines = [
    `<span class="who">${text(target)}</span><b>${text(rate.value)}</b>`,
    `<span>${text([rate.interval, ...tail].filter((part) => part !== undefined).join(' · '))}</span>`,
    ratio === null
      ? ''
      : `<span>${text(`${ratioLine(ratio, 'higher')} against ${ratio.reference}`)} · ${verdictHtml(ratio.verdict)}</span>`,
    `<span>${text(`${workload}: ${operations.join(', ')}`)}</span>`,
  ];
  return `<div class="answer" style="--accent:var(--accent-${index})">${lines.join('')}</div>`;
}

export function processTable({ processes }: ReportView): string {
  const names = [...new Set(processes.flatMap(({ points }) => points.map((each) => each.process)))];
  const rows = processes.flatMap(({ target, points }) =>
    [...new Set(points.map(({ workload }) => workload))].map((workload) => {
      const cells = names.map((name) => {
        const found = points.find((each) => each.workload === workload && each.process === name);
        return found === undefined
          ? '<td class="n">–</td><td class="n">–</td>'
          : `<td class="n">${found.cpuCores.toFixed(2)}</td><td class="n">${Math.round(found.rssPeakMb)} MB</td>`;
      });
      return `<tr><th scope="row">${text(target)}</th><td>${text(workload)}</td>${cells.join('')}</tr>`;
    }),
  );
  const head = names.map(
    (name) =>
      `<th scope="col" class="n">${text(name)} cores</th><th scope="col" class="n">${text(name)} RSS</th>`,
  );
  return `<details><summary>The same as a table</summary><div class="scroll tall" tabindex="0" role="region" aria-label="CPU and memory of each process"><table><thead><tr><th scope="col">target</th><th scope="col">workload</th>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div></details>`;
}

export function trialsSection({ trials }: ReportView): Section[] {
  if (trials.length === 0) return [];
  const rows = trials.map(
    (trial) =>
      `<tr><td class="n">${trial.order}</td><th scope="row">${text(trial.workload)}</th><td>${text(trial.target)}</td><td class="n">${trial.round}</td><td class="${trial.status}">${trial.status}</td><td class="n">${text(trial.lateness)}</td><td class="n">${text(trial.utilization)}</td><td class="n">${text(trial.sent)}</td><td class="n">${text(trial.notOk)}</td><td>${text(trial.reasons.join('; '))}</td></tr>`,
  );
  const count = trials.filter(({ status }) => status !== 'valid').length;
  const intro = `<p>In the order they ran: targets take turns, so that what changes on the machine meets all of them. ${plural(trials.length, 'trial')}, ${count === 0 ? 'all of them valid' : `${count} not valid and in no number of this report`}. Lateness is how far behind its schedule the generator sent (p99); busy is the share of its busiest event loop.</p>`;
  return [
    {
      id: 'trials',
      title: 'Trials',
      body: `${intro}<div class="scroll tall" tabindex="0" role="region" aria-label="Trials"><table><thead><tr><th scope="col" class="n">order</th><th scope="col">workload</th><th scope="col">target</th><th scope="col" class="n">round</th><th scope="col">status</th><th scope="col" class="n">lateness</th><th scope="col" class="n">busy</th><th scope="col" class="n">sent / asked</th><th scope="col" class="n">not ok</th><th scope="col">reasons</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
    },
  ];
}

export function environmentSection({ environment, series }: ReportView): Section[] {
  const targets = series.map(
    ({ name, target }) =>
      `<dt>${text(name)}</dt><dd>${text(`${target.title}. ${target.members} members, durability ${target.durability}, hand-off ${target.handoff}, elections ${target.electionProfile}, version ${target.version}.`)}</dd>`,
  );
  const facts = environment.map(
    ({ path, value }) => `<dt>${text(path)}</dt><dd>${text(value)}</dd>`,
  );
  const machine =
    facts.length === 0
      ? '<p>The environment was not recorded.</p>'
      : `<h3>Machine</h3><dl class="table">${facts.join('')}</dl>`;
  return [
    {
      id: 'environment',
      title: 'Environment',
      body: `<h3>Targets</h3><dl class="table">${targets.join('')}</dl>${machine}`,
    },
  ];
}

export function notesSection(view: ReportView): Section[] {
  const asked = view.workloads.map(
    ({ name, why, load }) =>
      `<dt>${text(name)}</dt><dd>${text([why, load].filter((part) => part !== '').join(' — '))}</dd>`,
  );
  const notes = readingNotes(
    view.method,
    view.series.map(({ target }) => target),
  ).map(({ title, body }) => `<div><h3>${text(title)}</h3><p>${text(body)}</p></div>`);
  return [
    {
      id: 'notes',
      title: 'How to read it, method and limits',
      body: `<div class="prose">${notes.join('')}</div><h3>What each workload asks</h3><dl class="table">${asked.join('')}</dl>`,
    },
  ];
}
