/**
 * Door for developers: how many appends per second the file store takes on this disk.
 *
 *   npm run build && node dist/scripts/bench-store.js [DIRECTORY]
 *
 * 256 appends are kept outstanding, about what the engine has in flight; one second per row.
 */
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { logIndex, term } from '../src/lib/brand.js';
import { silent } from '../src/lib/logger.js';
import { openFileStore } from '../src/storage/file-store.js';
import type { Durability, LogStore } from '../src/storage/log-store.js';

const OUTSTANDING = 256;
const ROW_MS = 1_000;

const root = fs.mkdtempSync(join(process.argv[2] ?? os.tmpdir(), 'quorumark-bench-store-'));
try {
  const policies: readonly Durability[] = ['background', 'group', 'each'];
  for (const durability of policies) {
    for (const bodyBytes of [256, 64 << 10]) {
      const directory = join(root, `${durability}-${bodyBytes}`);
      const store = openFileStore({ directory, durability, logger: silent });
      const perSecond = await appendsPerSecond(store, Buffer.alloc(bodyBytes, 7));
      await store.close();
      const bytes = store.lastIndex * bodyBytes;
      const openedAt = performance.now();
      const again = openFileStore({ directory, durability, logger: silent });
      const openMs = performance.now() - openedAt;
      await again.close();
      console.log(
        `${durability.padEnd(10)} ${String(bodyBytes).padStart(6)} B  ${Math.round(perSecond).toLocaleString('en').padStart(9)} appends/s  reopened in ${openMs.toFixed(0)} ms (${(bytes / (1 << 20)).toFixed(0)} MiB)`,
      );
      fs.rmSync(directory, { recursive: true });
    }
  }
} finally {
  fs.rmSync(root, { recursive: true, force: true });
}

function appendsPerSecond(store: LogStore, body: Buffer): Promise<number> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    let outstanding = 0;
    let ended = 0;
    let isOver = false;
    let isFillDue = false;
    const fill = (): void => {
      isFillDue = false;
      while (!isOver && outstanding < OUTSTANDING) {
        outstanding += 1;
        const index = logIndex(store.lastIndex + 1);
        store.append([{ term: term(1), index, kind: 'data', body }], done);
      }
      if (isOver && outstanding === 0) resolve((ended * 1_000) / (performance.now() - startedAt));
    };
    const done = (error?: Error): void => {
      if (error !== undefined) reject(error);
      outstanding -= 1;
      ended += 1;
      isOver = performance.now() - startedAt > ROW_MS;
      // Refilled once a turn, as the engine appends once a turn.
      if (!isFillDue) setImmediate(fill);
      isFillDue = true;
    };
    fill();
  });
}
