/** TLS on the port: which first bytes are served in which mode, and whose certificates count. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { silent } from '../lib/logger.js';
import type { ServerConnection } from './server-connection.js';
import { type LinkState, TcpLink } from './tcp-link.js';
import type { TcpServer } from './tcp-server.js';
import {
  answer,
  clientTls,
  credentials,
  open,
  type RawPeer,
  request,
  serve,
  serverTls,
  trust,
} from './testing.js';
import { type ClientTls, dialTls, type ServerTls } from './tls.js';

const limits = { timeout: 60_000 };
const plain = undefined;
const asked = { trust, clientAuth: 'require' } as const;
const shows = (name: 'member' | 'broker' | 'stranger'): ClientTls =>
  clientTls({ credentials: credentials(name) });

const rows: readonly {
  readonly rule: string;
  readonly server: ServerTls | null;
  readonly client: ClientTls | undefined;
  /** 'answered', or the reason of the refusal. */
  readonly becomes: string;
}[] = [
  {
    rule: 'permissive serves plain connections',
    server: serverTls(),
    client: plain,
    becomes: 'answered',
  },
  { rule: 'permissive serves TLS', server: serverTls(), client: clientTls(), becomes: 'answered' },
  {
    rule: 'enforcing serves TLS',
    server: serverTls({ mode: 'enforcing' }),
    client: clientTls(),
    becomes: 'answered',
  },
  {
    rule: 'enforcing refuses plain connections',
    server: serverTls({ mode: 'enforcing' }),
    client: plain,
    becomes: 'not TLS, which is required here',
  },
  {
    rule: 'a certificate of the trusted authority is taken',
    server: serverTls(asked),
    client: shows('broker'),
    becomes: 'answered',
  },
  {
    rule: 'a certificate of somebody else is refused',
    server: serverTls(asked),
    client: shows('stranger'),
    becomes: 'a client certificate is not acceptable: UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  },
  {
    rule: 'a missing certificate is refused',
    server: serverTls(asked),
    client: clientTls(),
    becomes: 'a client certificate is required',
  },
  {
    rule: 'an optional certificate may be missing',
    server: serverTls({ trust, clientAuth: 'optional' }),
    client: clientTls(),
    becomes: 'answered',
  },
  {
    rule: 'an optional certificate that is shown must be good',
    server: serverTls({ trust, clientAuth: 'optional' }),
    client: shows('stranger'),
    becomes: 'a client certificate is not acceptable: UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  },
];
for (const { rule, server: tls, client, becomes } of rows) {
  test(rule, limits, async (t) => {
    const { server, refused } = await serve(t, answer, { tls });
    assert.equal(await outcome(t, server, refused, client), becomes);
  });
}

/** What becomes of one request. */
async function outcome(
  t: TestContext,
  server: TcpServer,
  refused: readonly string[],
  tls: ClientTls | undefined,
): Promise<string> {
  let peer: RawPeer;
  try {
    peer = await open(t, server, tls === undefined ? {} : { tls });
  } catch {
    return refusal(refused);
  }
  peer.socket.write(request(7));
  let opaque = -1;
  void peer.take(1).then(([reply]) => {
    opaque = reply?.opaque ?? -1;
  });
  while (opaque < 0 && refused.length === 0) await nextTurn();
  return opaque === 7 ? 'answered' : refused.join();
}

async function refusal(refused: readonly string[]): Promise<string> {
  while (refused.length === 0) await nextTurn();
  return refused.join();
}

test('many requests and large bodies pass through TLS unchanged', limits, async (t) => {
  const { server } = await serve(
    t,
    ({ connection, command }) =>
      connection.respond({
        code: 0,
        opaque: command.opaque,
        extFields: null,
        remark: null,
        body: command.body,
      }),
    { tls: serverTls() },
  );
  const peer = await open(t, server, { tls: clientTls() });
  const sizes = [0, 1, 70_000, 3_000_000, 17];
  for (const [i, size] of sizes.entries()) peer.socket.write(request(i, Buffer.alloc(size, i)));
  const replies = await peer.take(sizes.length);
  assert.deepEqual(
    replies.map(({ opaque, body }) => [opaque, body?.length ?? 0, body?.at(-1) ?? 0]),
    sizes.map((size, i) => [i, size, size === 0 ? 0 : i]),
  );
});

test(
  'a session that began without a certificate does not gain one by being resumed',
  limits,
  async (t) => {
    const connections: ServerConnection[] = [];
    const { server } = await serve(
      t,
      (arrived) => {
        connections.push(arrived.connection);
        answer(arrived);
      },
      { tls: serverTls({ trust, clientAuth: 'optional' }) },
    );
    const target = { host: '127.0.0.1', port: server.port, ca: trust };
    const first = connectTls(target);
    t.after(() => first.destroy());
    const ticket = once(first, 'session') as Promise<[Buffer]>;
    first.write(request(1));
    first.resume();
    const [session] = await ticket;
    const second = connectTls({ ...target, session });
    t.after(() => second.destroy());
    second.write(request(2));
    await once(second, 'data');
    assert.equal(second.isSessionReused(), true);
    assert.deepEqual(
      connections.map(({ origin }) => origin.certificate),
      [null, null],
    );
  },
);

test('a broken handshake closes its connection, with a reason', limits, async (t) => {
  const { server, refused } = await serve(t, answer, { tls: serverTls() });
  const peer = await open(t, server, { reads: false });
  peer.socket.write(Buffer.concat([Buffer.from('1603010004', 'hex'), Buffer.alloc(64, 0xff)]));
  assert.match(await refusal(refused), /^TLS handshake failed: ERR_SSL_/);
});

test('a link sends nothing before its peer has shown who it is', limits, async (t) => {
  const arrived: number[] = [];
  const { server } = await serve(t, ({ command }) => arrived.push(command.opaque), {
    tls: serverTls(),
  });
  const cases = [
    { trust: null, opens: false, opaque: 1 },
    { trust, opens: true, opaque: 2 },
  ];
  for (const { opaque, opens, ...client } of cases) {
    const states: LinkState[] = [];
    const link = new TcpLink({
      host: '127.0.0.1',
      port: server.port,
      logger: silent,
      reconnectMinMs: 1_000,
      dial: (target) => dialTls(target, clientTls(client)),
      onState: (state) => states.push(state),
    });
    // Again and again, so that some are handed over between the connection and the proof.
    while (states.length < 2) {
      link.send((writer) =>
        writer.request({ code: 904, opaque, flag: 2, extFields: null, body: null }),
      );
      await nextTurn();
    }
    assert.equal(states.at(-1), opens ? 'open' : 'waiting');
    await link.close();
  }
  while (arrived.length === 0) await nextTurn();
  assert.deepEqual(new Set(arrived), new Set([2]));
});
