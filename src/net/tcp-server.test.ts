/** A server over real loopback sockets: whose fault costs what, and each bound's answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Prng } from '../lib/prng.js';
import { FrameError } from '../remoting/errors.js';
import { ListenError } from './tcp-server.js';
import { type Arrived, answer, ok, open, type RawPeer, request, serve } from './testing.js';
import { TURN_MS_MAX } from './turn.js';

const MiB = 1024 * 1024;

test('requests in any chunks are answered with their opaque, binary bodies included', async (t) => {
  const { server } = await serve(t, ({ connection, command }) =>
    connection.respond({ ...ok, opaque: command.opaque, body: command.body }),
  );
  const peer = await open(t, server);
  const sent = Array.from({ length: 20 }, (_, i) => request(i, Buffer.alloc(i * 50, i)));
  const bytes = Buffer.concat(sent);
  const replies = peer.take(sent.length);
  for (let at = 0; at < bytes.length; at += 333) {
    peer.socket.write(bytes.subarray(at, at + 333));
    await nextTurn();
  }
  assert.deepEqual(
    (await replies).map(({ opaque, flag, body }) => [opaque, flag, body?.length ?? 0]),
    sent.map((_, i) => [i, 1, i * 50]),
  );
});

test('random bytes close their own connection, with a reason, and no other', async (t) => {
  const { server, closed } = await serve(t, answer);
  const good = await open(t, server);
  const random = new Prng(7);
  for (let i = 0; i < 20; i += 1) {
    const bad = await open(t, server);
    // The first byte makes the length wrong for certain: negative, or over 16 MiB.
    const noise = Buffer.from(Array.from({ length: 64 }, () => random.between(0x17, 255)));
    bad.socket.write(noise);
    assert.deepEqual(await bad.ended(), [], 'no reply to noise');
  }
  assert.equal(closed.length, 20);
  for (const reason of closed) assert.match(reason, /^(frame (over|shorter)|PROXY header)/);
  good.socket.write(request(5));
  assert.equal((await good.take(1))[0]?.opaque, 5);
});

const faults: readonly {
  readonly name: string;
  readonly bytes: Buffer;
  readonly reason: RegExp;
}[] = [
  {
    name: 'a TLS hello',
    bytes: Buffer.from('1603010200', 'hex'),
    reason: /^TLS is not spoken here$/,
  },
  {
    name: 'a frame over the limit',
    bytes: request(1, Buffer.alloc(2_000)),
    reason: /^frame over the size limit: \d+ bytes, at most 1000$/,
  },
  {
    name: 'a header that is not JSON',
    bytes: Buffer.from('00000006000000027b7b', 'hex'),
    reason: /^JSON header is not acceptable: expected a quoted or integer key at offset 1$/,
  },
];
for (const { name, bytes, reason } of faults) {
  test(`${name} closes the connection: ${reason.source}`, async (t) => {
    const { server, refused } = await serve(t, answer, { frameBytesMax: 1_000 });
    const peer = await open(t, server);
    peer.socket.write(Buffer.concat([bytes, Buffer.alloc(100)]));
    assert.deepEqual(await peer.ended(), []);
    assert.match(refused.join(), reason);
  });
}

test('a FrameError from the handler closes the connection, what came before it is answered', async (t) => {
  const { server, closed } = await serve(t, (arrived) => {
    if (arrived.command.opaque === 2) throw new FrameError('MEMBER_FRAME', 'made up');
    answer(arrived);
    arrived.connection.close('enough');
  });
  const peer = await open(t, server);
  peer.socket.write(request(1));
  assert.equal((await peer.take(1))[0]?.opaque, 1);
  const other = await open(t, server);
  other.socket.write(request(2));
  await other.ended();
  assert.deepEqual(closed, ['enough', 'not a frame of this controller group: made up']);
});

test('a closed connection delivers nothing more of its chunk', async (t) => {
  const seen: number[] = [];
  const { server } = await serve(t, ({ connection, command }) => {
    seen.push(command.opaque);
    connection.close('after the first');
  });
  const peer = await open(t, server);
  peer.socket.write(Buffer.concat([request(1), request(2)]));
  await peer.ended();
  assert.deepEqual(seen, [1]);
});

test('a peer that does not take its responses is not read until it has', async (t) => {
  const outboundAtDelivery: number[] = [];
  const { server, connections } = await serve(t, ({ connection, command }) => {
    outboundAtDelivery.push(connection.outboundBytes);
    const body = command.opaque === 1 ? Buffer.alloc(15 * MiB) : null;
    connection.respond({ ...ok, opaque: command.opaque, body });
    if (body !== null) connection.respond({ ...ok, opaque: command.opaque, body });
  });
  const slow = await open(t, server, { reads: false });
  const barrier = await open(t, server);
  slow.socket.write(request(1));
  await roundTrips(barrier);
  assert.equal(connections[0]?.isReading, false);
  slow.socket.write(request(2));
  await roundTrips(barrier);
  const deliveredToBarrier = 2 * BARRIER_ROUND_TRIPS;
  assert.equal(outboundAtDelivery.length, 1 + deliveredToBarrier, 'request 2 waits unread');
  const replies = slow.take(3);
  assert.deepEqual(
    (await replies).map(({ opaque }) => opaque),
    [1, 1, 2],
  );
  assert.ok((outboundAtDelivery.at(-1) ?? MiB) < MiB, 'read again only once it had drained');
  assert.equal(connections[0]?.isReading, true);
});

test('a turn that has read for long leaves other clients for the next, and members are read in it', async (t) => {
  const order: string[] = [];
  let isTold = false;
  const { server } = await serve(t, ({ command, connection }) => {
    if (!isTold) {
      // The first request of a member admits its connection.
      if (command.opaque === 3) connection.admittedAsMember = 1;
      answer({ command, connection });
      return;
    }
    order.push(String(command.opaque));
    for (const began = performance.now(); performance.now() - began <= TURN_MS_MAX; );
    answer({ command, connection });
  });
  const peers = [];
  for (const opaque of [1, 2, 3]) {
    const peer = await open(t, server);
    peer.socket.write(request(opaque));
    await peer.take(1);
    peers.push(peer);
  }
  isTold = true;
  // All is there before the server looks, the member's last; each client cuts a frame in two.
  for (const [at, peer] of peers.entries()) {
    peer.socket.write(Buffer.concat([request(at + 1), request(at + 11).subarray(0, 30)]));
  }
  for (const peer of peers) await peer.take(1);
  assert.equal(order.length, 3);
  assert.ok(order.indexOf('3') < 2, `read in the order ${order.join(', ')}`);
  for (const [at, peer] of peers.entries()) peer.socket.write(request(at + 11).subarray(30));
  const answers = await Promise.all(peers.map((peer) => peer.take(1)));
  assert.deepEqual(
    answers.map(([reply]) => reply?.opaque),
    [11, 12, 13],
  );
});

test('a peer that asks for more than the outbound maximum without reading is closed', async (t) => {
  const { server, closed } = await serve(
    t,
    ({ connection, command }) => {
      const body = Buffer.alloc(MiB);
      for (let i = 0; i < 40; i += 1) connection.respond({ ...ok, opaque: command.opaque, body });
    },
    { outboundHighWaterBytes: MiB, outboundBytesMax: 10 * MiB },
  );
  const slow = await open(t, server, { reads: false });
  slow.socket.write(request(1));
  await closedEvents(closed, 1);
  assert.match(closed[0] ?? '', /bytes wait for a peer that does not read$/);
});

test('one connection over the bound is dropped, and there is room again when one closes', async (t) => {
  const { server } = await serve(t, answer, { connectionsMax: 2 });
  const first = await open(t, server);
  const second = await open(t, server);
  for (const peer of [first, second]) {
    peer.socket.write(request(1));
    await peer.take(1);
  }
  const third = await open(t, server);
  assert.deepEqual(await third.ended(), []);
  assert.equal(server.connectionsRefused, 1);
  first.socket.destroy();
  while (server.connections > 1) await nextTurn();
  const fourth = await open(t, server);
  fourth.socket.write(request(4));
  assert.equal((await fourth.take(1))[0]?.opaque, 4);
});

test('a silent connection is closed as idle, a busy one is not', async (t) => {
  const { server, closed } = await serve(t, answer, { idleCloseMs: 80 });
  const busy = await open(t, server);
  const silence = await open(t, server);
  silence.socket.write(request(1));
  await silence.take(1);
  let silenceEnded = false;
  const ended = silence.ended().then(() => {
    silenceEnded = true;
  });
  while (!silenceEnded) {
    busy.socket.write(request(1));
    await busy.take(1);
  }
  await ended;
  assert.deepEqual(closed, ['idle']);
});

test('the end of a connection is told once, and a late response to it is dropped', async (t) => {
  const waiting: Arrived[] = [];
  const { server, closed } = await serve(t, (arrived) => waiting.push(arrived));
  const peer = await open(t, server);
  peer.socket.write(request(1));
  while (waiting.length === 0) await nextTurn();
  peer.socket.end();
  assert.deepEqual(await peer.ended(), []);
  await closedEvents(closed, 1);
  waiting.forEach(answer);
  assert.equal(waiting[0]?.connection.isClosed, true);
  assert.equal(waiting[0]?.connection.outboundBytes, 0);
  assert.equal(waiting[0]?.connection.writer, null);
  await nextTurn();
  assert.deepEqual(closed, ['closed by peer']);
});

test('a response too large for a frame is answered with code 1 instead', async (t) => {
  const { server } = await serve(t, ({ connection, command }) =>
    connection.respond({ ...ok, opaque: command.opaque, body: Buffer.alloc(16 * MiB) }),
  );
  const peer = await open(t, server);
  peer.socket.write(request(9));
  const [reply] = await peer.take(1);
  assert.equal(reply?.code, 1);
  assert.equal(reply?.opaque, 9);
  assert.match(reply?.remark ?? '', /^frame over the size limit/);
});

test('closing the server sends what is gathered and ends every connection', async (t) => {
  let closing: Promise<void> | null = null;
  const { server } = await serve(t, (arrived) => {
    answer(arrived);
    closing = server.close();
  });
  const idle = await open(t, server);
  const peer = await open(t, server);
  const idleEnd = idle.ended();
  peer.socket.write(request(3));
  assert.equal((await peer.take(1))[0]?.opaque, 3);
  await closing;
  assert.deepEqual(await idleEnd, []);
  assert.equal(server.connections, 0);
});

test('a port in use is named', async (t) => {
  const { server } = await serve(t, answer);
  await assert.rejects(
    serve(t, answer, { port: server.port }),
    (error) =>
      error instanceof ListenError &&
      error.code === 'PORT_IN_USE' &&
      error.message === `cannot listen on 127.0.0.1:${server.port}: EADDRINUSE`,
  );
});

test('an address of another machine is named', async (t) => {
  await assert.rejects(serve(t, answer, { host: '192.0.2.1' }), { code: 'ADDRESS_NOT_LOCAL' });
});

const BARRIER_ROUND_TRIPS = 10;

/** Several turns of the server's event loop, seen from outside. */
async function roundTrips(peer: RawPeer): Promise<void> {
  for (let i = 0; i < BARRIER_ROUND_TRIPS; i += 1) {
    peer.socket.write(request(100 + i));
    await peer.take(1);
  }
}

async function closedEvents(closed: readonly string[], count: number): Promise<void> {
  while (closed.length < count) await nextTurn();
}
