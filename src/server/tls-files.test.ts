/** Which certificate files a controller starts with, and how the others are refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificatePath as at } from '../net/testing.js';
import { ConfigError, defaults, type TlsFiles, type TlsSettings } from './config.js';
import { loadTls } from './tls-files.js';

const none: TlsFiles = defaults.tls.server;
const member: TlsFiles = { ...none, certPath: at('member.pem'), keyPath: at('member.key') };
const settings = (server: Partial<TlsFiles>, more: Partial<TlsSettings> = {}): TlsSettings => ({
  ...defaults.tls,
  mode: 'permissive',
  server: { ...member, ...server },
  ...more,
});

test('nothing is read where nothing is set', () => {
  assert.deepEqual(loadTls(defaults.tls), {
    server: null,
    client: { credentials: null, trust: null, verifyServer: true },
  });
});

test('a key may be encrypted', () => {
  const { server } = loadTls(
    settings({ keyPath: at('member-encrypted.key'), keyPassword: 'secret' }),
  );
  assert.equal(server?.passphrase, 'secret');
});

const refused: readonly (readonly [settings: TlsSettings, message: string])[] = [
  [settings({ certPath: '/nowhere/c' }), 'tls.server.certPath=/nowhere/c: cannot be read: ENOENT'],
  [settings({ keyPath: '/nowhere/k' }), 'tls.server.keyPath=/nowhere/k: cannot be read: ENOENT'],
  [
    settings({ trustCertPath: '/nowhere' }),
    'tls.server.trustCertPath=/nowhere: cannot be read: ENOENT',
  ],
  [settings({ certPath: at('') }), `tls.server.certPath=${at('')}: cannot be read: EISDIR`],
  [
    settings({ certPath: at('member.key') }),
    `tls.server.certPath=${at('member.key')}: holds no certificate in PEM`,
  ],
  [
    settings({ trustCertPath: at('make.sh') }),
    `tls.server.trustCertPath=${at('make.sh')}: holds no certificate in PEM`,
  ],
  [
    settings({ keyPath: at('broker.key') }),
    `tls.server.keyPath=${at('broker.key')}: is not the key of ${at('member.pem')}`,
  ],
  [
    settings({ keyPath: at('member-encrypted.key'), keyPassword: 'wrong' }),
    `tls.server.keyPassword: does not open ${at('member-encrypted.key')}`,
  ],
  [
    settings({ keyPath: at('member-encrypted.key') }),
    `tls.server.keyPassword: does not open ${at('member-encrypted.key')}`,
  ],
  [
    settings({}, { client: { ...member, certPath: '/nowhere/c' } }),
    'tls.client.certPath=/nowhere/c: cannot be read: ENOENT',
  ],
];
for (const [wrong, message] of refused) {
  test(`refused: ${message.replaceAll(at(''), '')}`, () => {
    assert.throws(
      () => loadTls(wrong),
      (error) => error instanceof ConfigError && error.message === message,
    );
  });
}

test('a key that is no key is named', () => {
  const wrong = settings({ keyPath: at('make.sh') });
  assert.throws(
    () => loadTls(wrong),
    (error) =>
      error instanceof ConfigError &&
      error.message.startsWith(`tls.server.keyPath=${at('make.sh')}: cannot be used: `),
  );
});
