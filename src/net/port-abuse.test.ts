/** Peers that mean harm or do not care: each costs itself, and nobody else. Time is the test's. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemberCode } from '../lib/codes.js';
import { VirtualClock } from '../lib/virtual-clock.js';
import { encodeRequest } from '../remoting/codec.js';
import { clientIdentity } from '../remoting/frame-writer.js';
import { answer, clientTls, open, type RawPeer, request, serve, serverTls } from './testing.js';

const limits = { timeout: 60_000 };
const times = { frameTimeoutMs: 800, handshakeTimeoutMs: 400, idleCloseMs: 60_000 };
/** Noticed one sweep, an eighth of the shortest time, late at most; begun one sweep before. */
const LATE_MS = 100;

async function isServed(peer: RawPeer): Promise<void> {
  peer.socket.write(request(9));
  assert.equal((await peer.take(1))[0]?.opaque, 9);
}

test(
  'a frame that does not come to its end closes its connection, and no other',
  limits,
  async (t) => {
    const clock = new VirtualClock();
    const { server, connections, refused } = await serve(t, answer, { ...times, clock });
    const good = await open(t, server);
    await isServed(good);
    const slow = await open(t, server);
    const frame = request(1, Buffer.alloc(100));
    slow.socket.write(frame.subarray(0, 20));
    while (connections.length < 2) await nextTurn();
    for (let at = 20; at < 24; at += 1) {
      clock.advance(LATE_MS);
      slow.socket.write(frame.subarray(at, at + 1));
      await isServed(good);
    }
    assert.deepEqual(refused, [], 'not yet');
    clock.advance(times.frameTimeoutMs);
    assert.deepEqual(await slow.ended(), []);
    assert.deepEqual(refused, ['frame not complete in time']);
    await isServed(good);
  },
);

test('one frame after another, each cut in two, is no slow frame', limits, async (t) => {
  const clock = new VirtualClock();
  const { server, refused } = await serve(t, answer, { ...times, clock });
  const peer = await open(t, server);
  const frame = request(1, Buffer.alloc(100));
  peer.socket.write(frame.subarray(0, 30));
  for (let i = 0; i < 20; i += 1) {
    clock.advance(times.frameTimeoutMs / 2);
    peer.socket.write(Buffer.concat([frame.subarray(30), frame.subarray(0, 30)]));
    await peer.take(1);
  }
  assert.deepEqual(refused, []);
});

const begun: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['TLS handshake', Buffer.from('160301', 'hex')],
  ['PROXY header', Buffer.from('PROXY TCP4 ')],
];
for (const [what, bytes] of begun) {
  test(`a ${what} that does not come to its end closes its connection`, limits, async (t) => {
    const clock = new VirtualClock();
    const options = { ...times, clock, tls: serverTls() };
    const { server, refused } = await serve(t, answer, options);
    const peer = await open(t, server);
    peer.socket.write(bytes);
    const good = await open(t, server, { tls: clientTls() });
    await isServed(good);
    clock.advance(times.handshakeTimeoutMs / 2);
    assert.deepEqual(refused, [], 'not yet');
    clock.advance(times.handshakeTimeoutMs / 2 + LATE_MS);
    assert.deepEqual(await peer.ended(), []);
    assert.deepEqual(refused, ['PROXY header or TLS handshake not complete in time']);
    await isServed(good);
  });
}

test(
  'connections that never say anything close, and others are served meanwhile',
  limits,
  async (t) => {
    const clock = new VirtualClock();
    const options = { ...times, firstFrameTimeoutMs: 400, connectionsMax: 60, clock };
    const { server } = await serve(t, answer, options);
    const good = await open(t, server);
    await isServed(good);
    const silent = await Promise.all(Array.from({ length: 50 }, () => open(t, server)));
    while (server.connections < 51) await nextTurn();
    await isServed(good);
    clock.advance(400 + LATE_MS);
    await Promise.all(silent.map((peer) => peer.ended()));
    while (server.connections > 1) await nextTurn();
    await isServed(good);
    await isServed(await open(t, server));
  },
);

