/**
 * Targets that are not ours, as who types the command sees them: what is missing is one line, and
 * nothing is written to a controller that somebody else runs before somebody agreed.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../lib/project-root.js';
import { parseResults } from '../measure/results.js';
import { startCluster } from '../target/ours.js';
import { ExitCode } from './exit-codes.js';
import { CLI, runCli } from './testing/run-cli.js';

/** Without a path there is no JDK and no etcd, whatever the machine has. */
const run = (args: readonly string[]) => runCli(args, { environment: { PATH: '/nowhere' } });

const limits = { timeout: 120_000 };
const NO_JAVA = 'the Java peers need a JDK, 11 or later: no `java` is found';

for (const { says, args, code, stdout = '', stderr = '' } of [
  {
    says: 'calibrate without a JDK is skipped',
    args: ['calibrate'],
    code: ExitCode.Ok,
    stdout: `skipped: ${NO_JAVA}\n`,
  },
  {
    says: 'Java peers alone, without a JDK, leave nothing',
    args: ['bench', '--targets', 'java-dledger,java-jraft', '--dry-run'],
    code: ExitCode.InvalidInput,
    stderr: `error: nothing is left to measure\nskipped: java-dledger, java-jraft: ${NO_JAVA}\n`,
  },
  {
    says: 'etcd alone, where there is none, leaves nothing',
    args: ['bench', '--targets', 'etcd', '--dry-run'],
    code: ExitCode.InvalidInput,
    stderr:
      "error: nothing is left to measure\nskipped: etcd: no etcd at 'etcd': install it (Debian: etcd-server) or say --etcd PATH\n",
  },
  {
    says: 'files for TLS without TLS are refused',
    args: ['bench', '--address', 'h:1', '--address-ca', 'ca.pem', '--yes'],
    code: ExitCode.InvalidInput,
    stderr: 'error: --address-ca needs --address-tls\n',
  },
  {
    says: 'a certificate without its key is refused',
    args: ['bench', '--address', 'h:1', '--address-tls', '--address-cert', 'x.pem', '--yes'],
    code: ExitCode.InvalidInput,
    stderr: 'error: --address-cert and --address-key go together\n',
  },
  {
    says: 'a file of certificates that is not there is refused by its flag',
    args: ['bench', '--address', 'h:1', '--address-tls', '--address-ca', '/nowhere.pem', '--yes'],
    code: ExitCode.InvalidInput,
    stderr: 'error: --address-ca=/nowhere.pem: cannot be read: ENOENT\n',
  },
  {
    says: 'an address that is none is refused',
    args: ['bench', '--address', 'somewhere', '--yes'],
    code: ExitCode.InvalidInput,
    stderr: "error: --address 'somewhere': expected host:port, joined by ; and each of them once\n",
  },
  {
    says: 'the name of another target is refused',
    args: ['bench', '--targets', 'optimized', '--address', 'h:1', '--address-name', 'optimized'],
    code: ExitCode.InvalidInput,
    stderr: "error: --address-name 'optimized' is a target already\n",
  },
]) {
  test(says, limits, async () => {
    assert.deepEqual(await run(args), { code, stdout, stderr });
  });
}

const beside = (targets: string): string[] => [
  ...['bench', '--targets', targets, '--workload', 'isr-churn', '--trials', '1'],
  ...['--durability', 'group', '--dry-run'],
];

for (const { targets, lines } of [
  {
    targets: 'optimized,etcd',
    lines: [
      "skipped: etcd: no etcd at 'etcd': install it (Debian: etcd-server) or say --etcd PATH",
    ],
  },
  {
    targets: 'java-dledger,optimized,java-jraft,zookeeper',
    lines: [
      `skipped: java-dledger, java-jraft: ${NO_JAVA}`,
      'skipped: zookeeper: ZooKeeper needs a JDK, 11 or later: no `java` is found',
    ],
  },
]) {
  test(
    `of ${targets} what is not there is one line, and the rest is measured`,
    limits,
    async () => {
      const { code, stdout, stderr } = await run(beside(targets));
      assert.equal(code, ExitCode.Ok);
      assert.equal(stderr, lines.map((line) => `${line}\n`).join(''));
      assert.match(stdout, /^round 1 {2}optimized \(group, wake\): isr-churn\n1 trials/);
    },
  );
}

