import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { logIndex, term } from '../lib/brand.js';
import { type Clock, systemClock } from '../lib/clock.js';
import { silent } from '../lib/logger.js';
import { appended, conformance, entry, run, show } from './conformance.js';
import { CrashableFiles } from './crashable-files.js';
import { type FileStoreOptions, openFileStore } from './file-store.js';
import type { Durability, LogStore } from './log-store.js';

const root = fs.mkdtempSync(join(os.tmpdir(), 'quorumark-store-'));
after(() => fs.rmSync(root, { recursive: true }));

const policies: readonly Durability[] = ['background', 'group', 'each'];

for (const durability of policies) {
  conformance(`file, ${durability}`, () => {
    const directory = fs.mkdtempSync(join(root, 'store-'));
    const options = { directory, durability, logger: silent };
    const store = openFileStore(options);
    return { store, reopen: () => reopened(store, options) };
  });
}

conformance('file, many segments and no cache', () => {
  const files = new CrashableFiles();
  const options: FileStoreOptions = {
    directory: 'log',
    durability: 'group',
    logger: silent,
    segmentBytesMax: 150,
    cacheBytesMax: 0,
    files,
  };
  const store = openFileStore(options);
  return { store, reopen: () => reopened(store, options) };
});

test('directories are made down to that of the store; a file in the way is named', async () => {
  const directory = join(fs.mkdtempSync(join(root, 'deep-')), 'data', 'n0', 'log');
  const options: FileStoreOptions = { directory, durability: 'group', logger: silent };
  await openFileStore(options).close();
  await openFileStore(options).close();
  const file = join(directory, 'vote');
  assert.throws(() => openFileStore({ ...options, directory: file }), {
    code: 'EEXIST',
    path: file,
  });
});

async function reopened(store: LogStore, options: FileStoreOptions): Promise<LogStore> {
  await store.close();
  return openFileStore(options);
}

function held(durability: Durability, extra: Partial<FileStoreOptions> = {}) {
  const files = new CrashableFiles();
  files.holdSyncs = true;
  const options = { directory: 'log', durability, logger: silent, files, ...extra };
  const order: string[] = [];
  const store = openFileStore(options);
  const append = (index: number): void =>
    store.append([entry(index)], (error) => order.push(error ? `${index} failed` : `${index}`));
  return { files, store, order, append, options };
}

test('group: appends that arrive while a sync runs share the next', async () => {
  const { files, order, append } = held('group');
  for (const index of [1, 2, 3, 4]) append(index);
  assert.equal(files.syncsHeld, 1);
  files.endSync();
  assert.deepEqual(order, ['1']);
  assert.equal(files.syncsHeld, 1, 'the next sync starts at once');
  append(5);
  files.endSync();
  assert.deepEqual(order, ['1', '2', '3', '4']);
  files.endSync();
  assert.deepEqual(order, ['1', '2', '3', '4', '5']);
  assert.equal(files.syncsHeld, 0);
});

test('each: one sync per append, in order', () => {
  const { files, order, append } = held('each');
  for (const index of [1, 2, 3]) append(index);
  for (const expected of [['1'], ['1', '2'], ['1', '2', '3']]) {
    assert.equal(files.syncsHeld, 1);
    files.endSync();
    assert.deepEqual(order, expected);
  }
  assert.equal(files.syncsHeld, 0);
});

/** A clock whose one timer fires when the test says so. */
function timerOf() {
  let timer: (() => void) | undefined;
  const clock: Clock = {
    ...systemClock,
    after(delayMs, action) {
      assert.equal(delayMs, 10);
      assert.equal(timer, undefined, 'one timer at a time');
      timer = action;
      return () => {
        timer = undefined;
      };
    },
  };
  return {
    clock,
    isSet: () => timer !== undefined,
    fire(): void {
      const action = timer;
      timer = undefined;
      assert.ok(action !== undefined, 'a timer is set');
      action();
    },
  };
}

test('background: done in the turn of the append, synced by the timer and only when dirty', async () => {
  const { clock, isSet, fire } = timerOf();
  const { files, order, append } = held('background', { clock });
  append(1);
  append(2);
  assert.deepEqual(order, []);
  await Promise.resolve();
  assert.deepEqual(order, ['1', '2']);
  assert.equal(files.syncsHeld, 0);
  fire();
  assert.equal(files.syncsHeld, 1);
  append(3);
  assert.equal(isSet(), false, 'never two syncs at once');
  files.endSync();
  fire();
  files.endSync();
  assert.equal(isSet(), false, 'nothing left to sync');
});

test('background: close ends the timer, and what was dirty is synced', async () => {
  const { clock, isSet, fire } = timerOf();
  const { files, store, append, options } = held('background', { clock });
  append(1);
  fire();
  append(2);
  const closing = store.close();
  files.endSync();
  await closing;
  assert.equal(isSet(), false);
  assert.equal(show(openFileStore({ ...options, files: files.crash('nothing') })), '1@1 2@1');
});