test(
  'a claimed length costs nothing: frames over the bound close at their first bytes',
  limits,
  async (t) => {
    const { server, refused } = await serve(t, answer, { frameBytesMax: 1_000 });
    const good = await open(t, server);
    for (let i = 0; i < 20; i += 1) {
      const bad = await open(t, server);
      bad.socket.write(Buffer.from('00000400', 'hex'));
      await bad.ended();
    }
    await isServed(good);
    assert.match(refused[0] ?? '', /^frame over the size limit: 1028 bytes, at most 1000$/);
    assert.equal(refused.length, 10, 'the log is not theirs to fill');
    assert.equal(server.connectionsRefused, 20);
  },
);

test(
  'an address has as many connections as it may have, and gets room when one closes',
  limits,
  async (t) => {
    const { server, refused } = await serve(t, answer, { connectionsPerAddressMax: 2 });
    const first = await open(t, server);
    await isServed(await open(t, server));
    const third = await open(t, server);
    assert.deepEqual(await third.ended(), []);
    assert.deepEqual(refused, ['2 connections of this address are open']);
    first.socket.destroy();
    while (server.connections > 1) await nextTurn();
    await isServed(await open(t, server));
  },
);

test(
  'requests over an address’s rate are answered as busy, members’ frames are not counted',
  limits,
  async (t) => {
    const clock = new VirtualClock();
    const member: number[] = [];
    const { server } = await serve(
      t,
      (arrived) => {
        if (arrived.command.code === MemberCode.Heartbeat) member.push(arrived.command.opaque);
        else answer(arrived);
      },
      { requestsPerSecondPerAddressMax: 3, clock },
    );
    const peer = await open(t, server);
    const codes = async (count: number): Promise<readonly number[]> => {
      for (let i = 0; i < count; i += 1) peer.socket.write(request(i));
      return (await peer.take(count)).map(({ code }) => code);
    };
    assert.deepEqual(await codes(5), [0, 0, 0, 2, 2]);
    const frame = { code: MemberCode.Heartbeat, flag: 2, extFields: null, body: null };
    for (let i = 0; i < 5; i += 1) {
      peer.socket.write(encodeRequest({ ...frame, opaque: i }, clientIdentity));
    }
    while (member.length < 5) await nextTurn();
    clock.advance(1_000);
    assert.deepEqual(await codes(4), [0, 0, 0, 2]);
    assert.equal(server.requestsRefused, 3);
  },
);

const IDLE = 10_000;
/** Both ends are processes of their own, each with room for its own ends and a little more. */
const FILES_NEEDED = IDLE + 500;
const filesMax = openFilesMax();

test('10,000 idle connections do not keep a request from being answered', {
  skip: filesMax < FILES_NEEDED && `needs ${FILES_NEEDED} open files, has ${filesMax} (ulimit -n)`,
  timeout: 300_000,
}, async (t) => {
  const { server } = await serve(t, answer);
  const good = await open(t, server);
  const idle = spawn(process.execPath, ['-e', IDLE_PEERS, `${server.port}`, `${IDLE}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(async () => {
    idle.kill();
    if (idle.exitCode === null && idle.signalCode === null) await once(idle, 'close');
  });
  const [line] = (await once(createInterface(idle.stdout), 'line')) as [string];
  assert.equal(line, `${IDLE} open`);
  while (server.connections < IDLE + 1) await nextTurn();
  await isServed(good);
  await isServed(await open(t, server));
});

/** Opens so many connections, a few at a time, says so, and keeps them. */
const IDLE_PEERS = `
  const [port, count] = process.argv.slice(1).map(Number);
  let started = 0, open = 0;
  const next = () => {
    if (started === count) return;
    started += 1;
    const socket = require('node:net').connect(port, '127.0.0.1', () => {
      open += 1;
      if (open === count) console.log(count + ' open');
      else next();
    });
    socket.on('error', (error) => { console.error(error.message); process.exit(1); });
  };
  for (let i = 0; i < 64; i += 1) next();
`;

/** Node raises the soft limit to the hard one by itself, so the hard one counts. */
function openFilesMax(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1] ?? '0';
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return 0;
  }
}
