/**
 * Chart spec → static SVG, in Node, without a canvas.
 *
 * What Vega writes for machines is taken out and what readers use is put in: one name for the whole
 * picture, and a tooltip on each mark that describes itself.
 */
import { Error as LogError, parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { ChartSpec } from './charts/base.js';
import { escapeHtml } from './escape.js';

/**
 * @param label what the picture shows, for those who do not see it.
 * @param id unique in the page; keeps the clip paths of several charts apart.
 */
export async function drawSvg(
  spec: ChartSpec,
  { label, id }: { readonly label: string; readonly id: string },
): Promise<string> {
  const view = new View(parse(compile(spec as unknown as TopLevelSpec).spec), {
    renderer: 'none',
    logLevel: LogError,
  });
  try {
    return tidy(await view.toSVG(), { label, id });
  } finally {
    view.finalize();
  }
}

function tidy(svg: string, { label, id }: { readonly label: string; readonly id: string }): string {
  // Vega numbers clip paths through the whole process; here they are numbered within the chart.
  const seen: string[] = [];
  const place = (number: string): number => {
    if (!seen.includes(number)) seen.push(number);
    return seen.indexOf(number);
  };
  return svg
    .replace(/<path aria-label="([^"]*)" role="graphics-symbol"([^>]*?)\/>/g, (_, said, rest) => {
      return `<path${rest}><title>${said}</title></path>`;
    })
    .replace(/ (role|aria-roledescription|aria-label|aria-hidden|pointer-events)="[^"]*"/g, '')
    .replace(/ class="[^"]*"/g, '')
    .replace(/ opacity="1"/g, '')
    .replace(/<path( fill="transparent")? d="[^"]*"( fill="transparent")? display="none"\/>/g, '')
    .replace(/<path d="(M0,0h0v0h0Z|)"( display="none")?\/>/g, '')
    .replace(/ (d|transform|x2|y2)="[^"]*"/g, (attribute) =>
      attribute.replace(/-?\d+\.\d{3,}/g, (number) => String(Number(Number(number).toFixed(2)))),
    )
    .replace(/(\bid="|url\(#)clip(\d+)/g, (_, before, number) => `${before}${id}-${place(number)}`)
    .replace(/ xmlns:xlink="[^"]*"| version="1.1"/g, '')
    .replace(/<svg /, `<svg class="chart" role="img" aria-label="${escapeHtml(label)}" `);
}
