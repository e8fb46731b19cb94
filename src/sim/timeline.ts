/**
 * The story of one run as a page: what each member was, what struck it, what clients saw, and where
 * it went wrong. Self-contained; opens offline.
 */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly kind: string;
  readonly label: string;
}

export interface Lane {
  readonly name: string;
  readonly spans: readonly Span[];
}

export interface TimelineEvent {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
}

export interface Timeline {
  readonly title: string;
  /** The command that replays it. */
  readonly replay: string;
  readonly endMs: number;
  readonly violation: {
    readonly atMs: number;
    readonly checker: string;
    readonly what: string;
  } | null;
  readonly members: readonly Lane[];
  readonly faults: readonly Lane[];
  readonly clients: readonly Lane[];
  readonly events: readonly TimelineEvent[];
  readonly options: Readonly<Record<string, unknown>>;
}

const WIDTH = 1_200;
const NAME_WIDTH = 130;
const LANE_HEIGHT = 22;
/** More operations than this in one lane would be a smear, and a page of many megabytes. */
const SPANS_MAX = 2_000;
const EVENTS_MAX = 3_000;

export function timelineHtml(timeline: Timeline): string {
  const lanes = [
    ...section('members', timeline.members),
    ...section('faults', timeline.faults),
    ...section('clients', timeline.clients),
  ];
  const height = lanes.length * LANE_HEIGHT + 40;
  const scale = (WIDTH - NAME_WIDTH - 10) / Math.max(1, timeline.endMs);
  const x = (ms: number): number => NAME_WIDTH + ms * scale;
  const parts: string[] = [];
  for (const [i, lane] of lanes.entries()) {
    const y = 20 + i * LANE_HEIGHT;
    if (lane.heading) {
      parts.push(`<text class="heading" x="0" y="${y + 15}">${escapeHtml(lane.name)}</text>`);
      continue;
    }
    parts.push(`<text x="8" y="${y + 15}">${escapeHtml(lane.name)}</text>`);
    parts.push(
      `<line class="rule" x1="${NAME_WIDTH}" x2="${WIDTH}" y1="${y + 20}" y2="${y + 20}"/>`,
    );
    for (const span of lane.spans.slice(-SPANS_MAX)) {
      const width = Math.max(1.5, (span.toMs - span.fromMs) * scale);
      const title = `${span.label}: ${ms(span.fromMs)} to ${ms(span.toMs)}`;
      parts.push(
        `<rect class="${cssClass(span.kind)}" x="${x(span.fromMs).toFixed(1)}" y="${y + 3}" ` +
          `width="${width.toFixed(1)}" height="15" rx="2"><title>${escapeHtml(title)}</title></rect>`,
      );
    }
  }
  for (let tick = 0; tick <= 10; tick += 1) {
    const at = (timeline.endMs * tick) / 10;
    const anchor = tick === 0 ? 'start' : tick === 10 ? 'end' : 'middle';
    parts.push(`<text class="tick" x="${x(at)}" y="12" text-anchor="${anchor}">${ms(at)}</text>`);
  }
  if (timeline.violation !== null) {
    const at = x(timeline.violation.atMs).toFixed(1);
    parts.push(`<line class="violation" x1="${at}" x2="${at}" y1="14" y2="${height}"/>`);
  }
  const rows = timeline.events
    .slice(-EVENTS_MAX)
    .map(
      ({ atMs, who, what }) =>
        `<tr><td>${atMs.toFixed(1)}</td><td>${escapeHtml(who)}</td><td>${escapeHtml(what)}</td></tr>`,
    )
    .join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(timeline.title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(timeline.title)}</h1>
${verdict(timeline)}
<p>Replay: <code>${escapeHtml(timeline.replay)}</code></p>
<div class="scroll"><svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" role="img"
 aria-label="what each member was, over simulated time">${parts.join('\n')}</svg></div>
<p class="key">${legend()}</p>
<h2>The last ${Math.min(EVENTS_MAX, timeline.events.length)} events</h2>
<div class="scroll"><table><thead><tr><th>ms</th><th>who</th><th>what</th></tr></thead>
<tbody>${rows}</tbody></table></div>
<h2>Options of the seed</h2><pre>${escapeHtml(JSON.stringify(timeline.options, null, 2))}</pre>
</body></html>
`;
}

interface Row extends Lane {
  readonly heading: boolean;
}

function section(name: string, lanes: readonly Lane[]): Row[] {
  if (lanes.length === 0) return [];
  return [
    { name, spans: [], heading: true },
    ...lanes.map((lane) => ({ ...lane, heading: false })),
  ];
}

function verdict({ violation }: Timeline): string {
  if (violation === null) return '<p class="good">No violation.</p>';
  return `<p class="bad"><b>${escapeHtml(violation.checker)}</b> at ${ms(violation.atMs)}: ${escapeHtml(violation.what)}</p>`;
}

/** Position is the order in the legend. Shapes of meaning also differ in lightness, not only hue. */
const colours: readonly (readonly [string, string, string])[] = [
  ['leader', '#0b5cad', 'leader'],
  ['follower', '#9cc3e6', 'follower'],
  ['candidate', '#e3a008', 'candidate'],
  ['learner', '#b9a5d8', 'learner'],
  ['down', '#3a3a3a', 'down'],
  ['paused', '#8a8a8a', 'paused'],
  ['fault', '#b4402c', 'fault'],
  ['ok', '#3c8f5a', 'answered'],
  ['rejected', '#c9a23f', 'rejected'],
  ['indefinite', '#7a3ea1', 'nobody knows'],
];

const legend = (): string =>
  colours
    .map(([, colour, name]) => `<span><i style="background:${colour}"></i>${name}</span>`)
    .join(' ');

const cssClass = (kind: string): string =>
  colours.some(([known]) => known === kind) ? kind : 'fault';

const STYLE = `
body{font:14px/1.5 system-ui,sans-serif;margin:1.5rem;max-width:1260px;color:#1c1c1c;background:#fff}
h1{font-size:1.3rem}h2{font-size:1.05rem}code,pre{background:#f3f3f3;padding:.1rem .3rem;white-space:pre-wrap}
.scroll{overflow:auto;max-height:70vh;border:1px solid #ddd}svg text{font:12px system-ui,sans-serif;fill:currentColor}
svg .heading{font-weight:600}svg .tick{font-size:10px}svg .rule{stroke:#8883}
svg .violation{stroke:#d00;stroke-width:2;stroke-dasharray:4 3}
table{border-collapse:collapse;font:12px ui-monospace,monospace}td,th{padding:.1rem .6rem;text-align:left}
td:first-child{text-align:right}thead th{position:sticky;top:0;background:inherit}
.bad{color:#b00020}.good{color:#1d6b3a}.key span{margin-right:1rem;white-space:nowrap}
.key i{display:inline-block;width:.8em;height:.8em;margin-right:.3em;border-radius:2px}
${colours.map(([kind, colour]) => `rect.${kind}{fill:${colour}}`).join('')}
@media (prefers-color-scheme:dark){body{background:#161616;color:#ddd}code,pre{background:#262626}
.scroll{border-color:#333}.bad{color:#ff8a80}.good{color:#7fd29b}}`;

const ms = (value: number): string =>
  value >= 1_000 ? `${(value / 1_000).toFixed(2)} s` : `${Math.round(value)} ms`;

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
