/** A disk without room refuses what needs some, and nothing is left half done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logIndex, term } from '../lib/brand.js';
import { silent } from '../lib/logger.js';
import { Prng } from '../lib/prng.js';
import { votersOnly } from '../raft/configuration.js';
import { appended, entry, run, show } from './conformance.js';
import { CrashableFiles } from './crashable-files.js';
import { type FileStoreOptions, openFileStore } from './file-store.js';

const options = (files: CrashableFiles): FileStoreOptions => ({
  directory: 'log',
  durability: 'group',
  logger: silent,
  segmentBytesMax: 150,
  files,
});

/** Names can still be had, blocks cannot. */
const noBlocks = (call: string): Error | undefined =>
  call === 'write' ? Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }) : undefined;

const head = (index: number) => ({
  index: logIndex(index),
  term: term(2),
  configuration: votersOnly(['n0']),
});

for (const [name, bytes] of [
  ['a small snapshot that was received', 5_000],
  ['a part of a snapshot', 200_000],
] as const) {
  test(`${name} finds no room: it is gone, and the store goes on`, async () => {
    const files = new CrashableFiles();
    const store = openFileStore(options(files));
    await appended(store, run(1, 3));
    files.failWith = noBlocks;
    const receive = (): void => {
      store.receiveSnapshot(head(10), 0, Buffer.alloc(bytes, 7));
      store.installSnapshot(head(10));
    };
    assert.throws(receive, { code: 'STORE_FULL' });
    assert.equal(store.snapshot, null);
    assert.equal(show(store), '1@1 2@1 3@1');
    assert.deepEqual(
      files.list().filter((file) => file.includes('draft') || file.includes('snapshot')),
      [],
    );
    files.failWith = () => undefined;
    store.saveHardState({ term: term(2), votedFor: null });
    receive();
    const again = openFileStore(options(files.crash('nothing')));
    assert.deepEqual([again.snapshot?.index, again.lastIndex], [10, 10]);
  });
}

test('a snapshot that has the last room is not installed: the log that follows needs some', async () => {
  const files = new CrashableFiles();
  const store = openFileStore(options(files));
  await appended(store, run(1, 3));
  store.receiveSnapshot(head(10), 0, Buffer.alloc(5_000));
  files.freeBytes = () => 4_096;
  assert.throws(() => store.installSnapshot(head(10)), { code: 'STORE_FULL' });
  assert.equal(store.snapshot, null);
  assert.equal(show(store), '1@1 2@1 3@1');
});

test('a snapshot that is taken and finds no room leaves the one that is received alone', async () => {
  const files = new CrashableFiles();
  const store = openFileStore(options(files));
  await appended(store, run(1, 3));
  store.receiveSnapshot(head(10), 0, Buffer.alloc(1_000));
  const writer = store.beginSnapshot({ ...head(3), term: term(1) });
  files.failWith = noBlocks;
  assert.throws(() => writer.write(Buffer.alloc(200_000)), { code: 'STORE_FULL' });
  files.failWith = () => undefined;
  store.receiveSnapshot(head(10), 1_000, Buffer.alloc(1_000));
  store.installSnapshot(head(10));
  assert.equal(store.snapshot?.totalBytes, 2_000);
});

test('a segment that found no room is no gap in a log that is cut behind it', async () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const files = new CrashableFiles();
    const store = openFileStore(options(files));
    await appended(store, run(1, 2));
    files.failWith = noBlocks;
    assert.throws(() => store.append([entry(3)], () => {}), { code: 'STORE_FULL' });
    files.failWith = () => undefined;
    store.truncate(logIndex(1));
    const again = openFileStore(options(files.crash(new Prng(seed))));
    assert.equal(show(again), '1@1', `seed ${seed}`);
  }
});
