/** The command line as its caller sees it: exit codes, one clear line for each fault, help. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freeBasePort } from '../target/free-ports.js';
import { CLI, runCli } from './testing/run-cli.js';

/** A command that ends by itself, or by `signal` once it printed a line. */
const run = (args: readonly string[], signal?: NodeJS.Signals) => runCli(args, { signal });

async function withController(
  lines: readonly string[],
  body: (given: { config: string; directory: string; port: number }) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'quorumark-test-'));
  const port = await freeBasePort([0, 1]);
  const config = join(directory, 'c.properties');
  writeFileSync(
    config,
    [
      `controllerDLegerPeers=n0-127.0.0.1:${port}`,
      'controllerDLegerSelfId=n0',
      `controllerStorePath=${join(directory, 'store')}`,
      'bindAddress=127.0.0.1',
      `httpPort=${port + 1}`,
      ...lines,
    ].join('\n'),
  );
  try {
    await body({ config, directory, port });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const limits = { timeout: 60_000 };

test('--help and --version succeed, and say what the exit codes mean', limits, async () => {
  const help = await run(['--help']);
  assert.equal(help.code, 0);
  for (const code of [0, 1, 2, 3, 4, 5, 130]) {
    assert.match(help.stdout, new RegExp(`^ +${code}  \\w`, 'm'));
  }
  const version = await run(['--version']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

const wrong: readonly (readonly [args: string, stderr: RegExp])[] = [
  ['nope', /^error: unknown command 'nope'/],
  [
    'cluster --nodes 0',
    /^error: option '--nodes <n>' argument '0' is invalid. It must be an integer in \[1, 9\]/,
  ],
  ['cluster --durability always', /Allowed choices are background, group, each/],
  ['controller', /^error: required option '--config <file>' not specified/],
  ['controller --config /nowhere/c', /^error: cannot read \/nowhere\/c: ENOENT\n$/],
  [
    'controller --config /nowhere/c --build legacy',
    /^error: no build 'legacy': there is baseline, optimized\n$/,
  ],
];
for (const [args, stderr] of wrong) {
  test(`quorumark ${args}: exits 2`, limits, async () => {
    const result = await run(args.split(' '));
    assert.match(result.stderr, stderr);
    assert.deepEqual([result.code, result.stdout], [2, '']);
  });
}

test('controller: a bad property is named with its line', limits, async () => {
  await withController(['durability=always'], async ({ config }) => {
    const { code, stderr } = await run(['controller', '--config', config]);
    assert.equal(
      stderr,
      `error: ${config}:6: durability=always: must be one of background, group, each\n`,
    );
    assert.equal(code, 2);
  });
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`controller: serves until ${signal}, then ends in order`, limits, async () => {
    await withController([], async ({ config, port }) => {
      const args = ['controller', '--build', 'baseline', '--config', config];
      const { code, stdout, stderr } = await run([...args, '--log-level', 'warn'], signal);
      assert.equal(
        stdout,
        `listening 127.0.0.1:${port} build baseline http 127.0.0.1:${port + 1}\n`,
      );
      assert.deepEqual([code, stderr], [0, '']);
    });
  });
}

for (const [what, offset] of [
  ['its own port', 0],
  ['its HTTP port', 1],
] as const) {
  test(`controller: ${what} in use is one line, exit 5`, limits, async () => {
    await withController([], async ({ config, port }) => {
      const holder = createServer().listen(port + offset, '127.0.0.1');
      await once(holder, 'listening');
      try {
        const { code, stdout, stderr } = await run([
          ...['controller', '--config', config, '--log-level', 'warn'],
        ]);
        assert.equal(stderr, `error: port ${port + offset} is in use by another process\n`);
        assert.deepEqual([code, stdout], [5, '']);
      } finally {
        holder.close();
      }
    });
  });
}

test('controller: a store locked by another process is one line, exit 5', limits, async () => {
  await withController([], async ({ config, port }) => {
    const first = spawn(process.execPath, [CLI, 'controller', '--config', config], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      await once(first.stdout, 'data');
      const other = `${config}.other`;
      const elsewhere = readFileSync(config, 'utf8')
        .replaceAll(`:${port}`, `:${port + 20}`)
        .replace(`httpPort=${port + 1}`, 'httpPort=0');
      writeFileSync(other, elsewhere);
      const { code, stderr } = await run(['controller', '--config', other, '--log-level', 'warn']);
      assert.match(stderr, new RegExp(`^error: store in .* is locked by process ${first.pid}\\n$`));
      assert.equal(code, 5);
    } finally {
      first.kill('SIGTERM');
      await once(first, 'exit');
    }
  });
});
