/** The page of a run holds its story and nothing that a text could smuggle in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timelineHtml } from './timeline.js';

test('lanes, violation and replay are on the page, and texts are texts', () => {
  const html = timelineHtml({
    title: 'seed 7',
    replay: 'quorumark sim --seed 7',
    endMs: 1_000,
    violation: { atMs: 500, checker: 'log-matching', what: '<b>two</b> logs' },
    members: [{ name: 'n1', spans: [{ fromMs: 0, toMs: 400, kind: 'leader', label: 'term 2' }] }],
    faults: [
      { name: 'loss', spans: [{ fromMs: 1, toMs: 2, kind: 'no such kind', label: 'loss' }] },
    ],
    clients: [],
    events: [{ atMs: 3, who: 'n1', what: 'a < b & "c"' }],
    options: { members: 3 },
  });
  assert.match(html, /<title>term 2: 0 ms to 400 ms<\/title>/);
  assert.match(html, /log-matching<\/b> at 500 ms: &#60;b&#62;two/);
  assert.match(html, /quorumark sim --seed 7/);
  assert.match(html, /a &#60; b &#38; &#34;c&#34;/);
  assert.match(html, /rect class="fault"/);
});
