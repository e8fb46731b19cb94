/** Peers that mean harm or do not care: each costs itself, and nobody else. Time is the test's. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemberCode } from '../lib/codes.js';
import { openFilesMax } from '../lib/open-files.js';
import { VirtualClock } from '../lib/virtual-clock.js';
import { encodeRequest } from '../remoting/codec.js';
import { clientIdentity } from '../remoting/frame-writer.js';
import {
  answer,
  clientTls,
  open,
  openSilent,
  type RawPeer,
  request,
  serve,
  serverTls,
} from './testing.js';

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

test(
  'large frames that an address begins and does not end: the largest are closed, memory is bounded',
  limits,
  async (t) => {
    const UNFINISHED_MAX = 4 * 1024 * 1024;
    const options = { unfinishedBytesPerAddressMax: UNFINISHED_MAX };
    const { server, connections, refused } = await serve(t, answer, options);
    const good = await open(t, server);
    const frame = request(9, Buffer.alloc(100));
    good.socket.write(frame.subarray(0, 20));
    while (connections[0]?.unfinishedBytes === 0 || connections.length === 0) await nextTurn();
    const large = request(1, Buffer.alloc(2 * 1024 * 1024)).subarray(0, -1);
    const holdsAll = ({ unfinishedBytes }: { readonly unfinishedBytes: number }): boolean =>
      unfinishedBytes >= large.length;
    const flood: RawPeer[] = [];
    for (let i = 0; i < 8; i += 1) {
      const peer = await open(t, server);
      peer.socket.write(large);
      flood.push(peer);
      // Each is there whole, or has cost one connection, before the next begins.
      const isThere = (): boolean =>
        refused.length + connections.filter(holdsAll).length === flood.length;
      while (!isThere()) await nextTurn();
      const held = connections.reduce((sum, { unfinishedBytes }) => sum + unfinishedBytes, 0);
      assert.ok(held <= UNFINISHED_MAX, `${held} bytes held`);
    }
    assert.equal(refused.length, 7, 'one and its neighbours would be more than 4 MiB');
    assert.equal(refused[0], `${UNFINISHED_MAX} bytes of unfinished frames of this address`);
    good.socket.write(frame.subarray(20));
    assert.equal((await good.take(1))[0]?.opaque, 9, 'who holds little goes on');
    await isServed(await open(t, server));
    await isServed(await open(t, server, { from: '127.0.0.2' }));
  },
);

test('members’ frames do not count for their address once they are admitted', limits, async (t) => {
  const options = { frameBytesMax: 1_000_000, unfinishedBytesPerAddressMax: 5_000 };
  const { server, connections, refused } = await serve(
    t,
    (arrived) => {
      arrived.connection.admittedAsMember = 1;
      answer(arrived);
    },
    options,
  );
  const member = await open(t, server);
  await isServed(member);
  const frame = request(1, Buffer.alloc(500_000));
  member.socket.write(frame.subarray(0, -1));
  while ((connections[0]?.unfinishedBytes ?? 0) < frame.length - 1) await nextTurn();
  member.socket.write(frame.subarray(-1));
  assert.equal((await member.take(1))[0]?.opaque, 1);
  assert.deepEqual(refused, []);
});

/** Room for 9, of which so many have spoken, from an address that is no member's. */
async function crowded(t: TestContext, spoken: number) {
  const isMemberHost = (host: string): boolean => host === MEMBER;
  const served = await serve(t, answer, { connectionsMax: 9, isMemberHost });
  const speakers: RawPeer[] = [];
  for (let i = 0; i < spoken; i += 1) {
    const speaker = await open(t, served.server);
    await isServed(speaker);
    speakers.push(speaker);
  }
  return { ...served, speakers };
}

const MEMBER = '127.0.0.2';
const GAVE_WAY = 'has sent no frame, and its room is needed';

