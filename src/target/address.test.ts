import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { parseAddresses, preflight, preflightLine } from './address.js';
import { isLocal, listenerPid, listeningInodes } from './listener-pid.js';

for (const [text, addresses] of [
  ['127.0.0.1:9878', ['127.0.0.1:9878']],
  ['a:1;b:2;', ['a:1', 'b:2']],
  ['a:1,[::1]:2', ['a:1', '[::1]:2']],
  ['', null],
  ['a', null],
  ['a:0', null],
  ['a:1;a:1', null],
] as const) {
  test(`addresses: '${text}' is ${addresses === null ? 'refused' : addresses.length}`, () => {
    assert.deepEqual(parseAddresses(text), addresses);
  });
}

const answer = { code: 0, group: 'g', leader: 'h:2', peers: null, isLeader: false };
for (const { says, ...member } of [
  { answer, failure: null, pid: 12, says: 'h:1: follows h:2 group g, process 12' },
  { answer: { ...answer, isLeader: true }, failure: null, pid: null, says: 'h:1: leads group g' },
  {
    answer: { ...answer, leader: '' },
    failure: null,
    pid: null,
    says: 'h:1: follows nobody group g',
  },
  {
    answer: { ...answer, code: 3 },
    failure: null,
    pid: null,
    says: 'h:1: answers 1005 with code 3',
  },
  { answer: null, failure: 'could not connect', pid: null, says: 'h:1: could not connect' },
]) {
  test(`preflight says: ${says}`, () => {
    assert.equal(preflightLine({ address: 'h:1', ...member }), says);
  });
}

/** As of sockets at 127.0.0.1, 127.0.0.2, anywhere, ::ffff:127.0.0.2, ::1 and fe80::42:acff:fe11:2. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:4DA8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1
   1: 0100007F:4DA8 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1
   2: 00000000:4DA9 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1
   3: 0200007F:4DA8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4714 1
   4: 00000000:4DA8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4715 1
   0: 0000000000000000FFFF00000200007F:4DAB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4716 1
   1: 00000000000000000000000001000000:4DA8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4717 1
   2: 00000000000000000000000000000000:4DAC 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4718 1
   3: 000080FE00000000FFAC4200020011FE:4DA8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4719 1
`;
for (const [host, port, inodes] of [
  ['127.0.0.1', 0x4da8, ['4711']],
  ['127.0.0.2', 0x4da8, ['4714']],
  ['127.0.0.3', 0x4da8, ['4715']],
  ['127.0.0.1', 0x4da9, ['4713']],
  ['127.0.0.1', 0x4daa, []],
  ['127.0.0.2', 0x4dab, ['4716']],
  ['127.0.0.1', 0x4dab, []],
  ['127.0.0.1', 0x4dac, ['4718']],
  ['::1', 0x4da8, ['4717']],
  ['localhost', 0x4da8, ['4711', '4717']],
  ['fe80::42:acff:fe11:2', 0x4da8, ['4719']],
] as const) {
  test(`${host}:${port} is listened at by ${inodes.join(' and ') || 'nobody'}`, () => {
    assert.deepEqual(listeningInodes(TABLE, { host, port }), inodes);
  });
}

test('the process behind a local address is found, where there is /proc', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  const here = `127.0.0.1:${bound.port}`;
  const found = listenerPid(here);
  server.close();
  await once(server, 'close');
  assert.equal(found, process.platform === 'linux' ? process.pid : null);
  assert.equal(listenerPid(here), null);
  const [nobody] = await preflight([here], null);
  assert.deepEqual([nobody?.answer, nobody?.failure], [null, 'could not connect']);
});

const onLinux = { skip: process.platform !== 'linux' && 'only Linux has all of 127.0.0.0/8' };
test('processes that share a port at two addresses are told apart', onLinux, async () => {
  const [child, port] = await listenElsewhere('127.0.0.2');
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    assert.equal(listenerPid(`127.0.0.1:${port}`), process.pid);
    assert.equal(listenerPid(`127.0.0.2:${port}`), child.pid);
  } finally {
    child.kill('SIGKILL');
    server.close();
    await once(server, 'close');
  }
});

/** A process of its own that listens there, and its port. */
async function listenElsewhere(host: string): Promise<[ChildProcess, number]> {
  const program = `const s = require('net').createServer().listen(0, '${host}', () => console.log(s.address().port))`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await once(child.stdout.setEncoding('utf8'), 'data');
  return [child, Number(said)];
}

test('an address elsewhere has no process here', () => {
  assert.equal(isLocal('192.0.2.1:80'), false);
  assert.equal(listenerPid('192.0.2.1:80'), null);
});
