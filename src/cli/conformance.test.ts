/**
 * Both builds against what upstream's controller was recorded to answer, over TCP, as separate
 * processes. `quorumark conformance --record` makes the recording anew.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { deviations, deviationsFrom } from '../conformance/deviations.js';
import { type Recording, readRecording } from '../conformance/recording.js';
import { requestShapes } from '../conformance/requests.js';
import {
  type BuildResult,
  codesIn,
  exchangesIn,
  replay,
  type Watcher,
} from '../conformance/run.js';
import { projectRoot } from '../lib/project-root.js';

const builds = ['baseline', 'optimized'] as const;
const unwatched: Watcher = { step() {}, sessionEnded() {} };

for (const peer of ['5.4.0', '5.3.3']) {
  describe(`as upstream ${peer} answered`, () => {
    const results = new Map<string, BuildResult>();
    let recording: Recording;

    before(async () => {
      recording = readRecording(peer);
      // They wait for processes more than they compute, so both at once.
      const ended = await Promise.all(builds.map((build) => replay(recording, build, unwatched)));
      for (const result of ended) results.set(result.build, result);
    });

    test('the recording holds thousands of exchanges, and every code that a client can be given', () => {
      assert.ok(exchangesIn(recording) >= 2_000);
      // 2 takes an overload, 2015 and 2016 are JRaft's.
      const expected = [0, 1, 3, 16, ...Array.from({ length: 15 }, (_, index) => 2_000 + index)];
      assert.deepEqual(codesIn(recording), expected);
    });

    test('the recording asks every request code', () => {
      const told = recording.sessions.flatMap((session) => session.told);
      const asked = new Set(told.map(({ step }) => (step.do === 'ask' ? step.request.code : 0)));
      for (const { code } of requestShapes) assert.ok(asked.has(code), `never ${code}`);
    });

    for (const build of builds) {
      test(`${build} answers the same, but for known differences`, () => {
        const result = results.get(build);
        assert(result !== undefined);
        assert.equal(result.exchanges, exchangesIn(recording));
        assert.deepEqual(
          result.unexplained.map(({ differences, index, session, step }) => ({
            session,
            index,
            step: JSON.stringify(step),
            differences,
          })),
          [],
        );
      });
    }

    test('every known difference is met, so none has outlived its cause', () => {
      const met = new Set([...results.values()].flatMap(({ explained }) => [...explained.keys()]));
      const expected = deviationsFrom(peer).map(({ id }) => id);
      assert.deepEqual([...met].sort(), expected.sort());
    });
  });
}

test('docs/compatibility.md has a row for every difference that the suite knows, and no other', () => {
  const page = readFileSync(join(projectRoot(), 'docs', 'compatibility.md'), 'utf8');
  const section = /^## Met by the suite$(.*?)^## /ms.exec(page)?.[1] ?? '';
  const rows = [...section.matchAll(/^\| `([a-z0-9-]+)`/gm)].map((match) => match[1]);
  assert.deepEqual(rows.sort(), deviations.map(({ id }) => id).sort());
});
