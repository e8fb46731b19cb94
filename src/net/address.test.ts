import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from './address.js';

const cases: readonly { readonly text: string; readonly means: string }[] = [
  { text: '127.0.0.1:9878', means: '127.0.0.1 9878' },
  { text: 'controller-0.local:1', means: 'controller-0.local 1' },
  { text: '[::1]:65535', means: '::1 65535' },
  { text: '127.0.0.1', means: 'nothing' },
  { text: '127.0.0.1:', means: 'nothing' },
  { text: '127.0.0.1:0', means: 'nothing' },
  { text: '127.0.0.1:65536', means: 'nothing' },
  { text: '::1:9878', means: 'nothing' },
  { text: ':9878', means: 'nothing' },
  { text: 'a b:9878', means: 'nothing' },
  { text: '', means: 'nothing' },
];
for (const { text, means } of cases) {
  test(`the address '${text}' means ${means}`, () => {
    const address = parseAddress(text);
    assert.equal(address === null ? 'nothing' : `${address.host} ${address.port}`, means);
  });
}
