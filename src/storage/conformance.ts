/** What every log store owes its callers. Each store's test file runs this suite. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logIndex, term } from '../lib/brand.js';
import type { Entry } from '../raft/types.js';
import type { LogStore } from './log-store.js';

export interface StoreUnderTest {
  readonly store: LogStore;
  /** The store after a clean stop and a new start. */
  reopen(): Promise<LogStore>;
}

/** An entry whose body can be told from any other's. */
export function entry(index: number, entryTerm = 1, bodyBytes = 20): Entry {
  const body = Buffer.alloc(bodyBytes);
  for (let i = 0; i < bodyBytes; i += 1) body[i] = (index * 31 + entryTerm * 7 + i) & 0xff;
  return { term: term(entryTerm), index: logIndex(index), kind: 'data', body };
}

/** Entries first..last of one term. */
export function run(first: number, last: number, entryTerm = 1, bodyBytes = 20): Entry[] {
  const entries: Entry[] = [];
  for (let i = first; i <= last; i += 1) entries.push(entry(i, entryTerm, bodyBytes));
  return entries;
}

export function appended(store: LogStore, entries: readonly Entry[]): Promise<void> {
  return new Promise((resolve, reject) => {
    store.append(entries, (error) => (error === undefined ? resolve() : reject(error)));
  });
}

/** `1@1 2@1 3@2`: index and term of every entry, each body compared with what `entry` makes. */
export function show(store: LogStore, bodyBytes = 20): string {
  if (store.lastIndex === 0) return '';
  const all: string[] = [];
  for (let next = 1; next <= store.lastIndex; ) {
    const read = store.entries(logIndex(next), store.lastIndex, 1_000);
    for (const found of read) {
      assert.equal(found.index, next);
      const expected = entry(found.index, found.term, bodyBytes).body;
      assert.equal(Buffer.compare(expected, found.body), 0, `entry ${next} has another body`);
      assert.equal(store.termAt(found.index), found.term);
      all.push(`${found.index}@${found.term}`);
      next += 1;
    }
  }
  return all.join(' ');
}

export function conformance(name: string, make: () => StoreUnderTest): void {
  test(`${name}: a new store is empty`, () => {
    const { store } = make();
    assert.equal(store.lastIndex, 0);
    assert.deepEqual(store.hardState, { term: 0, votedFor: null });
    assert.deepEqual(store.termRuns(), []);
    assert.equal(store.termAt(logIndex(0)), 0);
  });

  test(`${name}: reads see an append at once, its done comes later and once`, async () => {
    const { store } = make();
    let done = 0;
    const ended = new Promise<void>((resolve) => {
      store.append(run(1, 3), () => {
        done += 1;
        resolve();
      });
    });
    assert.equal(done, 0);
    assert.equal(store.lastIndex, 3);
    assert.equal(show(store), '1@1 2@1 3@1');
    await ended;
    await appended(store, run(4, 4));
    assert.equal(done, 1);
  });

  test(`${name}: appends are done in the order they were made`, async () => {
    const { store } = make();
    const order: number[] = [];
    const all = [1, 2, 3, 4, 5].map((i) => appended(store, [entry(i)]).then(() => order.push(i)));
    await Promise.all(all);
    assert.deepEqual(order, [1, 2, 3, 4, 5]);
  });

  test(`${name}: an answer holds at least one entry and stops at the bound`, async () => {
    const { store } = make();
    await appended(store, run(1, 10, 1, 100));
    const indexes = (bytesMax: number) =>
      store.entries(logIndex(3), logIndex(8), bytesMax).map(({ index }) => index);
    assert.deepEqual(indexes(0), [3]);
    assert.deepEqual(indexes(299), [3, 4]);
    assert.deepEqual(indexes(300), [3, 4, 5]);
    assert.deepEqual(indexes(1_000), [3, 4, 5, 6, 7, 8]);
  });

  test(`${name}: terms are told by runs and by index`, async () => {
    const { store } = make();
    await appended(store, [...run(1, 3, 1), ...run(4, 4, 2), ...run(5, 9, 7)]);
    assert.deepEqual(store.termRuns(), [
      { first: 1, term: 1 },
      { first: 4, term: 2 },
      { first: 5, term: 7 },
    ]);
    assert.deepEqual(
      [0, 1, 3, 4, 5, 9].map((index) => store.termAt(logIndex(index))),
      [0, 1, 1, 2, 7, 7],
    );
    store.truncate(logIndex(4));
    assert.deepEqual(store.termRuns().at(-1), { first: 4, term: 2 });
  });

  test(`${name}: what was truncated does not come back`, async () => {
    const { store, reopen } = make();
    await appended(store, run(1, 9, 1));
    store.truncate(logIndex(4));
    assert.equal(show(store), '1@1 2@1 3@1 4@1');
    await appended(store, run(5, 6, 2));
    assert.equal(show(store), '1@1 2@1 3@1 4@1 5@2 6@2');
    assert.equal(show(await reopen()), '1@1 2@1 3@1 4@1 5@2 6@2');
  });

  test(`${name}: a log can be truncated to nothing and start again`, async () => {
    const { store, reopen } = make();
    await appended(store, run(1, 5, 1));
    store.truncate(logIndex(0));
    assert.equal(store.lastIndex, 0);
    assert.deepEqual(store.termRuns(), []);
    await appended(store, run(1, 1, 3));
    assert.equal(show(store), '1@3');
    assert.equal(show(await reopen()), '1@3');
  });

  test(`${name}: an append that a truncation overtakes is still answered`, async () => {
    const { store } = make();
    const overtaken = appended(store, run(1, 3));
    store.truncate(logIndex(1));
    await overtaken;
    assert.equal(store.lastIndex, 1);
  });

  test(`${name}: log, term and vote survive a restart`, async () => {
    const { store, reopen } = make();
    await appended(store, [...run(1, 2, 1), ...run(3, 4, 2)]);
    store.saveHardState({ term: term(2), votedFor: 'n1' });
    store.saveHardState({ term: term(5), votedFor: null });
    const again = await reopen();
    assert.equal(show(again), '1@1 2@1 3@2 4@2');
    assert.deepEqual(again.hardState, { term: 5, votedFor: null });
    assert.deepEqual(again.termRuns(), store.termRuns());
  });

  test(`${name}: bodies of any size go through`, async () => {
    const { store, reopen } = make();
    const sizes = [0, 1, 65_536, 700_000, 3];
    const entries = sizes.map((bytes, i) => entry(i + 1, 1, bytes));
    await appended(store, entries);
    const again = await reopen();
    const read = again.entries(logIndex(1), logIndex(5), 10_000_000);
    assert.deepEqual(
      read.map(({ body }) => body.length),
      sizes,
    );
    for (const [i, { body }] of read.entries()) {
      assert.ok(entries[i] !== undefined && Buffer.compare(body, entries[i].body) === 0);
    }
  });

  test(`${name}: a gap, a falling term and an empty append are bugs of the caller`, async () => {
    const { store } = make();
    await appended(store, run(1, 2, 4));
    const ignore = (): void => {};
    assert.throws(() => store.append([entry(4, 4)], ignore), { name: 'AssertionError' });
    assert.throws(() => store.append([entry(3, 3)], ignore), { name: 'AssertionError' });
    assert.throws(() => store.append([], ignore), { name: 'AssertionError' });
    assert.equal(show(store), '1@4 2@4');
  });
}
