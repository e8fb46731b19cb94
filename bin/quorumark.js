#!/usr/bin/env node
/**
 * The `quorumark` command, as npm installs it.
 */
import { existsSync } from 'node:fs';

const main = new URL('../dist/src/cli/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  console.error('error: not built yet: run `npm run build` first');
  process.exitCode = 2;
}
