/**
 * TLS of both ends: what a server and a dialling side need, and a secured connection as the
 * stream that framed connections work on.
 */
import { connect, type TLSSocket } from 'node:tls';
import type { Address } from './address.js';
import type { ByteStream } from './byte-stream.js';

/** Certificate chain and private key, as PEM. */
export interface Credentials {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly passphrase?: string;
}

/** Whether a client must show a certificate, one of `trust`; `optional`: if it shows one, a good one. */
export const clientAuths = ['none', 'optional', 'require'] as const;
export type ClientAuth = (typeof clientAuths)[number];

export interface ServerTls extends Credentials {
  /** `permissive`: plain connections are served too. */
  readonly mode: 'permissive' | 'enforcing';
  readonly clientAuth: ClientAuth;
  /** Who signs clients' certificates; without it none is asked for. */
  readonly trust: Buffer | null;
}

export interface ClientTls {
  /** What we show when we are asked; null: nothing. */
  readonly credentials: Credentials | null;
  /** Who signs servers' certificates; null: whom Node trusts. */
  readonly trust: Buffer | null;
  /** False: whoever answers is believed. Encrypted all the same. */
  readonly verifyServer: boolean;
}

/** The first byte of a TLS hello; no frame within the size limit starts with it. */
export const TLS_HANDSHAKE = 0x16;

/** Starts to connect. `connect` is told once the server has shown who it is: nothing is sent before. */
export function dialTls(target: Address, tls: ClientTls): ByteStream {
  const socket = connect({
    ...target,
    ...tls.credentials,
    ...(tls.trust !== null && { ca: tls.trust }),
    rejectUnauthorized: tls.verifyServer,
  });
  socket.setNoDelay(true);
  return new SecureStream(socket);
}

class SecureStream implements ByteStream {
  readonly #socket: TLSSocket;
  #isSecure = false;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.once('secureConnect', () => {
      this.#isSecure = true;
    });
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  get connecting(): boolean {
    return !this.#isSecure;
  }

  get writable(): boolean {
    return this.#socket.writable;
  }

  get writableLength(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroySoon(): void {
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  setTimeout(ms: number, onIdle: () => void): void {
    this.#socket.setTimeout(ms, onIdle);
  }

  on(event: string, listener: (...args: never[]) => void): void {
    this.#socket.on(
      event === 'connect' ? 'secureConnect' : event,
      listener as (...args: unknown[]) => void,
    );
  }
}
