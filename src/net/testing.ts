/** Servers over real loopback sockets and raw peers to talk to them, for tests. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { silent } from '../lib/logger.js';
import { projectRoot } from '../lib/project-root.js';
import { decodeCommand, encodeRequest } from '../remoting/codec.js';
import type { RemotingCommand } from '../remoting/command.js';
import { FrameDecoder } from '../remoting/frame-decoder.js';
import { type Body, clientIdentity } from '../remoting/frame-writer.js';
import type { ServerConnection } from './server-connection.js';
import { listen, type TcpServer, type TcpServerOptions } from './tcp-server.js';
import type { ClientTls, Credentials, ServerTls } from './tls.js';

export interface Arrived {
  readonly connection: ServerConnection;
  readonly command: RemotingCommand;
}

export const ok = { code: 0, extFields: null, remark: null, body: null } as const;

export function answer({ connection, command }: Arrived): void {
  connection.respond({ ...ok, opaque: command.opaque });
}

export function request(opaque: number, body: Body = null): Buffer {
  return encodeRequest({ code: 1005, opaque, flag: 0, extFields: null, body }, clientIdentity);
}

export interface Served {
  readonly server: TcpServer;
  readonly connections: readonly ServerConnection[];
  /** Reasons, in order. */
  readonly closed: readonly string[];
  /** Reasons that were logged as refusals. */
  readonly refused: readonly string[];
}

export async function serve(
  t: TestContext,
  onArrived: (arrived: Arrived) => void,
  options: Partial<TcpServerOptions> = {},
): Promise<Served> {
  const connections: ServerConnection[] = [];
  const closed: string[] = [];
  const refused: string[] = [];
  const warn = (fields: { readonly reason?: string }): void => {
    if (fields.reason !== undefined) refused.push(fields.reason);
  };
  const server = await listen(
    { host: '127.0.0.1', port: 0, logger: { ...silent, warn }, ...options },
    {
      onConnection: (connection) => connections.push(connection),
      onCommand: (connection, command) => onArrived({ connection, command }),
      onClose: (_connection, reason) => closed.push(reason),
    },
  );
  t.after(() => server.close());
  return { server, connections, closed, refused };
}

export interface RawPeer {
  readonly socket: Socket;
  /** The next `count` commands. */
  take(count: number): Promise<readonly RemotingCommand[]>;
  /** Waits for the end of the connection: the commands until then. */
  ended(): Promise<readonly RemotingCommand[]>;
}

export async function open(
  t: TestContext,
  server: TcpServer,
  options: {
    readonly reads?: boolean;
    readonly tls?: ClientTls;
    /** Sent first, and never encrypted. */
    readonly before?: Buffer;
    /** The address to come from; all of 127.0.0.0/8 are ours. */
    readonly from?: string;
  } = {},
): Promise<RawPeer> {
  const { before, from, reads = true, tls } = options;
  const raw = connect({
    ...{ host: '127.0.0.1', port: server.port, allowHalfOpen: true },
    ...(from !== undefined && { localAddress: from }),
  });
  if (before !== undefined) raw.write(before);
  const socket =
    tls === undefined
      ? raw
      : connectTls({
          socket: raw,
          host: '127.0.0.1',
          ...tls.credentials,
          ...(tls.trust !== null && { ca: tls.trust }),
          rejectUnauthorized: tls.verifyServer,
        });
  t.after(() => socket.destroy());
  socket.on('error', () => {}); // A reset by the server is an end like any other here.
  await once(socket, tls === undefined ? 'connect' : 'secureConnect');
  const decoder = new FrameDecoder();
  const arrived: RemotingCommand[] = [];
  if (!reads) socket.pause();
  socket.on('data', (chunk: Buffer) => {
    decoder.push(chunk, (bytes, start, end) => arrived.push(decodeCommand(bytes, start, end)));
  });
  return {
    socket,
    async take(count) {
      socket.resume();
      while (arrived.length < count) await once(socket, 'data');
      return arrived.splice(0, count);
    },
    async ended() {
      if (!socket.readableEnded && !socket.closed) {
        await Promise.race([once(socket, 'end'), once(socket, 'close')]);
      }
      socket.destroy();
      return arrived;
    },
  };
}

/** A process of its own that opens so many connections, says nothing, and keeps what it is left. */
export async function openSilent(t: TestContext, port: number, count: number): Promise<void> {
  const child = spawn(process.execPath, ['-e', SILENT_PEERS, `${port}`, `${count}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value, `${count} opened`);
}

/** A few at a time. */
const SILENT_PEERS = `
  const [port, count] = process.argv.slice(1).map(Number);
  let started = 0, opened = 0;
  const next = () => {
    if (started === count) return;
    started += 1;
    const socket = require('node:net').connect(port, '127.0.0.1', () => {
      opened += 1;
      if (opened === count) console.log(count + ' opened');
      else next();
    });
    socket.on('error', (error) => { console.error(error.message); process.exit(1); });
  };
  for (let i = 0; i < 64; i += 1) next();
`;

export const certificatePath = (name: string): string =>
  join(projectRoot(), 'src/net/testdata/tls', name);
const pem = (name: string): Buffer => readFileSync(certificatePath(name));

/** `member`, `broker`: signed by `ca`; `stranger`: by another. */
export const credentials = (name: 'member' | 'broker' | 'stranger'): Credentials => ({
  cert: pem(`${name}.pem`),
  key: pem(`${name}.key`),
});
export const trust = pem('ca.pem');

export const serverTls = (options: Partial<ServerTls> = {}): ServerTls => ({
  mode: 'permissive',
  clientAuth: 'none',
  trust: null,
  ...credentials('member'),
  ...options,
});
export const clientTls = (options: Partial<ClientTls> = {}): ClientTls => ({
  credentials: null,
  trust,
  verifyServer: true,
  ...options,
});
