/** One write per turn, in the phase that it should be; memory handed over is not written again. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { serverIdentity } from '../remoting/frame-writer.js';
import { Outbound } from './outbound.js';
import { flushThisTurn, pollPhaseStarted } from './turn.js';

test('frames of several callbacks of the poll phase leave in one write', async () => {
  const { socket, written } = fakeSocket();
  const outbound = new Outbound(socket, serverIdentity);
  pollPhaseStarted();
  respond(outbound, 1);
  await Promise.resolve();
  process.nextTick(() => respond(outbound, 2));
  await new Promise((resolve) => process.nextTick(resolve));
  assert.equal(written.length, 0);
  await nextTurn();
  assert.equal(written.length, 1);
  assert.equal(frames(written[0]), 2);
});

test('frames made after the poll phase leave when the callback returns', async () => {
  const { socket, written } = fakeSocket();
  const outbound = new Outbound(socket, serverIdentity);
  pollPhaseStarted();
  await nextTurn();
  respond(outbound, 1);
  respond(outbound, 2);
  assert.equal(written.length, 0);
  await new Promise((resolve) => process.nextTick(resolve));
  assert.deepEqual(written.map(frames), [2]);
});

test('what a flush makes anew is flushed too', async () => {
  const order: string[] = [];
  flushThisTurn({
    flush: () => {
      order.push('first');
      flushThisTurn({ flush: () => order.push('second') });
    },
  });
  await nextTurn();
  assert.deepEqual(order, ['first', 'second']);
});

test('bytes that the socket still holds are never overwritten', () => {
  const { socket, written } = fakeSocket({ takes: false });
  const outbound = new Outbound(socket, serverIdentity);
  respond(outbound, 1);
  outbound.flush();
  const copy = Buffer.from(written[0] ?? '');
  respond(outbound, 2);
  outbound.flush();
  assert.deepEqual(written[0], copy);
  assert.equal(outbound.pendingBytes, copy.length * 2);
});

test('frames wait for a connection, and are dropped after its end', () => {
  const { socket, written, state } = fakeSocket();
  const outbound = new Outbound(socket, serverIdentity);
  state.connecting = true;
  respond(outbound, 1);
  outbound.flush();
  assert.equal(written.length, 0);
  state.connecting = false;
  outbound.flush();
  assert.equal(written.length, 1);
  state.writable = false;
  respond(outbound, 2);
  outbound.flush();
  assert.equal(written.length, 1);
  assert.equal(outbound.pendingBytes, 0);
});

function respond(outbound: Outbound, opaque: number): void {
  outbound.writer.response({ code: 0, opaque, extFields: null, remark: null, body: null });
}

const frames = (bytes: Buffer | undefined): number =>
  (bytes?.toString().match(/"opaque":/g) ?? []).length;

/** The few members of a socket that `Outbound` uses. `takes`: the kernel takes all at once. */
function fakeSocket({ takes = true } = {}) {
  const written: Buffer[] = [];
  const state = { connecting: false, writable: true, writableLength: 0 };
  const socket = Object.assign(state, {
    write(bytes: Buffer): boolean {
      written.push(bytes);
      if (!takes) state.writableLength += bytes.length;
      return takes;
    },
  });
  return { socket: socket as unknown as Socket, written, state };
}
