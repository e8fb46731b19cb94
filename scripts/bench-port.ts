/**
 * Prints what one request costs a server's process over loopback, in microseconds of processor time:
 * `node dist/scripts/bench-port.js [plain|tls] [rounds]`.
 *
 * Processor time of the server alone, not requests a second: it says the same on a busy machine,
 * nearly. To compare two states of the code, run both by turns, and believe the medians.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from '../src/client/connection.js';
import { silent } from '../src/lib/logger.js';
import { projectRoot } from '../src/lib/project-root.js';
import { listen, type TcpServerOptions } from '../src/net/tcp-server.js';

const [how = 'plain', roundsText = '5'] = process.argv.slice(2);
const REQUESTS = 60_000;
const WARM_UP = 20_000;
const OUTSTANDING = 64;

if (how === 'serve') await serve(process.argv[3] === 'tls');
else await measure();

async function serve(isTls: boolean): Promise<void> {
  const options: TcpServerOptions = { host: '127.0.0.1', port: 0, logger: silent };
  const pem = (name: string) => readFileSync(join(projectRoot(), 'src/net/testdata/tls', name));
  const tls = isTls && {
    mode: 'enforcing' as const,
    clientAuth: 'none' as const,
    trust: null,
    cert: pem('member.pem'),
    key: pem('member.key'),
  };
  const reply = { code: 0, extFields: '{}', remark: 'Heart beat success', body: null };
  const server = await listen(tls ? { ...options, tls } : options, {
    onCommand: (connection, { opaque }) => connection.respond({ ...reply, opaque }),
  });
  process.on('message', () => process.send?.(process.cpuUsage()));
  process.on('disconnect', () => process.exit());
  process.send?.(server.port);
}

async function measure(): Promise<void> {
  const costsUs: number[] = [];
  for (let round = 0; round < Number(roundsText); round += 1) costsUs.push(await roundUs());
  costsUs.sort((a, b) => a - b);
  const shown = costsUs.map((us) => us.toFixed(2)).join(' ');
  console.log(`${how}: median ${costsUs[costsUs.length >> 1]?.toFixed(2)} us (${shown})`);
}

async function roundUs(): Promise<number> {
  const server = fork(fileURLToPath(import.meta.url), ['serve', how]);
  const [port] = (await once(server, 'message')) as [number];
  const runtime = how === 'tls' ? await tlsRuntime() : undefined;
  const connection = connect(`127.0.0.1:${port}`, {
    ...{ windowMax: OUTSTANDING, connectTimeoutMs: 10_000, requestTimeoutMs: 60_000 },
    closeOnTimeout: true,
    ...(runtime !== undefined && { runtime }),
  });
  await drive(connection, WARM_UP);
  const beforeUs = await cpuUs(server);
  await drive(connection, REQUESTS);
  const us = (await cpuUs(server)) - beforeUs;
  connection.close();
  server.disconnect();
  await once(server, 'exit');
  return us / REQUESTS;
}

async function tlsRuntime() {
  const client = await import('../src/client/connection.js');
  return client.tlsRuntime({ credentials: null, trust: null, verifyServer: false });
}

async function cpuUs(server: ChildProcess): Promise<number> {
  server.send('usage');
  const [{ system, user }] = (await once(server, 'message')) as [NodeJS.CpuUsage];
  return system + user;
}

/** Keeps so many outstanding until `requests` were answered. */
function drive(connection: ReturnType<typeof connect>, requests: number): Promise<void> {
  const extFields = {
    ...{ clusterName: 'cluster-a', brokerName: 'broker-set-123', brokerAddr: '10.0.0.1:10911' },
    ...{ brokerId: 1, epoch: 3, maxOffset: 123_456_789, confirmOffset: 123_456_000 },
  };
  let started = 0;
  let answered = 0;
  return new Promise((resolve, reject) => {
    const next = (): void => {
      if (started === requests) return;
      started += 1;
      connection.request({ code: 904, extFields }, (failure) => {
        if (failure !== null) reject(new Error(failure));
        answered += 1;
        if (answered === requests) resolve();
        else next();
      });
    };
    for (let i = 0; i < OUTSTANDING; i += 1) next();
  });
}
