/**
 * Where a connection waits until its first bytes have shown what it speaks.
 *
 * A PROXY header is taken off, a TLS hello begins a handshake, anything else is a frame. Then the
 * connection is handed on, with what was read, and nothing of this is on the path of its bytes.
 *
 * @source rocketmq NettyRemotingServer: HandshakeHandler, TlsModeHandler (5.x, 8fc57f1)
 */
import type { Socket } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { ByteStream } from './byte-stream.js';
import { readProxyHeader } from './proxy-header.js';
import { type ServerTls, TLS_HANDSHAKE } from './tls.js';
import type { TlsHandshakes } from './tls-handshakes.js';

/** Who is at the other end, as far as it has been shown. */
export interface Origin {
  /** The address that the connection comes from; IPv4 as such, on any socket. */
  readonly host: string;
  readonly port: number;
  /** Whom a PROXY header claims to speak for; anybody can write one. null: there was none. */
  readonly proxied: string | null;
  /** Signed by an authority that we trust, and not outdated; null: none was shown. */
  readonly certificate: PeerCertificate | null;
}

export interface Arrival {
  readonly stream: ByteStream;
  readonly origin: Origin;
  /** What was read of its frames; null: nothing. */
  readonly first: Buffer | null;
}

export interface DoorwayOptions {
  readonly socket: Socket;
  readonly host: string;
  readonly tls: ServerTls | null;
  readonly handshakes: TlsHandshakes | null;
  /** Sweeps that a connection may pass without a byte. */
  readonly silentSweepsMax: number;
  /** Sweeps that PROXY header and TLS handshake may take, once begun. */
  readonly handshakeSweepsMax: number;
  /** One of the three, and then `onGone`; or `onGone` alone. */
  readonly onArrival: (arrival: Arrival) => void;
  readonly onRefused: (reason: string) => void;
  /** It never said anything. */
  readonly onIdle: () => void;
  /** The socket is gone; also after it was handed on. */
  readonly onGone: () => void;
}

export class Doorway {
  readonly #options: DoorwayOptions;
  readonly #port: number;
  #state: 'silent' | 'begun' | 'left' = 'silent';
  /** The beginning of a PROXY header whose rest has not come. */
  #gathered: Buffer | null = null;
  #proxied: string | null = null;
  #sweeps = 0;

  constructor(options: DoorwayOptions) {
    const { socket } = options;
    this.#options = options;
    this.#port = socket.remotePort ?? 0;
    socket.on('data', this.#onData);
    // An error is followed by a close, and says no more than that for a peer that said nothing.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#state = 'left';
      options.onGone();
    });
  }

  sweep(): void {
    const { handshakeSweepsMax, silentSweepsMax } = this.#options;
    this.#sweeps += 1;
    if (this.#state === 'silent' && this.#sweeps > silentSweepsMax) {
      this.close();
      this.#options.onIdle();
    } else if (this.#state === 'begun' && this.#sweeps > handshakeSweepsMax) {
      this.refuse('PROXY header or TLS handshake not complete in time');
    }
  }

  close(): void {
    this.#state = 'left';
    this.#options.socket.destroy();
  }

  /** Closes at once, and tells why; nothing when the connection was handed on. */
  refuse(reason: string): void {
    if (this.#state === 'left') return;
    this.#state = 'left';
    this.#options.onRefused(reason);
    this.#options.socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#state === 'left') return;
    if (this.#state === 'silent') {
      this.#state = 'begun';
      this.#sweeps = 0;
    }
    const bytes = this.#gathered === null ? chunk : Buffer.concat([this.#gathered, chunk]);
    const header = this.#proxied === null ? readProxyHeader(bytes) : { kind: 'none' as const };
    switch (header.kind) {
      case 'incomplete':
        this.#gathered = bytes;
        return;
      case 'malformed':
        this.refuse(header.reason);
        return;
      case 'header':
        this.#gathered = null;
        this.#proxied = header.client ?? 'unknown';
        if (header.bytes < bytes.length) this.#firstByte(bytes.subarray(header.bytes));
        return;
      case 'none':
        this.#firstByte(bytes);
    }
  };

  #firstByte(bytes: Buffer): void {
    const { handshakes, tls } = this.#options;
    if (bytes[0] !== TLS_HANDSHAKE) {
      if (tls?.mode === 'enforcing') this.refuse('not TLS, which is required here');
      else this.#handOn(this.#options.socket, null, bytes);
    } else if (tls === null || handshakes === null) {
      this.refuse('TLS is not spoken here');
    } else {
      this.#options.socket.removeListener('data', this.#onData);
      handshakes.begin(this.#options.socket, bytes, {
        onSecure: (socket) => this.#secured(socket, tls),
        onFailed: (reason) => this.refuse(`TLS handshake failed: ${reason}`),
      });
    }
  }

  #secured(socket: TLSSocket, tls: ServerTls): void {
    // A resumed session may count as authorized without a certificate: both must hold.
    const shown = socket.getPeerCertificate();
    const isShown = Object.keys(shown).length > 0;
    const isGood = isShown && socket.authorized;
    if (!isGood && (tls.clientAuth === 'require' || (tls.clientAuth === 'optional' && isShown))) {
      const why = isShown ? `is not acceptable: ${socket.authorizationError}` : 'is required';
      this.refuse(`a client certificate ${why}`);
      return;
    }
    this.#handOn(socket, isGood ? shown : null, null);
  }

  #handOn(stream: ByteStream, certificate: PeerCertificate | null, first: Buffer | null): void {
    if (this.#state === 'left') return;
    this.#state = 'left';
    this.#options.socket.removeListener('data', this.#onData);
    const origin = {
      host: this.#options.host,
      port: this.#port,
      proxied: this.#proxied,
      certificate,
    };
    this.#options.onArrival({ stream, origin, first });
  }
}