test(
  'connections that have sent no frame give way, the oldest first; others never do',
  limits,
  async (t) => {
    const { server, refused, speakers } = await crowded(t, 5);
    const silent = await Promise.all([0, 1, 2, 3].map(() => open(t, server)));
    // Half a frame, half a PROXY header, half a TLS hello: that is not to have spoken.
    silent[0]?.socket.write(request(1).subarray(0, 20));
    silent[1]?.socket.write('PROXY TCP4 ');
    for (let i = 0; i < 4; i += 1) {
      const late = await open(t, server);
      await isServed(late);
      speakers.push(late);
      assert.equal(refused.length, i + 1);
    }
    await Promise.all(silent.map((peer) => peer.ended()));
    assert.deepEqual(refused, Array(4).fill(GAVE_WAY));
    await (await open(t, server)).ended();
    assert.equal(refused[4], '9 connections are open', 'all have spoken');
    for (const speaker of speakers) await isServed(speaker);
  },
);

test(
  'a TLS handshake that is begun gives way, and so does a connection after it',
  limits,
  async (t) => {
    const { server, refused } = await serve(t, answer, { connectionsMax: 2, tls: serverTls() });
    const begun = await open(t, server);
    begun.socket.write(Buffer.from('160301', 'hex'));
    const secured = await open(t, server, { tls: clientTls() });
    await isServed(await open(t, server));
    assert.deepEqual(await begun.ended(), []);
    await isServed(await open(t, server, { tls: clientTls() }));
    assert.deepEqual(await secured.ended(), []);
    assert.deepEqual(refused, [GAVE_WAY, GAVE_WAY]);
  },
);

test('a flood of silent connections costs nobody who speaks, early or late', limits, async (t) => {
  const { server, speakers } = await crowded(t, 5);
  for (let round = 0; round < 3; round += 1) {
    await openSilent(t, server.port, 500);
    for (const speaker of speakers) await isServed(speaker);
    await isServed(await open(t, server));
  }
  while (server.connections > 9) await nextTurn();
});

test(
  'members get in where all others have spoken, and strangers do not push them out',
  limits,
  async (t) => {
    const { server, refused } = await crowded(t, 8);
    const member = await open(t, server, { from: MEMBER });
    const link = await open(t, server, { from: MEMBER });
    for (let i = 0; i < 20; i += 1) {
      await (await open(t, server)).ended();
    }
    assert.equal(refused[0], '9 connections are open');
    await isServed(member);
    await isServed(link);
  },
);

test('a member’s address that floods is bounded, and gives way to strangers', limits, async (t) => {
  const { server, speakers } = await crowded(t, 8);
  const flood: RawPeer[] = [];
  for (let i = 0; i < 200; i += 1) flood.push(await open(t, server, { from: MEMBER }));
  while (server.connections > 9 + 64) await nextTurn();
  await isServed(await open(t, server));
  await isServed(await open(t, server, { from: MEMBER }));
  for (const speaker of speakers) await isServed(speaker);
});

test('who is turned away for want of room does not count for its address', limits, async (t) => {
  const options = { connectionsMax: 1, connectionsPerAddressMax: 2 };
  const { server, refused } = await serve(t, answer, options);
  const only = await open(t, server);
  await isServed(only);
  for (let i = 0; i < 3; i += 1) await (await open(t, server)).ended();
  assert.deepEqual(refused, Array(3).fill('1 connections are open'));
  only.socket.destroy();
  while (server.connections > 0) await nextTurn();
  await isServed(await open(t, server));
});

const IDLE = 10_000;
/** Both ends are processes of their own, each with room for its own ends and a little more. */
const FILES_NEEDED = IDLE + 500;
const filesMax = openFilesMax() ?? 0;

test('10,000 idle connections, all that there may be, do not keep a request from being answered', {
  skip: filesMax < FILES_NEEDED && `needs ${FILES_NEEDED} open files, has ${filesMax} (ulimit -n)`,
  timeout: 300_000,
}, async (t) => {
  const { server } = await serve(t, answer, { connectionsMax: IDLE });
  const good = await open(t, server);
  await isServed(good);
  await openSilent(t, server.port, IDLE);
  await isServed(good);
  await isServed(await open(t, server));
});
