import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logIndex, term } from '../lib/brand.js';
import { appended, conformance, entry, run, show } from './conformance.js';
import { MemoryStore } from './memory-store.js';

conformance('memory', () => {
  const store = new MemoryStore();
  return {
    store,
    async reopen() {
      await store.close();
      return store.crash();
    },
  };
});

test('a crash keeps what was synced, and term and vote', () => {
  const store = new MemoryStore({ completion: 'manual' });
  let done = 0;
  store.append(run(1, 2), () => (done += 1));
  store.sync();
  store.append(run(3, 4), () => (done += 1));
  store.saveHardState({ term: term(3), votedFor: 'n2' });
  assert.equal(store.waiting, 1);
  const restarted = store.crash();
  assert.equal(done, 1);
  assert.equal(show(restarted), '1@1 2@1');
  assert.deepEqual(restarted.hardState, { term: 3, votedFor: 'n2' });
});

test('an append that follows a truncation waits for its own sync', async () => {
  const store = new MemoryStore({ completion: 'manual' });
  const first = appended(store, run(1, 3));
  store.truncate(logIndex(1));
  let isDone = false;
  store.append([entry(2, 2)], () => {
    isDone = true;
  });
  await first;
  assert.equal(isDone, false);
  assert.equal(show(store.crash()), '1@1');
});

test('a broken disk ends waiting and later appends with its error', async () => {
  const store = new MemoryStore({ completion: 'manual' });
  const waiting = appended(store, run(1, 1));
  store.fail(new Error('no space left'));
  await assert.rejects(waiting, /no space left/);
  await assert.rejects(appended(store, run(2, 2)), /no space left/);
  assert.throws(() => store.truncate(logIndex(0)), /no space left/);
});
