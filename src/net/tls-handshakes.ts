/**
 * TLS handshakes on sockets that were accepted, and read from, by somebody else.
 */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ServerTls } from './tls.js';

/** One of the two is called, once, or neither when the socket closes first. */
export interface HandshakeEnd {
  readonly onSecure: (socket: TLSSocket) => void;
  readonly onFailed: (reason: string) => void;
}

export class TlsHandshakes {
  /** Never listens: sockets are handed to it. */
  readonly #server: Server;
  /** By the peer's address, which no two open connections to one port share. */
  readonly #waiting = new Map<string, HandshakeEnd>();

  constructor({ cert, clientAuth, key, mode: _mode, passphrase, trust }: ServerTls) {
    this.#server = createServer({
      cert,
      key,
      ...(passphrase !== undefined && { passphrase }),
      ...(trust !== null && { ca: trust }),
      requestCert: trust !== null || clientAuth !== 'none',
      // Judged by whoever asked, so that a reason can be given.
      rejectUnauthorized: false,
    });
    this.#server.on('secureConnection', (socket) => this.#take(socket)?.onSecure(socket));
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      this.#take(socket)?.onFailed(error.code ?? error.message);
    });
  }

  /** @param first what has been read already. */
  begin(socket: Socket, first: Buffer, end: HandshakeEnd): void {
    const peer = peerOf(socket);
    this.#waiting.set(peer, end);
    socket.once('close', () => this.#waiting.delete(peer));
    socket.pause();
    socket.unshift(first);
    this.#server.emit('connection', socket);
  }

  #take(socket: TLSSocket): HandshakeEnd | undefined {
    const peer = peerOf(socket);
    const end = this.#waiting.get(peer);
    this.#waiting.delete(peer);
    return end;
  }
}

const peerOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;
