/** Whatever is written reads back; whatever was not is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from './bytes.js';

/** Any string of the language, lone surrogates included. */
const anyText = fc.oneof(
  fc.string(),
  fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
    size: '+1',
  }),
);
const run = { seed: 3, numRuns: 300 };

test('numbers of any size read back, and small ones take one byte', () => {
  const edge = fc.constantFrom(0, 1, 254, 255, -1, 2 ** 53 - 1, -(2 ** 53) + 1);
  fc.assert(
    fc.property(fc.oneof(edge, fc.maxSafeInteger()), (value) => {
      const writer = new ByteWriter(16);
      writer.number(value);
      const bytes = writer.take();
      assert.equal(bytes.length, value >= 0 && value < 255 ? 1 : 9);
      assert.equal(new ByteReader(bytes).number(), value);
    }),
    run,
  );
});

test('any string reads back as itself', () => {
  fc.assert(
    fc.property(fc.option(anyText, { nil: null }), (value) => {
      const writer = new ByteWriter(16);
      writer.nullableText(value);
      const reader = new ByteReader(writer.take());
      assert.equal(reader.nullableText(), value);
      assert(reader.atEnd);
    }),
    run,
  );
});

test('a name and its neighbours stay whole over many slabs, and what was taken is never touched', () => {
  const writer = new ByteWriter(64);
  const taken: { readonly bytes: Uint8Array; readonly text: string }[] = [];
  for (let i = 0; i < 200; i += 1) {
    const text = 'x'.repeat(i % 50) + String(i);
    writer.number(i);
    writer.text(text);
    if (i % 3 === 0) taken.push({ bytes: writer.take(), text });
  }
  for (const [i, { bytes, text }] of taken.entries()) {
    const reader = new ByteReader(bytes);
    let last = '';
    while (!reader.atEnd) {
      reader.number();
      last = reader.text();
    }
    assert.equal(last, text, `body ${i}`);
  }
});

interface Bad {
  readonly name: string;
  readonly bytes: readonly number[];
  readonly read: (reader: ByteReader) => unknown;
}

const bad: readonly Bad[] = [
  { name: 'nothing at all', bytes: [], read: (reader) => reader.byte() },
  { name: 'half a wide number', bytes: [255, 0, 0], read: (reader) => reader.number() },
  {
    name: 'a wide number that is no integer',
    bytes: [255, ...doubleBytes(1.5)],
    read: (reader) => reader.number(),
  },
  {
    name: 'a wide number that should be small',
    bytes: [255, ...doubleBytes(3)],
    read: (reader) => reader.number(),
  },
  {
    name: 'not a number',
    bytes: [255, ...doubleBytes(Number.NaN)],
    read: (reader) => reader.number(),
  },
  { name: 'a text longer than the rest', bytes: [8, 65], read: (reader) => reader.text() },
  {
    name: 'a text of negative length',
    bytes: [255, ...doubleBytes(-2)],
    read: (reader) => reader.text(),
  },
  {
    name: 'a text of almost 2^53 bytes',
    bytes: [255, ...doubleBytes(2 ** 53 - 2)],
    read: (reader) => reader.text(),
  },
  { name: 'more numbers than bytes', bytes: [3, 1], read: (reader) => reader.numbers() },
  {
    name: '2^52 numbers',
    bytes: [255, ...doubleBytes(2 ** 52)],
    read: (reader) => reader.numbers(),
  },
  { name: 'a presence of 2', bytes: [2], read: (reader) => reader.nullableText() },
];

for (const { name, bytes, read } of bad) {
  test(`refused: ${name}`, () => {
    assert.throws(() => read(new ByteReader(Uint8Array.from(bytes))), assert.AssertionError);
  });
}

function doubleBytes(value: number): number[] {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return [...bytes];
}