for (const { says, java, compiles, why } of [
  { says: 'JDK 8', java: 'openjdk version "1.8.0_392"', compiles: true, why: 'this is Java 8' },
  {
    says: 'JRE 17',
    java: 'openjdk version "17.0.15"',
    compiles: false,
    why: 'no `javac` is found',
  },
  {
    says: 'program of another kind',
    java: 'usage',
    compiles: true,
    why: '`java -version` names none',
  },
]) {
  test(`a ${says} is no JDK of 11 or later`, limits, async () => {
    const path = mkdtempSync(join(tmpdir(), 'quorumark-test-'));
    try {
      symlinkSync('/bin/sh', join(path, 'sh'));
      const program = `#!/bin/sh\necho 'Picked up JAVA_TOOL_OPTIONS: -Dx' >&2\necho '${java}' >&2\n`;
      writeFileSync(join(path, 'java'), program, { mode: 0o755 });
      if (compiles) symlinkSync('/bin/sh', join(path, 'javac'));
      const environment = { PATH: path };
      const { stderr } = await runCli(beside('optimized,java-dledger'), { environment });
      assert.equal(
        stderr,
        `skipped: java-dledger: the Java peers need a JDK, 11 or later: ${why}\n`,
      );
    } finally {
      rmSync(path, { recursive: true, force: true });
    }
  });
}

test('open files are counted for as many members as the address has', limits, () => {
  const bench = (hosts: readonly string[]) => {
    const fixed = '--targets , --workload bring-up-own-connections --sets 350 --dry-run --address';
    const args = [CLI, 'bench', ...fixed.split(' '), hosts.map((host) => `${host}:1`).join(';')];
    const shell = ['-c', 'ulimit -n 4000 && exec "$0" "$@"', process.execPath, ...args];
    return spawnSync('sh', shell, { encoding: 'utf8' }).stderr;
  };
  assert.equal(bench(['a', 'b', 'c']), '');
  const asked = process.platform === 'linux' ? /: needs 5,762 open files / : /^$/;
  assert.match(bench(['a', 'b', 'c', 'd', 'e']), asked);
});

test('peers that are there need neither Maven nor a network', limits, async () => {
  const isThere = existsSync(join(projectRoot(), 'peers', 'lib', '5.4.0'));
  assert.deepEqual(await run(['peers']), {
    code: ExitCode.Ok,
    stdout: isThere
      ? 'RocketMQ 5.4.0: is there\n'
      : 'skipped: the Java programs need a JDK, 11 or later: no `java` is found\n',
    stderr: '',
  });
});

test(
  'a controller that others run is looked at, and measured once somebody agreed',
  limits,
  async () => {
    const out = mkdtempSync(join(tmpdir(), 'quorumark-test-'));
    const cluster = await startCluster({ build: 'optimized', nodes: 3, durability: 'background' });
    const address = cluster.addresses.join(';');
    const bench = (...more: readonly string[]) => {
      const fixed = '--workload isr-churn,leader-kill --sets 5 --duration 500 --trials 1';
      return run(['bench', ...fixed.split(' '), '--address', address, ...more, '--out', out]);
    };
    try {
      const refused = await bench();
      assert.equal(refused.code, ExitCode.InvalidInput);
      assert.equal(
        refused.stderr,
        'error: --address writes to a controller that is in use: say --yes to agree\n',
      );
      for (const { address: at, pid } of cluster.members()) {
        assert.match(refused.stdout, new RegExp(`^${at}: (leads|follows) .*`, 'm'));
        if (process.platform === 'linux')
          assert.match(refused.stdout, new RegExp(`process ${pid}$`, 'm'));
      }
      const agreed = await bench('--address-name', 'theirs', '--yes');
      assert.equal(agreed.code, ExitCode.Ok, agreed.stdout);
      assert.match(
        agreed.stdout,
        /^skipped: leader-kill on theirs: it would kill what others run$/m,
      );
      const file = join(out, 'latest', 'results.json');
      const { targets, trials } = parseResults(file, JSON.parse(readFileSync(file, 'utf8')));
      assert.deepEqual(
        targets.map(({ name, kind, durability }) => [name, kind, durability]),
        [['theirs', 'address', 'unknown']],
      );
      assert.deepEqual(
        trials.map(({ workload, status }) => [workload, status]),
        [['isr-churn', 'valid']],
      );
      const names = trials[0]?.processes.map(({ name }) => name);
      assert.deepEqual(names, process.platform === 'linux' ? ['n0', 'n1', 'n2', 'load'] : ['load']);
      assert.equal(cluster.members().length, 3);
    } finally {
      await cluster.close();
      rmSync(out, { recursive: true, force: true });
    }
  },
);
