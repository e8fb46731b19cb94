/** Links and transports between real ports; the network in memory. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { logIndex, term } from '../lib/brand.js';
import { silent } from '../lib/logger.js';
import type { Message } from '../raft/types.js';
import type { RemotingCommand } from '../remoting/command.js';
import { LoopbackNetwork } from './loopback.js';
import type { SendPush } from './member-codec.js';
import { type LinkState, TcpLink } from './tcp-link.js';
import { listen, type TcpServer } from './tcp-server.js';
import { tcpTransport } from './transport.js';

const host = '127.0.0.1';

test('a link delivers in order, counts what it drops, and comes back with its peer', async (t) => {
  const first = await collect(t);
  const states = stateWatch();
  const link = new TcpLink({
    host,
    port: first.server.port,
    logger: silent,
    reconnectMinMs: 1,
    onState: (state) => {
      if (state === 'waiting') assert.equal(send(link, 3), false);
      states.enter(state);
    },
  });
  t.after(() => link.close());
  assert.ok(send(link, 1), 'taken while connecting');
  await states.reached('open');
  assert.ok(send(link, 2));
  assert.deepEqual(await first.opaques(2), [1, 2]);

  await first.server.close();
  await states.reached('waiting');
  assert.ok(link.framesDropped >= 1);

  const second = await collect(t, first.server.port);
  await states.reached('open');
  assert.ok(send(link, 4));
  assert.deepEqual(await second.opaques(1), [4]);
  await link.close();
  assert.equal(link.state, 'closed');
  assert.equal(send(link, 5), false);
});

test('a link to a peer that does not read is bounded', async (t) => {
  const deaf = createServer((socket) => socket.pause()).listen(0, host);
  await once(deaf, 'listening');
  t.after(() => deaf.close());
  const address = deaf.address();
  assert(typeof address === 'object' && address !== null);
  const states = stateWatch();
  const outboundBytesMax = 1024 * 1024;
  const link = new TcpLink({
    host,
    port: address.port,
    logger: silent,
    outboundBytesMax,
    onState: states.enter,
  });
  await states.reached('open');
  const body = Buffer.alloc(64 * 1024);
  while (send(link, 1, body)) await nextTurn();
  assert.ok(link.outboundBytes <= outboundBytesMax + body.length + 200, `${link.outboundBytes}`);
  assert.equal(link.framesDropped, 1);
  await link.close();
});

test('members exchange messages through their ports', async (t) => {
  const a = await collect(t);
  const b = await collect(t);
  const peers = [
    { id: 'n0', host, port: a.server.port },
    { id: 'n1', host, port: b.server.port },
  ];
  const n0 = tcpTransport({ self: 'n0', group: 'g', peers, logger: silent });
  const n1 = tcpTransport({ self: 'n1', group: 'g', peers, logger: silent });
  n0.send(heartbeat);
  n0.sendPush(push, [entry]);
  n1.send({ ...heartbeat, from: 'n1', to: 'n0' });
  n1.send({ ...heartbeat, from: 'n1', to: 'n7' });
  assert.deepEqual(
    (await b.take(2)).map((command) => n1.receive(command, here)),
    [heartbeat, pushed],
  );
  assert.deepEqual(
    (await a.take(1)).map((command) => n0.receive(command, here)),
    [{ ...heartbeat, from: 'n1', to: 'n0' }],
  );
  assert.deepEqual([n0.peersConnected, n0.messagesDropped], [1, 0]);
  await Promise.all([n0.close(), n1.close()]);
});

test('the network in memory delivers in order, when told, and is bounded', async () => {
  const network = new LoopbackNetwork(3);
  const seen: string[] = [];
  const n0 = network.join('n0', (message) => seen.push(`n0 ${message.kind}`));
  const n1 = network.join('n1', (message) => {
    seen.push(`n1 ${message.kind}`);
    if (message.kind === 'heartbeat') n1.send({ ...heartbeat, from: 'n1', to: 'n0' });
  });
  n0.send(heartbeat);
  n0.sendPush(push, [entry]);
  n0.send({ ...heartbeat, to: 'n9' });
  n0.send(heartbeat);
  assert.deepEqual([network.queued, network.dropped, seen.length], [3, 1, 0]);
  assert.ok(network.deliverNext());
  assert.deepEqual(seen, ['n1 heartbeat']);
  assert.equal(network.deliver(), 3);
  assert.deepEqual(seen, ['n1 heartbeat', 'n1 push', 'n0 heartbeat']);
  assert.equal(network.dropped, 2);
  await n1.close();
  n0.send(heartbeat);
  assert.equal(network.deliver(), 1);
  assert.equal(network.dropped, 3);
});

const heartbeat: Message = {
  kind: 'heartbeat',
  from: 'n0',
  to: 'n1',
  term: term(2),
  commitIndex: logIndex(7),
  round: 9,
};
const entry = {
  term: term(2),
  index: logIndex(8),
  kind: 'data' as const,
  body: Buffer.from('event'),
};
const fields = {
  to: 'n1',
  term: term(2),
  prevIndex: logIndex(7),
  prevTerm: term(1),
  commitIndex: logIndex(7),
};
const push: SendPush = { ...fields, kind: 'send-push', first: entry.index, last: entry.index };
const pushed: Message = { ...fields, kind: 'push', from: 'n0', entries: [entry] };

/** A connection from an address of the group. */
const here = { admittedAsMember: 0, origin: { host, port: 1, proxied: null, certificate: null } };

function send(link: TcpLink, opaque: number, body: Buffer | null = null): boolean {
  return link.send((writer) => {
    writer.request({ code: 904, opaque, flag: 2, extFields: null, body });
  });
}

interface Collector {
  readonly server: TcpServer;
  take(count: number): Promise<readonly RemotingCommand[]>;
  opaques(count: number): Promise<readonly number[]>;
}

/** A server that keeps what it is sent. */
async function collect(t: TestContext, port = 0): Promise<Collector> {
  const arrived: RemotingCommand[] = [];
  let wake = (): void => {};
  const server = await listen(
    { host, port, logger: silent },
    {
      onCommand(_connection, command) {
        arrived.push(command);
        wake();
      },
    },
  );
  t.after(() => server.close());
  const take = async (count: number): Promise<readonly RemotingCommand[]> => {
    while (arrived.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return arrived.splice(0, count);
  };
  return {
    server,
    take,
    opaques: async (count) => (await take(count)).map(({ opaque }) => opaque),
  };
}

/** Awaits the next entry into a state; one entry satisfies one wait. */
function stateWatch() {
  const entered: LinkState[] = [];
  let wake = (): void => {};
  return {
    enter(state: LinkState): void {
      entered.push(state);
      wake();
    },
    async reached(state: LinkState): Promise<void> {
      while (!entered.includes(state)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      entered.splice(0, entered.indexOf(state) + 1);
    },
  };
}
