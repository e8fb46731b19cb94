/** The short way writes what the long way would. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonString } from './json-text.js';

const cases: readonly { readonly name: string; readonly text: string; readonly json: string }[] = [
  { name: 'plain text is quoted', text: 'broker-a', json: '"broker-a"' },
  { name: 'empty text is two quotes', text: '', json: '""' },
  { name: 'a quote is escaped', text: 'a"b', json: '"a\\"b"' },
  { name: 'a backslash is escaped', text: 'a\\b', json: '"a\\\\b"' },
  { name: 'a line feed is escaped', text: 'a\nb', json: '"a\\nb"' },
  { name: 'a control character is escaped', text: '\u0001', json: '"\\u0001"' },
  { name: 'a slash is left alone', text: 'a/b', json: '"a/b"' },
  { name: 'text beyond ASCII is left alone', text: 'bröker-中', json: '"bröker-中"' },
  { name: 'a lone surrogate is escaped', text: 'a\ud800', json: '"a\\ud800"' },
];

for (const { name, text, json } of cases) {
  test(name, () => assert.equal(jsonString(text), json));
}

test('any string reads back as itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(JSON.parse(jsonString(text)), text);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('any string survives UTF-8, lone surrogates included', () => {
  const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      assert.equal(JSON.parse(Buffer.from(jsonString(text), 'utf8').toString('utf8')), text);
    }),
    { seed: 1, numRuns: 500 },
  );
});
