import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lockDirectory } from './directory-lock.js';

const root = fs.mkdtempSync(join(os.tmpdir(), 'quorumark-lock-'));
after(() => fs.rmSync(root, { recursive: true }));
const fresh = (): string => fs.mkdtempSync(join(root, 'store-'));
const isLocked = { code: 'STORE_LOCKED', message: /is locked by process \d+$/ };

test('a second lock is refused and names the holder, until the first is released', () => {
  const directory = fresh();
  const lock = lockDirectory(directory);
  assert.throws(() => lockDirectory(directory), {
    code: 'STORE_LOCKED',
    message: `store in ${directory} is locked by process ${process.pid}`,
  });
  lock.release();
  lockDirectory(directory).release();
  assert.deepEqual(fs.readdirSync(directory), []);
});

test('another process that lives keeps its lock', () => {
  const directory = fresh();
  fs.writeFileSync(join(directory, 'lock'), `${process.ppid} \n`);
  assert.throws(() => lockDirectory(directory), isLocked);
});

test('the lock of a dead process is taken over', () => {
  const directory = fresh();
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  fs.writeFileSync(join(directory, 'lock'), `${pid} 12345\n`);
  const lock = lockDirectory(directory);
  assert.match(fs.readFileSync(join(directory, 'lock'), 'utf8'), new RegExp(`^${process.pid} `));
  lock.release();
});

test('a pid that now belongs to a later process does not hold the lock', () => {
  if (!fs.existsSync('/proc/self/stat')) return; // Only /proc tells when a process started.
  const directory = fresh();
  fs.writeFileSync(join(directory, 'lock'), `${process.pid} 1\n`);
  lockDirectory(directory).release();
});

test('an unreadable lock holds nothing', () => {
  const directory = fresh();
  fs.writeFileSync(join(directory, 'lock'), 'garbage');
  lockDirectory(directory).release();
});
