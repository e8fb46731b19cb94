/** What a caller is promised: one outcome per request, never early, and the right one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RequestCode } from '../lib/codes.js';
import { silent } from '../lib/logger.js';
import type { ServerConnection } from '../net/server-connection.js';
import { listen } from '../net/tcp-server.js';
import type { RemotingCommand } from '../remoting/command.js';
import { call, connect, type RemotingConnection } from './connection.js';
import { ClientError } from './errors.js';
import type { Expirable } from './sweep.js';
import type { ConnectionOptions, Request } from './types.js';

test('replies are matched by opaque, in whatever order they come', async (t) => {
  const held: Arrived[] = [];
  const address = await serve(t, (arrived) => {
    held.push(arrived);
    if (held.length < 3) return;
    for (const { connection, command } of held.reverse()) {
      const { n = null } = command.extFields ?? {};
      connection.respond({ ...ok, opaque: command.opaque, body: n });
    }
  });
  const connection = open(t, address);
  const replies = await Promise.all([1, 2, 3].map((n) => call(connection, numbered(n))));
  assert.deepEqual(
    replies.map(({ body }) => body?.toString()),
    ['1', '2', '3'],
  );
  assert.equal(connection.inFlight, 0);
});

test('requests made while connecting are sent once it is open', async (t) => {
  const address = await serve(t, reply);
  const events: string[] = [];
  const connection = open(t, address, { onOpen: () => events.push('open') });
  assert.equal(connection.state, 'connecting');
  assert.equal(connection.oneway(numbered(0)), false);
  await Promise.all([call(connection, numbered(1)), call(connection, numbered(2))]);
  assert.equal(connection.state, 'open');
  assert.deepEqual(events, ['open']);
});

test('one request over the window is shed, after request returned', async (t) => {
  const address = await serve(t, () => {});
  const connection = open(t, address, { windowMax: 2 });
  const outcomes: string[] = [];
  for (const n of [1, 2, 3]) {
    connection.request(numbered(n), (failure) => outcomes.push(`${n} ${failure}`));
  }
  assert.deepEqual(outcomes, []);
  await nextTurn();
  assert.deepEqual(outcomes, ['3 SHED']);
  assert.equal(connection.inFlight, 2);
});

test('a late answer costs the connection and what else was in flight, each once', async (t) => {
  const address = await serve(t, () => {});
  const outcomes: string[] = [];
  const connection = open(t, address, {
    requestTimeoutMs: 30,
    onClose: (reason) => outcomes.push(`closed: ${reason}`),
  });
  connection.request(numbered(1), (failure) => {
    outcomes.push(`1 ${failure}`);
    // Younger than the timeout, so only the connection can end it.
    connection.request(numbered(2), (second) => outcomes.push(`2 ${second}`));
  });
  while (connection.state !== 'closed') await nextTurn();
  assert.deepEqual(outcomes, ['1 TIMEOUT', '2 CONNECTION_LOST', 'closed: a request timed out']);
  await nextTurn();
  assert.equal(outcomes.length, 3);
});

test('without closeOnTimeout the connection stays, and the late reply is counted', async (t) => {
  const held: Arrived[] = [];
  const address = await serve(t, (arrived) => {
    const { n } = arrived.command.extFields ?? {};
    if (n === '1') held.push(arrived);
    else reply(arrived);
  });
  const connection = open(t, address, { requestTimeoutMs: 30, closeOnTimeout: false });
  await assert.rejects(call(connection, numbered(1)), { name: 'ClientError', code: 'TIMEOUT' });
  assert.equal(connection.state, 'open');
  for (const late of held) reply(late);
  await call(connection, numbered(2));
  assert.equal(connection.unmatchedReplies, 1);
});

test('a connection with nothing in flight is not swept, and the next request is given up in time', async (t) => {
  const held: Arrived[] = [];
  const address = await serve(t, (arrived) => held.push(arrived));
  const watched = new Set<Expirable>();
  let nowMs = 0;
  const connection = open(t, address, {
    requestTimeoutMs: 100,
    runtime: {
      dial: ({ host, port }) => createConnection({ host, port }),
      nowMs: () => nowMs,
      watch: (expirable) => watched.add(expirable),
      unwatch: (expirable) => watched.delete(expirable),
    },
  });
  const sweep = (): void => {
    for (const expirable of watched) expirable.expire(nowMs);
  };
  const first = call(connection, numbered(1));
  while (held.length === 0) await nextTurn();
  sweep();
  assert.equal(watched.size, 1);
  for (const { connection: from, command } of held) {
    from.respond({ ...ok, opaque: command.opaque, body: null });
  }
  await first;
  sweep();
  assert.equal(watched.size, 0);
  const second = call(connection, numbered(2));
  nowMs = 99;
  sweep();
  assert.equal(connection.inFlight, 1);
  nowMs = 100;
  sweep();
  await assert.rejects(second, new ClientError('TIMEOUT'));
});

test('a refused connection refuses what waited for it and what comes later', async (t) => {
  const closed: string[] = [];
  const connection = open(t, await freeAddress(), { onClose: (reason) => closed.push(reason) });
  await assert.rejects(call(connection, numbered(1)), { code: 'REFUSED', definite: true });
  assert.deepEqual(closed, ['ECONNREFUSED']);
  await assert.rejects(call(connection, numbered(2)), { code: 'REFUSED' });
  assert.deepEqual(closed, ['ECONNREFUSED']);
});

test('what is not an address is refused, not thrown', async (t) => {
  const closed: string[] = [];
  const connection = open(t, 'nowhere', { onClose: (reason) => closed.push(reason) });
  await assert.rejects(call(connection, numbered(1)), { code: 'REFUSED' });
  await nextTurn();
  assert.deepEqual([connection.state, ...closed], ['closed', 'not an address: nowhere']);
});

test('a connection that takes too long is given up', async (t) => {
  const address = await serve(t, reply);
  const closed: string[] = [];
  const connection = open(t, address, { onClose: (reason) => closed.push(reason) });
  const outcome = call(connection, numbered(1));
  connection.expire(performance.now() + options.connectTimeoutMs);
  await assert.rejects(outcome, { code: 'REFUSED' });
  assert.deepEqual(closed, ['connect timed out']);
});

test('what is in flight when the peer closes is lost, which is not definite', async (t) => {
  const address = await serve(t, ({ connection }) => connection.close('test'));
  const closed: string[] = [];
  const connection = open(t, address, { onClose: (reason) => closed.push(reason) });
  await assert.rejects(
    call(connection, numbered(1)),
    (error) => error instanceof ClientError && error.code === 'CONNECTION_LOST' && !error.definite,
  );
  assert.deepEqual(closed, ['closed by peer']);
});

test('the controller may ask too, on the same connection', async (t) => {
  const address = await serve(t, (arrived) => {
    const writer = arrived.connection.writer;
    const code = RequestCode.NotifyBrokerRoleChanged;
    writer?.request({ code, opaque: 1, flag: 2, extFields: '{"masterEpoch":"2"}', body: null });
    reply(arrived);
  });
  const asked: RemotingCommand[] = [];
  const connection = open(t, address, { onRequest: (command) => asked.push(command) });
  const answer = await call(connection, numbered(1));
  assert.deepEqual([answer.opaque, answer.extFields], [1, null], 'own opaques are not disturbed');
  assert.deepEqual(
    asked.map(({ code, extFields }) => [code, extFields]),
    [[1008, { masterEpoch: '2' }]],
  );
});

test('closing sends what was handed over, and loses what has no answer', async (t) => {
  const arrived: RemotingCommand[] = [];
  const address = await serve(t, ({ command }) => arrived.push(command));
  const outcomes: string[] = [];
  const connection = open(t, address, {
    onOpen: () => {
      assert.ok(connection.oneway({ code: 904, body: 'é' }));
      connection.request(numbered(1), (failure) => outcomes.push(`1 ${failure}`));
      connection.close();
      connection.close();
    },
    onClose: (reason) => outcomes.push(reason),
  });
  while (arrived.length < 2) await nextTurn();
  assert.deepEqual(outcomes, ['1 CONNECTION_LOST', 'closed here']);
  assert.deepEqual(
    arrived.map(({ code, flag, version, body }) => [code, flag, version, body?.toString()]),
    [
      [904, 2, 493, 'é'],
      [1005, 0, 493, undefined],
    ],
  );
  assert.equal(connection.oneway(numbered(3)), false);
});

test('closing before it is open refuses what waited', async (t) => {
  const connection = open(t, await serve(t, reply));
  const outcome = call(connection, numbered(1));
  connection.close();
  await assert.rejects(outcome, { code: 'REFUSED' });
});

test('a controller that does not speak the protocol costs the connection', async (t) => {
  const address = await serveRaw(t, (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const closed: string[] = [];
  const connection = open(t, address, { onClose: (reason) => closed.push(reason) });
  await assert.rejects(call(connection, numbered(1)), { code: 'CONNECTION_LOST' });
  assert.match(closed.join(), /^frame over the size limit/);
});

test('a peer that does not read makes one-way requests fail, not pile up', async (t) => {
  const address = await serveRaw(t, (socket) => socket.pause());
  const connection = open(t, address);
  while (connection.state !== 'open') await nextTurn();
  const body = Buffer.alloc(256 * 1024);
  while (connection.oneway({ code: 904, body })) await nextTurn();
  assert.equal(connection.state, 'open');
});

interface Arrived {
  readonly connection: ServerConnection;
  readonly command: RemotingCommand;
}

const ok = { code: 0, extFields: null, remark: null, body: null } as const;
const options: ConnectionOptions = {
  windowMax: 100,
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 5_000,
  closeOnTimeout: true,
};

const numbered = (n: number): Request => ({ code: 1005, extFields: { n, absent: undefined } });

function reply({ connection, command }: Arrived): void {
  connection.respond({ ...ok, opaque: command.opaque });
}

function open(
  t: TestContext,
  address: string,
  more: Partial<ConnectionOptions> = {},
): RemotingConnection {
  const connection = connect(address, { ...options, ...more });
  t.after(() => connection.close());
  return connection;
}

async function serve(t: TestContext, onArrived: (arrived: Arrived) => void): Promise<string> {
  const server = await listen(
    { host: '127.0.0.1', port: 0, logger: silent },
    { onCommand: (connection, command) => onArrived({ connection, command }) },
  );
  t.after(() => server.close());
  return `127.0.0.1:${server.port}`;
}

async function serveRaw(t: TestContext, onSocket: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {}); // The client may reset it.
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  return `127.0.0.1:${address.port}`;
}

/** An address where nobody listens any more. */
async function freeAddress(): Promise<string> {
  const server = await listen(
    { host: '127.0.0.1', port: 0, logger: silent },
    { onCommand: () => {} },
  );
  await server.close();
  return `127.0.0.1:${server.port}`;
}
