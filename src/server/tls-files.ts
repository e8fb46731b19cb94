/**
 * Reads the certificates and keys that the configuration names, and finds out at the start what a
 * handshake would find out later.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { ClientTls, Credentials, ServerTls } from '../net/tls.js';
import { ConfigError, type TlsFiles, type TlsSettings } from './config.js';

export interface LoadedTls {
  /** null: plain connections only. */
  readonly server: ServerTls | null;
  /** How members and brokers are dialled, where by TLS. */
  readonly client: ClientTls;
}

/** @throws {ConfigError} naming property and file. */
export function loadTls(settings: TlsSettings): LoadedTls {
  const { client, clientAuth, mode, server, verifyServer } = settings;
  return {
    server:
      mode === 'disabled'
        ? null
        : {
            mode,
            clientAuth,
            ...required(credentialsOf('tls.server', server), 'tls.server'),
            trust: trustOf('tls.server', server),
          },
    client: {
      credentials: credentialsOf('tls.client', client),
      trust: trustOf('tls.client', client),
      verifyServer,
    },
  };
}

type Side = 'tls.server' | 'tls.client';

function required(credentials: Credentials | null, side: Side): Credentials {
  if (credentials === null) throw new ConfigError(`${side}.certPath is missing`);
  return credentials;
}

function credentialsOf(side: Side, files: TlsFiles): Credentials | null {
  const { certPath, keyPassword, keyPath } = files;
  if (certPath === '' || keyPath === '') return null;
  const cert = certificates(`${side}.certPath`, certPath);
  const key = privateKey(side, files);
  const [own] = cert.parsed;
  if (own?.checkPrivateKey(key.parsed) !== true) {
    throw new ConfigError(`${side}.keyPath=${keyPath}: is not the key of ${certPath}`);
  }
  const credentials = {
    cert: cert.pem,
    key: key.pem,
    ...(keyPassword !== '' && { passphrase: keyPassword }),
  };
  try {
    createSecureContext(credentials);
  } catch (error) {
    throw unusable(`${side}.certPath`, certPath, error);
  }
  return credentials;
}

function trustOf(side: Side, { trustCertPath }: TlsFiles): Buffer | null {
  return trustCertPath === '' ? null : certificates(`${side}.trustCertPath`, trustCertPath).pem;
}

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificates(property: string, path: string) {
  const pem = read(property, path);
  const blocks = pem.toString('latin1').match(CERTIFICATES) ?? [];
  if (blocks.length === 0) {
    throw new ConfigError(`${property}=${path}: holds no certificate in PEM`);
  }
  try {
    return { pem, parsed: blocks.map((block) => new X509Certificate(block)) };
  } catch (error) {
    throw unusable(property, path, error);
  }
}

function privateKey(side: Side, { keyPassword, keyPath }: TlsFiles) {
  const pem = read(`${side}.keyPath`, keyPath);
  let parsed: KeyObject;
  try {
    parsed = createPrivateKey({ key: pem, passphrase: keyPassword });
  } catch (error) {
    if (pem.includes('ENCRYPTED')) {
      throw new ConfigError(`${side}.keyPassword: does not open ${keyPath}`, { cause: error });
    }
    throw unusable(`${side}.keyPath`, keyPath, error);
  }
  return { pem, parsed };
}

function read(property: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(`${property}=${path}: cannot be read: ${code}`, { cause: error });
  }
}

function unusable(property: string, path: string, cause: unknown): ConfigError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ConfigError(`${property}=${path}: cannot be used: ${why}`, { cause });
}