test('background: a failed sync ends every later append', async () => {
  const { clock, isSet, fire } = timerOf();
  const { files, order, append } = held('background', { clock });
  append(1);
  await Promise.resolve();
  files.failWith = (call) => (call === 'sync ends' ? new Error('EIO') : undefined);
  fire();
  files.endSync();
  append(2);
  await Promise.resolve();
  assert.deepEqual(order, ['1', '2 failed']);
  assert.equal(isSet(), false);
});

test('a sync that started before a truncation does not vouch for what came after it', () => {
  const { files, store, order, append } = held('group');
  append(1);
  append(2);
  store.truncate(logIndex(1));
  store.append([entry(2, 2)], () => order.push('2 of term 2'));
  assert.equal(files.syncsHeld, 1);
  files.endSync();
  assert.ok(!order.includes('2 of term 2'));
  files.endSync();
  assert.deepEqual(order, ['1', '2', '2 of term 2']);
});

for (const durability of ['group', 'each'] as const) {
  test(`${durability}: a failed sync ends every waiting and later append, and is not tried again`, async () => {
    const { files, store, order, append } = held(durability);
    append(1);
    append(2);
    let failures = 0;
    files.failWith = (call) => {
      if (call !== 'sync ends') return undefined;
      failures += 1;
      return new Error('EIO');
    };
    files.endSync();
    append(3);
    await Promise.resolve();
    assert.deepEqual(order, ['1 failed', '2 failed', '3 failed']);
    assert.equal(failures, 1);
    assert.equal(files.syncsHeld, 0);
    assert.throws(() => store.truncate(logIndex(0)), { code: 'STORE_UNUSABLE', message: /EIO/ });
    const vote = { term: term(1), votedFor: 'n0' };
    assert.throws(() => store.saveHardState(vote), { code: 'STORE_UNUSABLE' });
    await assert.rejects(store.close(), { code: 'STORE_UNUSABLE' });
  });
}

test('a failed write ends the append after those before it, and the store', async () => {
  const { files, order, append, store } = held('group');
  append(1);
  files.failWith = (call) => (call === 'write' ? new Error('ENOSPC') : undefined);
  append(2);
  assert.deepEqual(order, []);
  await Promise.resolve();
  assert.deepEqual(order, ['1 failed', '2 failed']);
  assert.equal(store.lastIndex, 1);
});

test('a vote that could not be synced is not taken', () => {
  const { files, store } = held('group');
  files.failWith = (call) => (call === 'sync' ? new Error('EIO') : undefined);
  const vote = { term: term(4), votedFor: 'n0' };
  assert.throws(() => store.saveHardState(vote), { code: 'STORE_UNUSABLE' });
  assert.equal(store.hardState.term, 0);
});

test('close waits for the sync that runs, syncs the rest and releases the lock', async () => {
  const { files, store, order, append, options } = held('group');
  append(1);
  append(2);
  let isClosed = false;
  const closing = store.close().then(() => {
    isClosed = true;
  });
  assert.throws(() => openFileStore(options), { code: 'STORE_LOCKED' });
  files.endSync();
  await nextTurn();
  assert.equal(isClosed, false);
  files.endSync();
  await closing;
  assert.deepEqual(order, ['1', '2']);
  assert.equal(show(openFileStore(options)), '1@1 2@1');
});

test('entries beyond the cache are read from disk and checked', async () => {
  const { files, store } = held('background', { cacheBytesMax: 500 });
  await appended(store, run(1, 20));
  assert.equal(show(store).split(' ').length, 20);
  const name = '00000000000000000001.log';
  const bytes = files.content(name);
  const offset = 24 + 4 * 44; // Of the fifth record.
  bytes[offset + 30] = (bytes[offset + 30] ?? 0) ^ 1;
  files.damage(name, bytes);
  assert.throws(() => store.entries(logIndex(5), logIndex(6), 1_000), {
    code: 'STORE_CORRUPT',
    message: `log/${name}: at byte ${offset}: the record of entry 5 is damaged`,
  });
  assert.equal(store.entries(logIndex(20), logIndex(20), 1_000).length, 1);
});

test('reading goes on over segments, disk and cache', async () => {
  const files = new CrashableFiles();
  const options: FileStoreOptions = {
    directory: 'log',
    durability: 'background',
    logger: silent,
    segmentBytesMax: 200,
    cacheBytesMax: 800,
    files,
  };
  const store = openFileStore(options);
  for (let i = 1; i <= 30; i += 1) await appended(store, [entry(i)]);
  const read = store.entries(logIndex(2), logIndex(30), 1_000_000);
  assert.deepEqual(
    read.map(({ index }) => index),
    Array.from({ length: 29 }, (_, i) => i + 2),
  );
});
