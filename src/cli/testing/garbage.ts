/**
 * What no client should send, thrown at a port: noise, frames cut short, frames too large, headers
 * and bodies of the wrong kind. Drawn from a seed.
 */
import { connect } from 'node:net';
import { crc32 } from 'node:zlib';
import { MemberCode, RequestCode } from '../../lib/codes.js';
import type { Prng } from '../../lib/prng.js';

/** Keeps its half-open connections until `hangUp`. */
export interface Garbage {
  hangUp(): void;
}

const SETTLE_MS = 300;

/** Sends `count` pieces, each on a connection of its own. Resolves when the peer has seen them. */
export async function throwGarbage(
  port: number,
  make: (chance: Prng) => Buffer,
  options: { readonly chance: Prng; readonly count: number },
): Promise<Garbage> {
  const { chance, count } = options;
  const sockets = await Promise.all(
    Array.from({ length: count }, () => sendAndLinger(port, make(chance), chance.chance(0.3))),
  );
  return {
    hangUp() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Resolves when the peer has hung up, or has had its time to. */
function sendAndLinger(port: number, bytes: Buffer, endsAfterwards: boolean) {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  const middle = Math.floor(bytes.length / 2);
  socket.write(bytes.subarray(0, middle));
  socket.write(bytes.subarray(middle));
  if (endsAfterwards) socket.end();
  return new Promise<typeof socket>((resolve) => {
    const timer = setTimeout(() => resolve(socket), SETTLE_MS);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

const FRAME_BYTES_MAX = 16 * 1024 * 1024;
const memberCodes: readonly number[] = Object.values(MemberCode);
const codes: readonly number[] = [...Object.values(RequestCode), ...memberCodes];

/** For a member's remoting port. */
export function remotingGarbage(chance: Prng): Buffer {
  switch (chance.between(0, 9)) {
    case 0:
      return noise(chance, 4_096);
    case 1:
      return Buffer.concat([Buffer.from([0x16, 3, 1]), noise(chance, 600)]);
    case 2:
      return Buffer.concat([
        u32(chance.pick([FRAME_BYTES_MAX + 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0])),
        noise(chance, 2_000),
      ]);
    case 3:
      return Buffer.concat([u32(chance.between(100, FRAME_BYTES_MAX)), noise(chance, 90)]);
    case 4:
      return noise(chance, 3);
    case 5:
      return frame(noise(chance, 300), noise(chance, 300), chance.between(0, 255));
    case 6:
      return memberFrame(chance);
    case 7:
      return frame(Buffer.from(nested(chance)), noise(chance, 10), 0);
    default:
      return request(chance);
  }
}

/** For a member's HTTP port. */
export function httpGarbage(chance: Prng): Buffer {
  const path = noise(chance, 40).toString('base64url');
  return chance.pick([
    () => noise(chance, 4_096),
    () => Buffer.from('GET /v1/broker-sets/'),
    () => Buffer.from(`GET /v1/broker-sets/%${path} HTTP/1.1\r\nHost: x\r\n\r\n`),
    () => Buffer.from(`GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`),
    () => Buffer.from(`GET /metrics HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(100_000)}\r\n\r\n`),
    () => Buffer.from(`POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n{`),
    () => Buffer.from(`POST /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n${path}`),
    () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    () => Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1]),
  ])();
}

function request(chance: Prng): Buffer {
  const header = JSON.stringify({
    code: chance.chance(0.9) ? chance.pick(codes) : chance.between(-5, 99_999),
    flag: chance.pick([0, 0, 0, 1, 2, 3]),
    language: chance.pick(['JAVA', 'KLINGON', '']),
    opaque: chance.between(-1_000, 1_000),
    serializeTypeCurrentRPC: 'JSON',
    version: 493,
    extFields: Object.fromEntries(
      fieldNames.filter(() => chance.chance(0.6)).map((name) => [name, value(chance)]),
    ),
  });
  const body = chance.pick([
    () => noise(chance, 2_000),
    () => Buffer.from(nested(chance)),
    () => Buffer.from(JSON.stringify({ syncStateSet: value(chance), syncStateSetEpoch: {} })),
    () => Buffer.from('[1,null,{"a":[]}]'),
    () => Buffer.alloc(0),
  ])();
  return frame(Buffer.from(header), body, 0);
}

const fieldNames = [
  ...['clusterName', 'brokerName', 'brokerId', 'brokerAddr', 'brokerAddress', 'appliedBrokerId'],
  ...['registerCheckCode', 'masterBrokerId', 'masterEpoch', 'epoch', 'maxOffset'],
  ...['heartbeatTimeoutMills', 'designateElect', 'brokerControllerIdsToClean', '__proto__'],
];

function value(chance: Prng): unknown {
  return chance.pick([
    () => noise(chance, 50).toString('latin1'),
    () => chance.between(-10, 10),
    () => '9'.repeat(chance.between(1, 40)),
    () => '-1',
    () => null,
    () => ({ a: [1, { b: null }] }),
    () => '\u0000\ud800"\\',
    () => 'x'.repeat(70_000),
  ])();
}

/** Deeper than a parser that calls itself can go. */
function nested(chance: Prng): string {
  const depth = 200_000;
  return chance.pick([
    () => `${'['.repeat(depth)}${']'.repeat(depth)}`,
    () => '{"a":'.repeat(depth),
    () => `{"code":1004,"extFields":{"brokerName":${'['.repeat(depth)}`,
    () => `{code:1004,extFields:${'{a:'.repeat(depth)}1${'}'.repeat(depth)}}`,
  ])();
}

/** As from a member, or nearly so: sometimes even the checksum and the group's name are right. */
function memberFrame(chance: Prng): Buffer {
  const header = JSON.stringify({ code: chance.pick(memberCodes), flag: 2, opaque: 0 });
  const to = chance.pick(['n0', 'n1', 'n2', 'nobody']);
  const ids = Buffer.concat([Buffer.from([2]), Buffer.from('xx'), Buffer.from([to.length])]);
  const believable = Buffer.concat([
    u32(crc32('quorumark')),
    Buffer.alloc(4),
    u32(chance.between(0, 1_000)),
    ids,
    Buffer.from(to),
    noise(chance, 60),
  ]);
  const content = chance.chance(0.5) ? believable : noise(chance, 200);
  const checksum = chance.chance(0.7) ? crc32(content) : chance.uint32();
  return frame(Buffer.from(header), Buffer.concat([u32(checksum), content]), 0);
}

function frame(header: Buffer, body: Buffer, type: number): Buffer {
  return Buffer.concat([
    u32(4 + header.length + body.length),
    u32(type * 2 ** 24 + header.length),
    header,
    body,
  ]);
}

function noise(chance: Prng, bytesMax: number): Buffer {
  const bytes = Buffer.alloc(chance.between(1, bytesMax));
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = chance.between(0, 255);
  return bytes;
}

function u32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}
