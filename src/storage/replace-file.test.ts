/** A file that is replaced is the old one or the new one, whole, whenever the machine stops. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../lib/prng.js';
import { CrashableFiles, type Survival } from './crashable-files.js';
import { replaceFile } from './replace-file.js';

const OLD = Buffer.alloc(1_500, 'old ');
const NEW = Buffer.alloc(2_100, 'new ');

/** @returns whether it came to its end */
function replace(files: CrashableFiles): boolean {
  try {
    replaceFile(files, 'dir/settings', NEW);
    return true;
  } catch {
    return false;
  }
}

test('a crash before any call to the disk leaves the old file or the new one', () => {
  const seen = new Set<string>();
  for (let crashAt = 1; ; crashAt += 1) {
    const prng = new Prng(crashAt);
    const survivals: Survival[] = ['nothing', 'everything'];
    for (let i = 0; i < 12; i += 1) survivals.push(prng.fork());
    for (const survival of survivals) {
      const before = new CrashableFiles();
      replaceFile(before, 'dir/settings', OLD);
      const files = before.crash('nothing');
      files.crashAt = crashAt;
      const ended = replace(files);
      const left = files.crash(survival).content('settings');
      if (ended) {
        assert.ok(left.equals(NEW), 'what has returned is durable');
        assert.deepEqual([...seen].sort(), ['new', 'old'], 'crashes met both');
        return;
      }
      const is = left.equals(OLD) ? 'old' : left.equals(NEW) ? 'new' : 'torn';
      assert.notEqual(is, 'torn', `call ${crashAt}`);
      seen.add(is);
    }
  }
});

test('a disk that refuses leaves the old file', () => {
  for (const refusal of ['write', 'sync', 'rename']) {
    const files = new CrashableFiles();
    replaceFile(files, 'dir/settings', OLD);
    files.failWith = (call) => (call.startsWith(refusal) ? new Error('EIO') : undefined);
    assert.equal(replace(files), false, refusal);
    assert.ok(files.crash('everything').content('settings').equals(OLD), refusal);
  }
});
