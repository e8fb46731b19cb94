/**
 * Whole controllers of both builds with members that know each other by certificate: the group
 * serves, and strangers on its port do not get a word in.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { tlsRuntime } from '../client/connection.js';
import { MemberCode } from '../lib/codes.js';
import { silent } from '../lib/logger.js';
import { parseResults } from '../measure/results.js';
import { certificatePath, clientTls, credentials, trust } from '../net/testing.js';
import { encodeRequest } from '../remoting/codec.js';
import { clientIdentity } from '../remoting/frame-writer.js';
import { type ConfigOverrides, controllerConfig, defaults } from '../server/config.js';
import { type RunningController, startController } from '../server/start.js';
import { freeBasePort } from '../target/free-ports.js';
import { resolveBuild } from './builds.js';
import { ExitCode } from './exit-codes.js';
import { runCli } from './testing/run-cli.js';
import { untilWritten } from './testing/until-written.js';

const files = {
  certPath: certificatePath('member.pem'),
  keyPath: certificatePath('member.key'),
  keyPassword: '',
  trustCertPath: certificatePath('ca.pem'),
};
const secure: Partial<ConfigOverrides> = {
  memberTls: true,
  tls: { ...defaults.tls, mode: 'enforcing', server: files, client: files },
};

interface Group {
  readonly addresses: readonly string[];
  /** What was refused, by any member. */
  readonly refused: string[];
}

async function startGroup(
  t: TestContext,
  build: string,
  overrides: Partial<ConfigOverrides>,
): Promise<Group> {
  const directory = mkdtempSync(join(tmpdir(), 'quorumark-test-'));
  const port = await freeBasePort([0, 1, 2]);
  const peers = [0, 1, 2].map((i) => ({
    id: `n${i}`,
    host: '127.0.0.1',
    port: port + i,
    address: `127.0.0.1:${port + i}`,
  }));
  const refused: string[] = [];
  const warn = (fields: { readonly reason?: string }, message: string): void => {
    if (message === 'refused') refused.push(fields.reason ?? '');
  };
  const running: RunningController[] = [];
  t.after(async () => {
    await Promise.all(running.map((controller) => controller.close()));
    rmSync(directory, { recursive: true, force: true });
  });
  for (const { id } of peers) {
    const config = controllerConfig({
      ...{ peers, selfId: id, storePath: join(directory, id), httpPort: 0 },
      ...overrides,
    });
    running.push(await startController(config, resolveBuild(build), { ...silent, warn }));
  }
  return { addresses: peers.map(({ address }) => address), refused };
}

/** Until one of them serves. */
const write = (addresses: readonly string[]): Promise<void> =>
  untilWritten(addresses, 'b', tlsRuntime(clientTls({ credentials: credentials('broker') })));

const vote = encodeRequest(
  {
    code: MemberCode.Vote,
    opaque: 1,
    flag: 2,
    extFields: null,
    body: Buffer.from('a vote that nobody cast'),
  },
  clientIdentity,
);

for (const build of ['baseline', 'optimized']) {
  test(`${build}: members with certificates form a group; others are not heard`, {
    timeout: 60_000,
  }, async (t) => {
    const { addresses, refused } = await startGroup(t, build, secure);
    await write(addresses);
    assert.deepEqual(refused, []);

    const [, port] = (addresses[0] ?? '').split(':');
    const target = { host: '127.0.0.1', port: Number(port) };
    const plain = connectPlain(target);
    const anonymous = connectTls({ ...target, ca: trust });
    const broker = connectTls({ ...target, ca: trust, ...credentials('broker') });
    const stranger = connectTls({ ...target, ca: trust, ...credentials('stranger') });
    for (const socket of [plain, anonymous, broker, stranger]) {
      socket.on('error', () => {});
      socket.resume();
      socket.write(vote);
      if (!socket.closed) await once(socket, 'close');
    }
    const not = 'not a frame of this controller group';
    assert.deepEqual(refused, [
      'not TLS, which is required here',
      `${not}: no certificate was shown`,
      `${not}: the certificate names no host of the group`,
      `${not}: no certificate was shown`,
    ]);
    await write(addresses);
  });
}

test('members may dial by TLS without certificates of their own', {
  timeout: 60_000,
}, async (t) => {
  const { addresses, refused } = await startGroup(t, 'optimized', {
    tls: {
      ...{ ...defaults.tls, mode: 'enforcing', server: files, dials: true },
      client: { ...files, certPath: '', keyPath: '' },
    },
  });
  await write(addresses);
  assert.deepEqual(refused, []);
});

test('a bench measures a group that wants certificates, and names what is missing', {
  timeout: 120_000,
}, async (t) => {
  const { addresses } = await startGroup(t, 'optimized', {
    ...secure,
    tls: {
      ...defaults.tls,
      mode: 'enforcing',
      clientAuth: 'require',
      server: files,
      client: files,
    },
  });
  await write(addresses);
  const out = mkdtempSync(join(tmpdir(), 'quorumark-test-'));
  t.after(() => rmSync(out, { recursive: true, force: true }));
  const bench = (...more: readonly string[]) =>
    runCli([
      ...['bench', '--workload', 'isr-churn', '--sets', '5', '--duration', '500', '--trials', '1'],
      ...['--address', addresses.join(';'), '--yes', '--out', out, ...more],
    ]);

  assert.equal((await bench()).code, ExitCode.TargetFailed);
  const ca = ['--address-tls', '--address-ca', certificatePath('ca.pem')];
  assert.equal((await bench(...ca)).code, ExitCode.TargetFailed);
  const shown = ['--address-cert', certificatePath('broker.pem')];
  const key = ['--address-key', certificatePath('broker.key')];
  const { code, stdout } = await bench(...ca, ...shown, ...key);
  assert.equal(code, ExitCode.Ok, stdout);
  const file = join(out, 'latest', 'results.json');
  const { trials } = parseResults(file, JSON.parse(readFileSync(file, 'utf8')));
  assert.deepEqual(
    trials.map(({ status, workload }) => [workload, status]),
    [['isr-churn', 'valid']],
  );
});
