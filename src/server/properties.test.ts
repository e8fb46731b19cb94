/** Java's `.properties` syntax, rule by rule, and the round trip of whatever we write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatProperties,
  PropertiesError,
  parseProperties,
  replaceProperties,
} from './properties.js';

const cases: readonly { readonly name: string; readonly text: string; readonly read: string }[] = [
  { name: 'all three separators', text: 'a=1\nb:2\nc 3', read: 'a→1@1 b→2@2 c→3@3' },
  { name: 'blanks around a separator', text: '  a \t= \t1 ', read: 'a→1 @1' },
  { name: 'only the first separator separates', text: 'a==:1', read: 'a→=:1@1' },
  { name: 'a key alone has an empty value', text: 'a\nb=', read: 'a→@1 b→@2' },
  { name: 'comments and blank lines', text: '# a=1\n  ! b=2\n\n \t\nc=3', read: 'c→3@5' },
  {
    name: 'a comment sign inside a value',
    text: 'a=1 # not a comment',
    read: 'a→1 # not a comment@1',
  },
  { name: 'a continued line loses its indent', text: 'a=1,\\\n   2\nb=3', read: 'a→1,2@1 b→3@3' },
  { name: 'a comment does not continue', text: '# a \\\nb=1', read: 'b→1@2' },
  { name: 'a continuation is never a comment', text: 'a=1\\\n#2', read: 'a→1#2@1' },
  { name: 'two backslashes end a line', text: 'a=1\\\\\nb=2', read: 'a→1\\@1 b→2@2' },
  { name: 'escapes', text: 'a\\=b=\\u0041\\x\\:', read: 'a=b→Ax:@1' },
  { name: 'CRLF and CR end lines', text: 'a=1\r\nb=2\rc=3', read: 'a→1@1 b→2@2 c→3@3' },
  { name: 'a key that comes twice is listed twice', text: 'a=1\na=2', read: 'a→1@1 a→2@2' },
];

for (const { name, text, read } of cases) {
  test(`properties: ${name}`, () => {
    const shown = parseProperties(text).map(({ key, value, line }) => `${key}→${value}@${line}`);
    assert.equal(shown.join(' '), read);
  });
}

test('properties: a malformed \\u escape names its line', () => {
  assert.throws(
    () => parseProperties('a=1\nb=\\u00g1'),
    (error) => error instanceof PropertiesError && error.line === 2,
  );
});

test('properties: what is written is read back', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string()), (written) => {
      const read = parseProperties(formatProperties(written));
      assert.deepEqual(
        read.map(({ key, value }) => [key, value]),
        Object.entries(written),
      );
    }),
    { seed: 1 },
  );
});

const replaced: readonly {
  readonly name: string;
  readonly text: string;
  readonly gives: string;
}[] = [
  { name: 'a text without the key gets it at its end', text: 'b=1', gives: 'b=1\na=9\n' },
  { name: 'an empty text becomes the change', text: '', gives: 'a=9\n' },
  {
    name: 'comments, blank lines and the order stay',
    text: '# head\n\nb=1\n a : 2\n! tail\n',
    gives: '# head\n\nb=1\na=9\n! tail\n',
  },
  { name: 'a continued line goes as a whole', text: 'a=1,\\\n  2\nb=3\n', gives: 'a=9\nb=3\n' },
  { name: 'of two lines the last is changed', text: 'a=1\nb=2\na=3\n', gives: 'b=2\na=9\n' },
  { name: 'another name of the key counts', text: 'alias=1\nb=2\n', gives: 'a=9\nb=2\n' },
  { name: 'a comment is no property', text: '#a=1\n', gives: '#a=1\na=9\n' },
];
for (const { name, text, gives } of replaced) {
  test(`replaced properties: ${name}`, () => {
    const nameOf = (key: string): string => (key === 'alias' ? 'a' : key);
    assert.equal(replaceProperties(text, { a: '9' }, nameOf), gives);
  });
}

test('replaced properties: the changes are read back, and all others as before', () => {
  const dictionary = fc.dictionary(fc.string({ minLength: 1 }), fc.string());
  fc.assert(
    fc.property(dictionary, dictionary, (before, changes) => {
      const text = replaceProperties(`# kept\n${formatProperties(before)}`, changes);
      assert.ok(text.startsWith('# kept\n'));
      const read = parseProperties(text).map(({ key, value }) => [key, value]);
      assert.deepEqual(Object.fromEntries(read), { ...before, ...changes });
      assert.equal(new Set(read.map(([key]) => key)).size, read.length, 'each key once');
    }),
    { seed: 1 },
  );
});
