/** Sections of charts: groups of panels, each with its legend. */
import type { Series } from './cast.js';
import { drawSvg } from './draw.js';
import { escapeHtml as text } from './escape.js';
import type { Section } from './html-parts.js';
import type { ReportView } from './model.js';
import type { PanelGroup } from './panels/panel.js';

export async function chartSection(
  view: ReportView,
  groups: readonly PanelGroup[],
  parts: {
    readonly id: string;
    readonly title: string;
    readonly intro: string;
    readonly after?: string;
  },
): Promise<Section[]> {
  if (groups.length === 0) return [];
  const bodies: string[] = [];
  for (const [index, { heading, legend, panels }] of groups.entries()) {
    const figures: string[] = [];
    for (const [position, { title, note, charts }] of panels.entries()) {
      const drawn: string[] = [];
      for (const [part, { spec, label }] of charts.entries()) {
        drawn.push(await drawSvg(spec, { label, id: `${parts.id}-${index}-${position}-${part}` }));
      }
      figures.push(
        `<figure><figcaption><h4>${text(title)}</h4><span>${text(note)}</span></figcaption><div>${drawn.join('')}</div></figure>`,
      );
    }
    const subtitle = heading === undefined ? '' : `<h3>${text(heading)}</h3>`;
    bodies.push(
      `${subtitle}${legendHtml(view, legend)}<div class="panels${panels.length === 1 ? ' single' : ''}">${figures.join('')}</div>`,
    );
  }
  return [
    {
      id: parts.id,
      title: parts.title,
      body: `<p>${text(parts.intro)}</p>${bodies.join('')}${parts.after ?? ''}`,
    },
  ];
}

function legendHtml({ series, casts }: ReportView, legend: readonly Series[]): string {
  if (legend.length === 0) return '';
  const aside = casts.flatMap(({ others }) => others.map(({ name }) => name));
  const items = legend.map((each) => {
    const dashed = each.isFloor || aside.includes(each.name) ? ' dashed' : '';
    return `<li style="--accent:var(--accent-${series.indexOf(each)})"><span class="swatch${dashed}"></span>${text(each.name)}</li>`;
  });
  return `<ul class="legend">${items.join('')}</ul>`;
}
