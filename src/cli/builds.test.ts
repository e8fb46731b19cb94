/** Which names are builds, and which parts a mixture takes from whom. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseline } from '../../baseline/controller.js';
import { optimized } from '../../optimized/controller.js';
import { resolveBuild } from './builds.js';

const rows: readonly (readonly [text: string, parts: string])[] = [
  ['baseline', 'baseline baseline baseline baseline'],
  ['optimized', 'optimized optimized optimized optimized'],
  ['baseline+reads=optimized', 'baseline baseline optimized baseline'],
  ['optimized+admission=baseline+commits=baseline', 'baseline baseline optimized optimized'],
  ['baseline+liveness=optimized+liveness=baseline', 'baseline baseline baseline baseline'],
];
for (const [text, parts] of rows) {
  test(`build ${text}`, () => {
    const build = resolveBuild(text);
    const origin = (part: 'admission' | 'commits' | 'reads' | 'liveness'): string =>
      [baseline, optimized].find((known) => known[part] === build[part])?.name ?? 'nobody';
    assert.equal(
      [origin('admission'), origin('commits'), origin('reads'), origin('liveness')].join(' '),
      parts,
    );
    assert.equal(build.name, text);
  });
}

const refused: readonly (readonly [text: string, message: string])[] = [
  ['legacy', "no build 'legacy': there is baseline, optimized"],
  ['', "no build '': there is baseline, optimized"],
  ['baseline+reads', "no build '': there is baseline, optimized"],
  ['baseline+reads=fast', "no build 'fast': there is baseline, optimized"],
  [
    'baseline+locks=optimized',
    "no part 'locks' in a build: there is admission, commits, reads, liveness",
  ],
];
for (const [text, message] of refused) {
  test(`no such build: ${text}`, () => {
    assert.throws(() => resolveBuild(text), { name: 'InputError', message });
  });
}
