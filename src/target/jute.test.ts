import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { connectRequest, FrameCutter, readReply, setDataRequest, versionIn } from './jute.js';
import { ZookeeperClient } from './zookeeper-client.js';

test('jute: a request is its frame, its number, its operation and its record', () => {
  assert.equal(
    setDataRequest(7, '/a', Buffer.from('xy'), 3).toString('hex'),
    `0000001800000007${'00000005'}000000022f61${'000000027879'}00000003`,
  );
  assert.equal(connectRequest(40_000).readInt32BE(0), connectRequest(40_000).length - 4);
});

test('jute: frames are cut wherever the stream is', () => {
  const bytes = Buffer.concat([1, 2].map((xid) => setDataRequest(xid, '/a', Buffer.alloc(9), 0)));
  for (let at = 0; at <= bytes.length; at += 1) {
    const cutter = new FrameCutter(64);
    const frames = [...cutter.push(bytes.subarray(0, at)), ...cutter.push(bytes.subarray(at))];
    assert.deepEqual(
      frames.map((frame) => frame.readInt32BE(0)),
      [1, 2],
      `cut at ${at}`,
    );
  }
});

test('jute: a length that cannot be is refused', () => {
  for (const length of [-1, 65]) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(length);
    assert.throws(() => new FrameCutter(64).push(bytes), RangeError);
  }
  assert.throws(() => readReply(Buffer.alloc(3)), RangeError);
  assert.throws(() => versionIn(Buffer.alloc(20)), RangeError);
});

/** Answers as a server with one node whose version is `version`. */
function answer(socket: Socket, state: { version: number }): void {
  const cutter = new FrameCutter(1_024);
  let isOpen = false;
  const send = (frame: Buffer): void => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(frame.length);
    socket.write(Buffer.concat([length, frame]));
  };
  socket.on('data', (chunk) => {
    for (const frame of cutter.push(chunk)) {
      if (!isOpen) {
        isOpen = true;
        const reply = Buffer.alloc(37);
        reply.writeInt32BE(40_000, 4);
        send(reply);
        continue;
      }
      const isWrite = frame.readInt32BE(4) === 5;
      const isFenced = isWrite && frame.readInt32BE(frame.length - 4) !== state.version;
      if (isWrite && !isFenced) state.version += 1;
      const reply = Buffer.alloc(16 + 68);
      reply.writeInt32BE(frame.readInt32BE(0), 0);
      reply.writeInt32BE(isFenced ? -103 : 0, 12);
      reply.writeInt32BE(state.version, 16 + 32);
      send(reply);
    }
  });
}

test('ZooKeeper: a change is fenced by the version that was seen, and a read learns the new one', async () => {
  const state = { version: 0 };
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    answer(socket, state);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  const client = await ZookeeperClient.open([`127.0.0.1:${bound.port}`]);
  try {
    assert.equal(await client.write(1), 'ok');
    assert.equal(await client.write(1), 'ok');
    state.version = 9;
    assert.equal(await client.write(1), 'fenced');
    assert.equal(await client.read(1), 'ok');
    assert.equal(await client.write(1), 'ok');
    assert.equal(state.version, 10);
    const lost = client.read(1);
    for (const socket of sockets) socket.destroy();
    await assert.rejects(lost, { code: 'CONNECTION_LOST' });
  } finally {
    await client.close();
    server.close();
  }
});
