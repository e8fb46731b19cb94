/** Runs the program as who types it does, and waits for its end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../main.js', import.meta.url));

export interface RunOptions {
  /** Beyond this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Sent once it printed a line. */
  readonly signal?: NodeJS.Signals | undefined;
}

export async function runCli(
  args: readonly string[],
  { environment = {}, signal }: RunOptions = {},
) {
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      if (name === 'stdout' && signal !== undefined) child.kill(signal);
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...text };
}
