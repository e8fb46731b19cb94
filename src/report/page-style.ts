/** The report's style sheet. System type, one accent per target, light and dark. */
import type { Series } from './cast.js';
import * as palette from './palette.js';

export function styleSheet(series: readonly Series[]): string {
  const accents = series.map(({ colour }, index) => ({ name: `--accent-${index}`, colour }));
  const variables = (mode: 'light' | 'dark'): string =>
    [
      `--ink:${palette.ink[mode]}`,
      `--muted:${palette.muted[mode]}`,
      `--line:${palette.line[mode]}`,
      `--grid:${palette.grid[mode]}`,
      `--alarm:${palette.alarm[mode]}`,
      `--paper:${palette.paper[mode]}`,
      `--good:${palette.challenger[mode]}`,
      ...accents.map(({ name, colour }) => `${name}:${colour[mode]}`),
    ].join(';');
  return `
:root{color-scheme:light dark;${variables('light')};--raised:#f6f7f9}
@media (prefers-color-scheme:dark){
:root{${variables('dark')};--raised:#191f27}
${palette.darkRules('.chart')}
}
${rules}`;
}

const rules = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-variant-numeric:tabular-nums}
main,header,footer{max-width:1240px;margin:0 auto;padding:0 clamp(16px,4vw,48px)}
header{padding-top:clamp(32px,6vw,72px)}
.eyebrow{margin:0 0 12px;color:var(--muted);font-size:14px;letter-spacing:.02em}
h1{margin:0;max-width:30ch;font-size:clamp(28px,4.6vw,52px);line-height:1.12;letter-spacing:-.022em;font-weight:680;text-wrap:balance;overflow-wrap:anywhere}
h2{margin:0 0 6px;font-size:clamp(22px,2.4vw,28px);line-height:1.2;letter-spacing:-.015em;font-weight:650}
h3{margin:36px 0 4px;font-size:18px;font-weight:650;letter-spacing:-.008em}
h4{margin:0;font-size:15px;font-weight:650}
p{margin:0 0 12px;max-width:72ch}
a{color:var(--good);text-underline-offset:3px;text-decoration-thickness:1px}
section{padding-top:clamp(48px,6vw,80px)}
section>p{color:var(--muted)}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
:focus-visible{outline:2px solid var(--good);outline-offset:3px;border-radius:3px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,210px),1fr));gap:28px 40px;margin:clamp(28px,4vw,48px) 0 0;padding:0;list-style:none}
.tiles li{border-top:2px solid var(--line);padding-top:12px}
.tiles .big{display:block;font-size:clamp(34px,4vw,46px);line-height:1.1;letter-spacing:-.03em;font-weight:680}
.tiles .what{display:block;margin-top:4px;font-weight:600}
.tiles .from{display:block;color:var(--muted);font-size:14px}
.said{margin:28px 0 0;padding:0;list-style:none;max-width:80ch}
.said li{margin:4px 0}
.facts{display:flex;flex-wrap:wrap;gap:6px 28px;margin:32px 0 0;padding:14px 0;border-block:1px solid var(--line);font-size:14px}
.facts div{display:flex;gap:7px;min-width:0}
.facts dt{color:var(--muted)}
.facts dd{margin:0;min-width:0;overflow-wrap:anywhere}
.warnings{margin:24px 0 0;padding:14px 18px;border-left:3px solid var(--alarm);background:var(--raised);border-radius:0 8px 8px 0;font-size:15px}
.warnings strong{display:block;margin-bottom:4px}
.warnings ul{margin:0;padding-left:20px;max-height:15em;overflow:auto}
nav{display:flex;flex-wrap:wrap;gap:4px 20px;margin-top:20px;font-size:14px}
nav a{color:var(--muted);text-decoration:none;padding:4px 0}
nav a:hover{color:var(--ink);text-decoration:underline}
.scroll{overflow-x:auto;margin-top:16px;border-radius:8px}
.scroll.tall{max-height:30rem;overflow-y:auto;border:1px solid var(--line)}
table{border-collapse:collapse;width:100%;font-size:15px}
caption{padding:0 0 10px;text-align:left;color:var(--muted);font-size:14px}
th,td{padding:9px 18px 9px 0;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--grid)}
thead th{color:var(--muted);font-size:13px;font-weight:550;border-bottom-color:var(--line);white-space:nowrap}
tbody th{font-weight:600}
td.n,th.n{text-align:right;white-space:nowrap}
.interval{display:block;color:var(--muted);font-size:12.5px}
.summary tr.lead td{font-weight:600}
.summary tr.lead .interval{font-weight:400}
.summary .absent{color:var(--line);font-weight:400}
.summary tr.first>*{border-top:1px solid var(--line)}
.summary .measure{color:var(--muted)}
.summary tr.lead .measure{color:var(--ink)}
.tall table{font-size:13.5px}
.tall th,.tall td{padding:6px 14px}
.tall thead th{position:sticky;top:0;background:var(--raised)}
.verdict,.summary tr.lead .verdict{white-space:nowrap;color:var(--muted);font-weight:400}
.verdict.faster,.summary tr.lead .verdict.faster{color:var(--good);font-weight:600}
.verdict.slower,.summary tr.lead .verdict.slower,.invalid{color:var(--alarm);font-weight:600}
.partial{color:var(--muted)}
.legend{display:flex;flex-wrap:wrap;gap:4px 22px;margin:14px 0 0;padding:0;list-style:none;font-size:14px;color:var(--muted)}
.legend li{display:flex;align-items:center;gap:8px}
.swatch{width:18px;height:4px;border-radius:2px;flex:none;background:var(--accent)}
.swatch.dashed{background:repeating-linear-gradient(90deg,var(--accent) 0 5px,transparent 5px 8px)}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:40px 44px;margin-top:24px}
figure{margin:0;min-width:0;display:grid;grid-row:span 2;grid-template-rows:subgrid;row-gap:6px}
figcaption span{display:block;color:var(--muted);font-size:13.5px;line-height:1.4}
.chart{display:block;width:100%;height:auto;overflow:visible}
.chart text{font-family:inherit}
.panels.single{grid-template-columns:minmax(0,500px)}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,260px),1fr));gap:32px 40px;margin-top:24px}
.columns>div{border-top:2px solid var(--line);padding-top:14px}
.columns p{font-size:14px;color:var(--muted)}
.answer{margin:14px 0 0;padding-left:14px;border-left:4px solid var(--accent,var(--line))}
.answer b{display:block;font-size:26px;line-height:1.15;letter-spacing:-.02em;font-weight:680}
.answer>span{display:block;font-size:14px;color:var(--muted)}
.answer .who{color:var(--ink);font-weight:600}
dl.table{display:grid;grid-template-columns:minmax(0,max-content) minmax(0,1fr);gap:5px 24px;margin:18px 0 0;font-size:14.5px}
dl.table dt{color:var(--muted);overflow-wrap:anywhere}
dl.table dd{margin:0;overflow-wrap:anywhere}
.prose{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));gap:8px 48px;margin-top:20px;font-size:15px}
.prose h3{margin-top:16px;font-size:16px}
details{margin-top:20px}
summary{cursor:pointer;font-weight:600;padding:6px 0}
footer{margin-top:72px;padding-top:20px;padding-bottom:56px;color:var(--muted);font-size:14px}
@media (max-width:720px){
.summary,.summary tbody,.summary tr,.summary th,.summary td{display:block}
.summary thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.summary tr{padding:10px 0;border-bottom:1px solid var(--grid)}
.summary tr.first{border-top:1px solid var(--line);padding-top:16px}
.summary tr.first>*{border-top:0}
.summary th,.summary td{border:0;padding:1px 0;text-align:left;white-space:normal}
.summary tr:not(.first)>th{display:none}
.summary th[scope=row]{font-size:17px}
.summary td.n{display:grid;grid-template-columns:minmax(8.5em,max-content) 1fr;column-gap:10px}
.summary td.n::before{content:attr(data-label);color:var(--muted);font-weight:400}
.summary td.n .interval{grid-column:2}
.summary td.absent{display:none}
.summary caption{display:block}
.tiles{grid-template-columns:1fr 1fr;gap:24px 20px}
dl.table{grid-template-columns:1fr;gap:0}
dl.table dd{margin-bottom:8px}
}
@media print{nav{display:none}.scroll.tall{max-height:none}section{break-inside:auto}figure{break-inside:avoid}}
`;
