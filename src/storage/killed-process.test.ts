import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { silent } from '../lib/logger.js';
import { appended, entry, show } from './conformance.js';
import { openFileStore } from './file-store.js';

/** Appends without end and prints every index that the store has acknowledged. */
const writer = `
  import { entry } from ${JSON.stringify(new URL('./conformance.js', import.meta.url).href)};
  import { openFileStore } from ${JSON.stringify(new URL('./file-store.js', import.meta.url).href)};
  import { silent } from ${JSON.stringify(new URL('../lib/logger.js', import.meta.url).href)};
  import fs from 'node:fs';
  const [directory, durability] = process.argv.slice(1);
  const store = openFileStore({ directory, durability, logger: silent, segmentBytesMax: 2_000 });
  const next = () => {
    const index = store.lastIndex + 1;
    store.append([entry(index), entry(index + 1)], (error) => {
      if (error) throw error;
      fs.writeSync(1, index + 1 + '\\n');
      setImmediate(next);
    });
  };
  for (let i = 0; i < 4; i += 1) next();
`;

for (const durability of ['background', 'group', 'each'] as const) {
  test(`${durability}: kill -9 loses no acknowledged entry, and its lock is taken over`, async (t) => {
    const directory = fs.mkdtempSync(join(os.tmpdir(), 'quorumark-killed-'));
    t.after(() => fs.rmSync(directory, { recursive: true }));
    const args = ['--input-type=module', '-e', writer, directory, durability];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    let acknowledged = 0;
    for await (const line of createInterface(child.stdout)) {
      acknowledged = Number(line);
      if (acknowledged >= 200) child.kill('SIGKILL');
    }
    assert.deepEqual(await exited, [null, 'SIGKILL']);
    assert.ok(acknowledged >= 200);

    const options = { directory, durability, logger: silent };
    const store = openFileStore(options);
    assert.ok(store.lastIndex >= acknowledged, `${store.lastIndex} of ${acknowledged}`);
    const before = show(store);
    await appended(store, [entry(store.lastIndex + 1)]);
    await store.close();
    const again = openFileStore(options);
    assert.ok(show(again).startsWith(before));
    await again.close();
  });
}
