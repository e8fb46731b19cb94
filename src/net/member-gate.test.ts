/** Who may speak as a member: by address, by certificate, and after changes of the group. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PeerCertificate } from 'node:tls';
import { silent } from '../lib/logger.js';
import type { Origin } from './doorway.js';
import { MemberGate, type MemberGateOptions } from './member-gate.js';
import { credentials } from './testing.js';

const certificateOf = (name: 'member' | 'broker'): PeerCertificate =>
  new X509Certificate(credentials(name).cert).toLegacyObject() as unknown as PeerCertificate;

const from = (host: string, more: Partial<Origin> = {}) => ({
  admittedAsMember: 0,
  origin: { host, port: 1, proxied: null, certificate: null, ...more },
});
const gate = (options: Partial<MemberGateOptions> = {}): MemberGate =>
  new MemberGate({ hosts: ['10.0.0.1', '127.0.0.1'], logger: silent, ...options });

const rows: readonly {
  readonly rule: string;
  readonly options?: Partial<MemberGateOptions>;
  readonly origin: ReturnType<typeof from>;
  readonly objection: string | null;
}[] = [
  { rule: 'an address of the group is admitted', origin: from('10.0.0.1'), objection: null },
  {
    rule: 'another address is not',
    origin: from('10.0.0.2'),
    objection: '10.0.0.2 is no address of the group',
  },
  {
    rule: 'a listed address is admitted',
    options: { alsoAllowed: ['10.0.0.2'] },
    origin: from('10.0.0.2'),
    objection: null,
  },
  {
    rule: 'any address is admitted where any is listed',
    options: { alsoAllowed: ['*'] },
    origin: from('10.0.0.2'),
    objection: null,
  },
  {
    rule: 'a proxy at an address of the group is not',
    origin: from('10.0.0.1', { proxied: '10.0.0.1:9' }),
    objection: 'through a proxy at 10.0.0.1',
  },
  {
    rule: 'a certificate may be needed',
    options: { needsCertificate: true },
    origin: from('127.0.0.1'),
    objection: 'no certificate was shown',
  },
  {
    rule: 'a certificate that names a host of the group is admitted',
    options: { needsCertificate: true },
    origin: from('127.0.0.1', { certificate: certificateOf('member') }),
    objection: null,
  },
  {
    rule: 'a certificate of somebody else under the same authority is not',
    options: { needsCertificate: true },
    origin: from('127.0.0.1', { certificate: certificateOf('broker') }),
    objection: 'the certificate names no host of the group',
  },
  {
    rule: 'any address does not mean any certificate',
    options: { needsCertificate: true, alsoAllowed: ['*'] },
    origin: from('10.0.0.2'),
    objection: 'no certificate was shown',
  },
];
for (const { rule, options, origin, objection } of rows) {
  test(rule, () => assert.equal(gate(options).admit(origin), objection));
}

test('who joins the group is admitted, and no longer once it has left', () => {
  const guard = gate();
  const joining = from('10.0.0.9');
  assert.notEqual(guard.admit(joining), null);
  guard.setMembers([{ id: 'n9', address: '10.0.0.9:9878', role: 'learner' }]);
  assert.equal(guard.admit(joining), null);
  assert.equal(guard.isHostOfMembers('10.0.0.9'), true);
  guard.setMembers([{ id: 'n0', address: '10.0.0.1:9878', role: 'voter' }]);
  assert.notEqual(guard.admit(joining), null);
  assert.equal(guard.isHostOfMembers('10.0.0.9'), false);
});

test('where anybody may speak as a member, only addresses that are known are members’', async () => {
  const resolve = async (): Promise<readonly string[]> => ['10.0.0.7'];
  const guard = gate({
    hosts: ['n0.example', '10.0.0.1'],
    alsoAllowed: ['*', '10.0.0.2'],
    resolve,
  });
  await nextTurn();
  const known = ['10.0.0.1', '10.0.0.2', '10.0.0.7', '10.0.0.9'].filter((host) =>
    guard.isHostOfMembers(host),
  );
  assert.deepEqual(known, ['10.0.0.1', '10.0.0.2', '10.0.0.7']);
});

test('names stand for their addresses, looked up again when somebody unknown knocks', async () => {
  let nowMs = 0;
  let address = '10.0.0.7';
  const asked: string[] = [];
  const guard = gate({
    hosts: ['n0.example'],
    nowMs: () => nowMs,
    resolve: async (name) => {
      asked.push(name);
      return [address];
    },
  });
  await nextTurn();
  assert.equal(guard.admit(from('10.0.0.7')), null);

  address = '10.0.0.8';
  assert.notEqual(guard.admit(from('10.0.0.8')), null, 'looked up a moment ago');
  nowMs = 1_000;
  assert.notEqual(guard.admit(from('10.0.0.8')), null, 'asks, and does not wait');
  await nextTurn();
  assert.equal(guard.admit(from('10.0.0.8')), null);
  assert.notEqual(guard.admit(from('10.0.0.7')), null, 'the name has moved');
  assert.deepEqual(asked, ['n0.example', 'n0.example']);
});
