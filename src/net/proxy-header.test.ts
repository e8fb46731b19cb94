/** Which PROXY headers are taken off, and how the others are refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { proxyHeaderBytesMax, readProxyHeader } from './proxy-header.js';
import { answer, clientTls, open, request, serve, serverTls } from './testing.js';

const text = (line: string): Buffer => Buffer.from(`${line}\r\n`);
const SIGNATURE = '0d0a0d0a000d0a515549540a';
const binary = (command: number, family: number, addresses: string, more = ''): Buffer => {
  const rest = Buffer.from(addresses + more, 'hex');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(rest.length);
  return Buffer.concat([
    Buffer.from(SIGNATURE, 'hex'),
    Buffer.from([command, family]),
    length,
    rest,
  ]);
};
const IPV4 = 'c0000201c00002020bb82694'; // 192.0.2.1:3000 to 192.0.2.2:9876
const IPV6 = `20010db8${'00'.repeat(11)}01${'20010db8'}${'00'.repeat(11)}020bb82694`;

const taken: readonly (readonly [name: string, header: Buffer, client: string | null])[] = [
  ['TCP4', text('PROXY TCP4 192.0.2.1 192.0.2.2 3000 9876'), '192.0.2.1:3000'],
  ['TCP6', text('PROXY TCP6 2001:db8::1 2001:db8::2 3000 9876'), '2001:db8::1:3000'],
  ['UNKNOWN', text('PROXY UNKNOWN'), null],
  ['UNKNOWN with anything behind', text('PROXY UNKNOWN ffff:: what ever'), null],
  ['binary IPv4', binary(0x21, 0x11, IPV4), '192.0.2.1:3000'],
  ['binary IPv4 with further fields', binary(0x21, 0x11, IPV4, '04000100'), '192.0.2.1:3000'],
  ['binary IPv6', binary(0x21, 0x21, IPV6), '[2001:db8:0:0:0:0:0:1]:3000'],
  ['binary Unix', binary(0x21, 0x31, '00'.repeat(216)), null],
  ['binary LOCAL', binary(0x20, 0x00, ''), null],
];
for (const [name, header, client] of taken) {
  test(`${name}: taken off, however it is cut`, () => {
    const bytes = Buffer.concat([header, request(1)]);
    assert.deepEqual(readProxyHeader(bytes), { kind: 'header', bytes: header.length, client });
    for (let cut = 1; cut < header.length; cut += 1) {
      assert.equal(readProxyHeader(bytes.subarray(0, cut)).kind, 'incomplete', `${cut}`);
    }
  });
}

const refused: readonly (readonly [header: Buffer, why: RegExp])[] = [
  [text('PROXX TCP4 192.0.2.1 192.0.2.2 3000 9876'), /does not begin with "PROXY "/],
  [text('PROXY TCP5 192.0.2.1 192.0.2.2 3000 9876'), /none of TCP4, TCP6 and UNKNOWN/],
  [text('PROXY TCP4 2001:db8::1 192.0.2.2 3000 9876'), /addresses are not of TCP4/],
  [text('PROXY TCP4 192.0.2.1 192.0.2.2 3000'), /two ports/],
  [text('PROXY TCP4 192.0.2.1 192.0.2.2 3000 65536'), /two ports/],
  [Buffer.from(`PROXY UNKNOWN ${'x'.repeat(200)}`), /no line end in 107 bytes/],
  [Buffer.from('0d0a0d0a000d0a515549540b', 'hex'), /signature/],
  [binary(0x11, 0x11, IPV4), /neither LOCAL nor PROXY/],
  [binary(0x22, 0x11, IPV4), /neither LOCAL nor PROXY/],
  [binary(0x21, 0x41, IPV4), /address family/],
  [binary(0x21, 0x21, IPV4), /too short/],
  [binary(0x21, 0x11, IPV4, '00'.repeat(proxyHeaderBytesMax)), /4124 bytes, at most 4096/],
];
for (const [header, why] of refused) {
  test(`refused: ${why.source}`, async (t) => {
    const { server, refused: reasons } = await serve(t, answer);
    const peer = await open(t, server);
    peer.socket.write(Buffer.concat([header, request(1)]));
    assert.deepEqual(await peer.ended(), []);
    assert.match(reasons.join(), /^PROXY header is not acceptable: /);
    assert.match(reasons.join(), why);
  });
}

test('a frame is no header', () => {
  assert.equal(readProxyHeader(request(1)).kind, 'none');
});

for (const tls of [undefined, clientTls()]) {
  test(`a header is taken off before ${tls === undefined ? 'a frame' : 'TLS'}`, async (t) => {
    const seen: (string | null)[] = [];
    const { server } = await serve(
      t,
      (arrived) => {
        seen.push(arrived.connection.origin.proxied, arrived.connection.remoteAddress);
        answer(arrived);
      },
      { tls: serverTls() },
    );
    const before = text('PROXY TCP4 192.0.2.1 192.0.2.2 3000 9876');
    const peer = await open(t, server, { before, ...(tls !== undefined && { tls }) });
    if (tls === undefined) await nextTurn();
    peer.socket.write(request(3));
    assert.equal((await peer.take(1))[0]?.opaque, 3);
    assert.equal(seen[0], '192.0.2.1:3000');
    assert.match(seen[1] ?? '', /^127\.0\.0\.1:\d+ \(for 192\.0\.2\.1:3000\)$/);
  });
}
