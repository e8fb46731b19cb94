/**
 * A listening server of framed connections.
 *
 * It turns bytes into commands and gathers responses; what a command means is the handler's. Every
 * fault of a peer costs that one connection, with a logged reason and no reply.
 *
 * Bounds, and what happens at each:
 * - connections: one more is dropped before it is read
 * - frame size: the connection is closed
 * - outbound bytes over the high-water mark: the socket is not read until they have drained
 * - outbound bytes over the maximum: the connection is closed
 * - no byte either way for `idleCloseMs`: the connection is closed
 *
 * @source rocketmq NettyRemotingServer (5.x, 8fc57f1)
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '../lib/logger.js';
import type { RemotingCommand } from '../remoting/command.js';
import { frameBytesMaxDefault } from '../remoting/frame-decoder.js';
import { ServerConnection } from './server-connection.js';

export interface TcpServerOptions {
  readonly host: string;
  /** 0 lets the system choose; see `TcpServer.port`. */
  readonly port: number;
  readonly logger: Logger;
  /** Upstream: 16 MiB. */
  readonly frameBytesMax?: number;
  /** Upstream: 120,000. */
  readonly idleCloseMs?: number;
  readonly connectionsMax?: number;
  readonly outboundHighWaterBytes?: number;
  readonly outboundBytesMax?: number;
}

export interface ServerHandler {
  onConnection?(connection: ServerConnection): void;
  /** A `FrameError` thrown here closes the connection; any other error is a bug and is not caught. */
  onCommand(connection: ServerConnection, command: RemotingCommand): void;
  /** Once per connection, after its last command. */
  onClose?(connection: ServerConnection, reason: string): void;
}

export interface TcpServer {
  /** The port that is really listened on. */
  readonly port: number;
  readonly connections: number;
  /** Connections dropped at the bound. */
  readonly connectionsRefused: number;
  /** Stops accepting, sends what is gathered, closes every connection; resolves when all are closed. */
  close(): Promise<void>;
}

const listenFailures = {
  EADDRINUSE: 'PORT_IN_USE',
  EADDRNOTAVAIL: 'ADDRESS_NOT_LOCAL',
  ENOTFOUND: 'ADDRESS_NOT_LOCAL',
  EACCES: 'PORT_DENIED',
} as const;
type ListenFailure = (typeof listenFailures)[keyof typeof listenFailures] | 'LISTEN_FAILED';

export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: ListenFailure;
  readonly port: number;

  constructor({ host, port }: { host: string; port: number }, cause: NodeJS.ErrnoException) {
    super(`cannot listen on ${host}:${port}: ${cause.code ?? cause.message}`, { cause });
    this.code = listenFailures[cause.code as keyof typeof listenFailures] ?? 'LISTEN_FAILED';
    this.port = port;
  }
}

/** Idle connections are looked for so many times per `idleCloseMs`: they close at most so much late. */
const IDLE_SWEEPS = 8;
/** A peer that does not read gets this long to take the rest when the server closes. */
const CLOSE_GRACE_MS = 1_000;
/** @source rocketmq NettyServerConfig.serverSocketBacklog */
const BACKLOG = 1_024;

/** @throws {ListenError} */
export async function listen(
  options: TcpServerOptions,
  handler: ServerHandler,
): Promise<TcpServer> {
  const server = new FramedServer(options, handler);
  await server.listen();
  return server;
}

class FramedServer implements TcpServer {
  readonly #options: TcpServerOptions;
  readonly #handler: ServerHandler;
  readonly #server: Server;
  readonly #connections = new Set<ServerConnection>();
  #sweepTimer: NodeJS.Timeout | null = null;
  #nextId = 1;
  port: number;
  connectionsRefused = 0;

  constructor(options: TcpServerOptions, handler: ServerHandler) {
    this.#options = options;
    this.#handler = handler;
    this.port = options.port;
    this.#server = createServer({ noDelay: true, keepAlive: false }, (socket) =>
      this.#accept(socket),
    );
    this.#server.maxConnections = options.connectionsMax ?? 20_000;
    this.#server.on('drop', (peer) => {
      this.connectionsRefused += 1;
      const reason = `${this.#server.maxConnections} connections are open`;
      options.logger.warn(
        { peer: `${peer?.remoteAddress}:${peer?.remotePort}`, reason },
        'refused',
      );
    });
  }

  get connections(): number {
    return this.#connections.size;
  }

  listen(): Promise<void> {
    const { host, port, idleCloseMs = 120_000 } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => reject(new ListenError({ host, port }, cause)));
      this.#server.listen({ host, port, backlog: BACKLOG }, () => {
        this.#server.removeAllListeners('error');
        this.#server.on('error', (error) => this.#options.logger.error({ error }, 'accept failed'));
        const address = this.#server.address();
        if (typeof address === 'object' && address !== null) this.port = address.port;
        this.#sweepTimer = setInterval(() => this.#sweep(), idleCloseMs / IDLE_SWEEPS);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    if (this.#sweepTimer !== null) clearInterval(this.#sweepTimer);
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const connection of this.#connections) connection.close('server is closing');
    const impatience = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, CLOSE_GRACE_MS);
    await closed;
    clearTimeout(impatience);
  }

  #accept(socket: Socket): void {
    const connection = new ServerConnection(socket, {
      id: this.#nextId,
      frameBytesMax: this.#options.frameBytesMax ?? frameBytesMaxDefault,
      outboundHighWaterBytes: this.#options.outboundHighWaterBytes ?? 1024 * 1024,
      outboundBytesMax: this.#options.outboundBytesMax ?? 64 * 1024 * 1024,
      onCommand: (command) => this.#handler.onCommand(connection, command),
      onClose: (reason) => {
        this.#options.logger.debug({ peer: connection.remoteAddress, reason }, 'closed');
        this.#handler.onClose?.(connection, reason);
      },
      onGone: () => this.#connections.delete(connection),
    });
    this.#nextId += 1;
    this.#connections.add(connection);
    this.#handler.onConnection?.(connection);
  }

  #sweep(): void {
    for (const connection of this.#connections) {
      if (connection.sweepsQuiet() > IDLE_SWEEPS) connection.close('idle');
    }
  }
}
