/**
 * A real group of which one member has more silent connections than it has room for: it serves, and a
 * member that comes back gets in. All come from one address here, the members' own.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFilesMax } from '../lib/open-files.js';
import { parseAddress } from '../net/address.js';
import { openSilent } from '../net/testing.js';
import { defaults } from '../server/config.js';
import { formatProperties } from '../server/properties.js';
import { freeBasePort } from '../target/free-ports.js';
import { startCluster } from '../target/ours.js';
import { CLI } from './testing/run-cli.js';
import { untilWritten } from './testing/until-written.js';

/** Of each process beside its ends of the silent connections: members keep `MEMBER_ROOM` more. */
const FILES_BESIDE = 500;
/** Silent connections that take the room of members that have ended. */
const MORE_THAN_WAS_LEFT = 50;
const filesMax = openFilesMax() ?? 0;

const cases: readonly {
  readonly what: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly silent: number;
}[] = [
  { what: '300, of 200 that it may have', properties: { connectionsMax: '200' }, silent: 300 },
  {
    what: '10,000 and more, by default settings',
    properties: {},
    silent: defaults.connectionsMax + 200,
  },
];

for (const { what, properties, silent } of cases) {
  const needed = silent + FILES_BESIDE;
  test(`silent connections to one member: ${what}`, {
    skip: filesMax < needed && `needs ${needed} open files, has ${filesMax} (ulimit -n)`,
    timeout: 300_000,
  }, async (t) => {
    const group = await startCluster({ build: 'optimized', durability: 'background', properties });
    t.after(() => group.close());
    const flooded = await group.leader();
    const [back, gone] = group.members().filter(({ id }) => id !== flooded.id);
    assert(back !== undefined && gone !== undefined);
    await untilWritten([flooded.address], 'before');

    const port = parseAddress(flooded.address)?.port ?? 0;
    await openSilent(t, port, silent);
    await untilWritten([flooded.address], 'in the flood');
    for (const { id } of [back, gone]) await group.kill(id, 'SIGKILL');
    await openSilent(t, port, MORE_THAN_WAS_LEFT);
    await group.restart(back.id);
    // The two that are left must hear each other.
    await untilWritten([flooded.address, back.address], 'by a member that came back');
  });
}

test('silent connections to a controller that may open fewer files than connections', {
  timeout: 120_000,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'quorumark-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const port = await freeBasePort([0]);
  const config = join(directory, 'controller.properties');
  const address = `127.0.0.1:${port}`;
  writeFileSync(
    config,
    formatProperties({
      controllerDLegerSelfId: 'n0',
      controllerDLegerPeers: `n0-${address}`,
      controllerStorePath: join(directory, 'store'),
      httpPort: '0',
    }),
  );
  const start = 'ulimit -n 700 && exec "$@"';
  const command = [process.execPath, CLI, 'controller', '--config', config, '--log-level', 'error'];
  const controller = spawn('sh', ['-c', start, 'sh', ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(controller, 'exit');
  t.after(async () => {
    controller.kill();
    await exited;
  });
  await once(controller.stdout, 'data');
  await untilWritten([address], 'before');
  await openSilent(t, port, 1_000);
  await untilWritten([address], 'in the flood');
});
