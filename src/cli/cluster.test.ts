/** `quorumark cluster` with real controllers: ready, a member lost, brought back, all gone. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { freeBasePort } from '../target/free-ports.js';
import { CLI } from './testing/run-cli.js';

const OFFSETS = [0, 1, 10, 11, 20, 21];

interface Command {
  readonly pid: number;
  /** The next line on stdout; null when there are no more. */
  line(): Promise<string | null>;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<number | null>;
  readonly stderr: () => string;
}

function cluster(basePort: number, ...args: readonly string[]): Command {
  const child = spawn(
    process.execPath,
    [CLI, 'cluster', '--base-port', String(basePort), ...args, '--log-level', 'warn'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  return {
    pid: child.pid ?? 0,
    async line() {
      const next = await lines.next();
      return next.done === true ? null : next.value;
    },
    kill: (signal) => child.kill(signal),
    exited: once(child, 'exit').then(([code]) => code as number | null),
    stderr: () => stderr,
  };
}

/** The pids of a ready line, after its addresses were checked. */
function pidsOf(ready: string | null, basePort: number): number[] {
  const addresses = [0, 10, 20].map((offset) => `127.0.0.1:${basePort + offset}`).join(';');
  const [, pids = ''] = /^ready \S+ pids ([\d,]+)$/.exec(ready ?? '') ?? [];
  assert.equal(ready, `ready ${addresses} pids ${pids}`);
  return pids.split(',').map(Number);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** The test's timeout is the bound. */
async function untilClosed(basePort: number): Promise<void> {
  for (const offset of OFFSETS) while (await accepts(basePort + offset)) await after(20);
}

/** Runs `body` with a cluster command that has ended when the test has, whatever happened. */
function clusterTest(
  name: string,
  args: readonly string[],
  body: (command: Command, basePort: number) => Promise<void>,
): void {
  test(`cluster: ${name}`, { timeout: 120_000 }, async () => {
    const basePort = await freeBasePort(OFFSETS);
    const command = cluster(basePort, ...args);
    try {
      await body(command, basePort);
    } finally {
      command.kill('SIGTERM');
      await command.exited;
    }
  });
}

for (const build of ['baseline', 'optimized', 'baseline+reads=optimized']) {
  clusterTest(
    `${build} serves, and stopping it stops all`,
    ['--build', build],
    async (command, basePort) => {
      assert.equal(pidsOf(await command.line(), basePort).length, 3);
      const open = await Promise.all(OFFSETS.map((offset) => accepts(basePort + offset)));
      assert.deepEqual(open, [true, true, true, true, true, true]);
      command.kill('SIGTERM');
      assert.equal(await command.line(), null);
      assert.deepEqual([await command.exited, command.stderr()], [0, '']);
      await untilClosed(basePort);
    },
  );
}

clusterTest(
  'a killed member is reported and brought back',
  ['--restart', '--durability', 'group'],
  async (command, basePort) => {
    const [, victim = 0] = pidsOf(await command.line(), basePort);
    process.kill(victim, 'SIGKILL');
    assert.equal(
      await command.line(),
      `member n1 (pid ${victim}) exited: SIGKILL; 2 of 3 members left`,
    );
    assert.match((await command.line()) ?? '', /^member n1 is back \(pid \d+\)$/);
    assert.equal(await accepts(basePort + 10), true);
    command.kill('SIGINT');
    assert.equal(await command.exited, 0);
  },
);

clusterTest('when the last member is gone, so is the cluster', [], async (command, basePort) => {
  const pids = pidsOf(await command.line(), basePort);
  for (const [index, pid] of pids.entries()) {
    process.kill(pid, 'SIGKILL');
    const line = (await command.line()) ?? '';
    assert.match(line, new RegExp(`; ${2 - index} of 3 members left$`));
  }
  assert.equal(await command.exited, 5);
});

// What is killed cannot tidy up, so the data go where the test can.
const data = mkdtempSync(join(tmpdir(), 'quorumark-test-'));
clusterTest('its members go when it is killed', ['--data', data], async (command, basePort) => {
  pidsOf(await command.line(), basePort);
  command.kill('SIGKILL');
  await untilClosed(basePort);
  rmSync(data, { recursive: true, force: true });
});

test('cluster: a port in use is one line, and nothing is left running', async () => {
  const basePort = await freeBasePort(OFFSETS);
  const holder = createServer((socket) => socket.destroy()).listen(basePort + 10, '127.0.0.1');
  await once(holder, 'listening');
  const command = cluster(basePort);
  try {
    assert.equal(await command.line(), null);
    assert.equal(await command.exited, 5);
  } finally {
    await new Promise((resolve) => holder.close(resolve));
  }
  assert.equal(
    command.stderr(),
    `error: n1 did not start: port ${basePort + 10} is in use by another process\n`,
  );
  await untilClosed(basePort);
});
