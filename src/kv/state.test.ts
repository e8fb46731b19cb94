/** Both states do the same, survive a snapshot, and commands survive their bytes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import fc from 'fast-check';
import { Prng } from '../lib/prng.js';
import { decodeKvCommand, encodeKvCommand, type KvCommand } from './command.js';
import { openLevelState } from './level-state.js';
import { MemoryState } from './memory-state.js';
import type { KvState } from './state.js';

const bytes = (text: string): Buffer => Buffer.from(text);

async function levelState(t: TestContext): Promise<KvState> {
  const directory = mkdtempSync(join(tmpdir(), 'quorumark-kv-'));
  const state = await openLevelState(directory, (error) => assert.fail(error));
  t.after(async () => {
    await state.close();
    rmSync(directory, { recursive: true });
  });
  return state;
}

function randomCommand(chance: Prng): KvCommand {
  const key = `k${chance.between(0, 40)}`;
  const value = bytes(`v${chance.between(0, 5)}`);
  const draw = chance.unit();
  if (draw < 0.4) return { kind: 'put', key, value };
  if (draw < 0.6) return { kind: 'delete', key };
  const expected = chance.chance(0.3) ? null : bytes(`v${chance.between(0, 5)}`);
  return { kind: 'cas', key, expected, value };
}

async function content(state: KvState): Promise<string> {
  const pairs = await state.range('', null, 1_000);
  return pairs.map(({ key, value }) => `${key}=${value.toString()}`).join(' ');
}

const makers: Readonly<Record<string, (t: TestContext) => Promise<KvState>>> = {
  memory: async () => new MemoryState(),
  level: levelState,
};

for (const [name, make] of Object.entries(makers)) {
  test(`${name}: does what a map does`, async (t) => {
    const state = await make(t);
    const model = new Map<string, string>();
    const chance = new Prng(3);
    for (let i = 0; i < 2_000; i += 1) {
      const command = randomCommand(chance);
      const before = model.get(command.key) ?? null;
      const { done, previous } = state.apply(command);
      assert.equal(previous?.toString() ?? null, before);
      if (command.kind === 'delete') {
        assert.equal(done, before !== null);
        model.delete(command.key);
      } else if (command.kind === 'put' || (command.expected?.toString() ?? null) === before) {
        assert.equal(done, true);
        model.set(command.key, command.value.toString());
      } else {
        assert.equal(done, false);
      }
      if (i % 97 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const expected = [...model].sort().map(([key, value]) => `${key}=${value}`);
    assert.equal(await content(state), expected.join(' '));
    const some = await state.range('k1', 'k3', 5);
    assert(some.length <= 5 && some.every(({ key }) => key >= 'k1' && key < 'k3'));
  });

  test(`${name}: a snapshot is the state of its beginning, and goes into any other`, async (t) => {
    const state = await make(t);
    const chance = new Prng(4);
    for (let i = 0; i < 500; i += 1) state.apply(randomCommand(chance));
    const before = await content(state);
    const source = state.snapshot();
    const parts: Buffer[] = [];
    for (;;) {
      state.apply(randomCommand(chance));
      const part = await source.next();
      if (part === null) break;
      parts.push(Buffer.from(part));
    }
    source.close();
    for (const makeOther of Object.values(makers)) {
      const other = await makeOther(t);
      other.apply({ kind: 'put', key: 'old', value: bytes('gone after') });
      const sink = other.restore();
      const all = Buffer.concat(parts);
      for (let at = 0; at < all.length; at += 7) await sink.write(all.subarray(at, at + 7));
      await sink.end();
      assert.equal(await content(other), before);
    }
  });
}

for (const end of ['clear', 'close'] as const) {
  test(`level: no write is under way at ${end}, and none follows`, async (t) => {
    const fatal: Error[] = [];
    const directory = mkdtempSync(join(tmpdir(), 'quorumark-kv-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const state = await openLevelState(directory, (error) => fatal.push(error));
    let writing = 0;
    let hasEnded = false;
    const { batch, [end]: ends } = ClassicLevel.prototype;
    t.mock.method(ClassicLevel.prototype, 'batch', async function (this: never, ...args: never) {
      assert(!hasEnded, `a write after ${end}`);
      writing += 1;
      await Reflect.apply(batch, this, args);
      writing -= 1;
    });
    const { mock } = t.mock.method(ClassicLevel.prototype, end, function (this: never) {
      assert.equal(writing, 0);
      hasEnded = true;
      return Reflect.apply(ends, this, []);
    });
    // The first is being written; the others wait for the next batch.
    for (const key of ['a', 'b', 'c']) state.apply({ kind: 'put', key, value: bytes('old') });
    if (end === 'clear') {
      await state.restore().end();
      assert.equal(await content(state), '');
    }
    await state.close();
    assert.equal(mock.callCount(), 1);
    assert.deepEqual(fatal, []);
  });
}

test('commands survive their bytes', () => {
  const value = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array));
  const key = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' });
  const command: fc.Arbitrary<KvCommand> = fc.oneof(
    fc.record({ kind: fc.constant('put'), key, value }),
    fc.record({ kind: fc.constant('delete'), key }),
    fc.record({ kind: fc.constant('cas'), key, expected: fc.option(value), value }),
  );
  fc.assert(
    fc.property(command, (one) => {
      const { kind, key: name, ...rest } = decodeKvCommand(encodeKvCommand(one));
      const { kind: ofOne, key: nameOfOne, ...restOfOne } = one;
      assert.deepEqual([kind, name], [ofOne, nameOfOne]);
      assert.equal(JSON.stringify(rest), JSON.stringify(restOfOne));
    }),
    { seed: 20_261_122, numRuns: 500 },
  );
});

test('anything else is refused with what is wrong', () => {
  const refused: readonly Buffer[] = [Buffer.alloc(0), bytes('\x09xx'), Buffer.from([1, 0, 9, 1])];
  for (const body of refused)
    assert.throws(() => decodeKvCommand(body), { code: 'KV_COMMAND_INVALID' });
  const long = 'k'.repeat(2_000);
  assert.throws(() => encodeKvCommand({ kind: 'delete', key: long }), /the key has 2000 bytes/);
  assert.throws(() => encodeKvCommand({ kind: 'delete', key: '' }), /the key has 0 bytes/);
});
