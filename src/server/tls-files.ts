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
  const serverNames = namesOf('tls.server');
  return {
    server:
      mode === 'disabled'
        ? null
        : {
            mode,
            clientAuth,
            ...required(credentialsOf(serverNames, server), serverNames),
            trust: trustOf(serverNames, server),
          },
    client: {
      ...loadClientTls(client, namesOf('tls.client')),
      verifyServer,
    },
  };
}

/** What a file is called where it was named: a property, or a flag. */
export type TlsNames = Readonly<Record<keyof TlsFiles, string>>;

/** For whoever only dials. @throws {ConfigError} by these names. */
export function loadClientTls(files: TlsFiles, names: TlsNames): Omit<ClientTls, 'verifyServer'> {
  return { credentials: credentialsOf(names, files), trust: trustOf(names, files) };
}

const namesOf = (side: 'tls.server' | 'tls.client'): TlsNames => ({
  certPath: `${side}.certPath`,
  keyPath: `${side}.keyPath`,
  keyPassword: `${side}.keyPassword`,
  trustCertPath: `${side}.trustCertPath`,
});

function required(credentials: Credentials | null, names: TlsNames): Credentials {
  if (credentials === null) throw new ConfigError(`${names.certPath} is missing`);
  return credentials;
}

function credentialsOf(names: TlsNames, files: TlsFiles): Credentials | null {
  const { certPath, keyPassword, keyPath } = files;
  if (certPath === '' || keyPath === '') return null;
  const cert = certificates(names.certPath, certPath);
  const key = privateKey(names, files);
  const [own] = cert.parsed;
  if (own?.checkPrivateKey(key.parsed) !== true) {
    throw new ConfigError(`${names.keyPath}=${keyPath}: is not the key of ${certPath}`);
  }
  const credentials = {
    cert: cert.pem,
    key: key.pem,
    ...(keyPassword !== '' && { passphrase: keyPassword }),
  };
  try {
    createSecureContext(credentials);
  } catch (error) {
    throw unusable(names.certPath, certPath, error);
  }
  return credentials;
}

function trustOf(names: TlsNames, { trustCertPath }: TlsFiles): Buffer | null {
  return trustCertPath === '' ? null : certificates(names.trustCertPath, trustCertPath).pem;
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

function privateKey(names: TlsNames, { keyPassword, keyPath }: TlsFiles) {
  const pem = read(names.keyPath, keyPath);
  let parsed: KeyObject;
  try {
    parsed = createPrivateKey({ key: pem, passphrase: keyPassword });
  } catch (error) {
    if (pem.includes('ENCRYPTED')) {
      throw new ConfigError(`${names.keyPassword}: does not open ${keyPath}`, { cause: error });
    }
    throw unusable(names.keyPath, keyPath, error);
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
