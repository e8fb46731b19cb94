/**
 * A listening server of framed connections.
 *
 * It turns bytes into commands and gathers responses; what a command means is the handler's. Every
 * fault of a peer costs that one connection, with a logged reason and no reply.
 *
 * Bounds, and what happens at each:
 * - connections: the oldest that has not sent a whole frame is closed for one more; where all have,
 *   one more is dropped before it is read. Members' addresses have `MEMBER_ROOM` places beyond
 * - frame size: the connection is closed
 * - outbound bytes over the high-water mark: the socket is not read until they have drained
 * - outbound bytes over the maximum: the connection is closed
 * - time that a turn spends on clients: their bytes wait, one chunk each, and are taken in later turns;
 *   admitted members' do not
 * - no byte either way for `idleCloseMs`: the connection is closed
 * - no first frame, an unfinished one, or an unfinished handshake for too long: closed
 * - connections of one address: one more is dropped; its requests in a second: code 2, not handled
 * - bytes of unfinished frames of one address: the connection that holds most is closed
 *
 * Times are counted in sweeps, each an eighth of the shortest: they are noticed at most so much late,
 * and a process that stood still blames nobody for it.
 *
 * @source rocketmq NettyRemotingServer (5.x, 8fc57f1)
 */
import { createServer, type Server, type Socket } from 'node:net';
import { type Cancel, type Clock, systemClock } from '../lib/clock.js';
import { ResponseCode } from '../lib/codes.js';
import type { Logger } from '../lib/logger.js';
import { isOneway, isResponse, type RemotingCommand } from '../remoting/command.js';
import { frameBytesMaxDefault } from '../remoting/frame-decoder.js';
import { plainHost } from './address.js';
import { type AddressBudget, AddressLimits } from './address-limits.js';
import { type Arrival, Doorway } from './doorway.js';
import { isMemberCode } from './member-codec.js';
import { Refusals } from './refusals.js';
import { ServerConnection, type SweepLimits } from './server-connection.js';
import type { ServerTls } from './tls.js';
import { TlsHandshakes } from './tls-handshakes.js';
import { Unheard } from './unheard.js';

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
  /** Addresses from which members come: some room is theirs. Default: none is known. */
  readonly isMemberHost?: (host: string) => boolean;
  readonly outboundHighWaterBytes?: number;
  readonly outboundBytesMax?: number;
  /** null, the default: plain connections only. */
  readonly tls?: ServerTls | null;
  /** Default 30,000: from the first byte of a frame to its last. */
  readonly frameTimeoutMs?: number;
  /** Default 10,000: from the first byte of a PROXY header or TLS handshake to the end of both. */
  readonly handshakeTimeoutMs?: number;
  /** From the connection to its first frame; 0, the default: as long as it may be idle. */
  readonly firstFrameTimeoutMs?: number;
  /** 0, the default: as many as `connectionsMax`. */
  readonly connectionsPerAddressMax?: number;
  /** Members' frames are not counted. 0, the default: any number. */
  readonly requestsPerSecondPerAddressMax?: number;
  /** Members are not counted once they are admitted. Default 256 MiB; 0: any number. */
  readonly unfinishedBytesPerAddressMax?: number;
  readonly clock?: Clock;
}

export interface ServerHandler {
  /** Its first bytes are there: what never says anything is never told of. */
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
  /** Connections dropped at a bound, or closed because the peer broke a rule. */
  readonly connectionsRefused: number;
  /** Requests over `requestsPerSecondPerAddressMax`. */
  readonly requestsRefused: number;
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

/** Sweeps in the shortest of all times. */
const SWEEPS_MIN = 8;
/** As upstream says it where its server refuses. */
const BUSY_REMARK = '[REJECTREQUEST]system busy, start flow control for a while';
/** A peer that does not read gets this long to take the rest when the server closes. */
const CLOSE_GRACE_MS = 1_000;
/** @source rocketmq NettyServerConfig.serverSocketBacklog */
const BACKLOG = 1_024;
/** Sixteen of the largest frames; 65,536 of those that have hardly begun. */
const UNFINISHED_BYTES_MAX = 256 * 1024 * 1024;
/** Connections beyond `connectionsMax` from members' addresses: a group of 9, several times over. */
const MEMBER_ROOM = 64;

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
  /** Connections that have not yet shown what they speak. */
  readonly #doorways = new Set<Doorway>();
  readonly #unheard = new Unheard(MEMBER_ROOM);
  readonly #connectionsMax: number;
  readonly #handshakes: TlsHandshakes | null;
  readonly #limits: AddressLimits;
  readonly #refusals: Refusals;
  readonly #clock: Clock;
  readonly #sweeps: SweepTimes;
  #stopSweeping: Cancel = () => {};
  #nextId = 1;
  port: number;
  requestsRefused = 0;

  constructor(options: TcpServerOptions, handler: ServerHandler) {
    this.#options = options;
    this.#handler = handler;
    this.port = options.port;
    this.#connectionsMax = options.connectionsMax ?? 20_000;
    this.#clock = options.clock ?? systemClock;
    this.#sweeps = sweepTimes(options);
    this.#refusals = new Refusals(options.logger);
    this.#handshakes = options.tls ? new TlsHandshakes(options.tls) : null;
    this.#limits = new AddressLimits({
      connectionsMax: options.connectionsPerAddressMax ?? 0,
      requestsPerSecondMax: options.requestsPerSecondPerAddressMax ?? 0,
      unfinishedBytesMax: options.unfinishedBytesPerAddressMax ?? UNFINISHED_BYTES_MAX,
    });
    this.#server = createServer({ noDelay: true, keepAlive: false }, (socket) =>
      this.#accept(socket),
    );
  }

  get connectionsRefused(): number {
    return this.#refusals.total;
  }

  get connections(): number {
    return this.#connections.size + this.#doorways.size;
  }

  listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => reject(new ListenError({ host, port }, cause)));
      this.#server.listen({ host, port, backlog: BACKLOG }, () => {
        this.#server.removeAllListeners('error');
        this.#server.on('error', (error) => this.#options.logger.error({ error }, 'accept failed'));
        const address = this.#server.address();
        if (typeof address === 'object' && address !== null) this.port = address.port;
        this.#stopSweeping = this.#clock.every(this.#sweeps.periodMs, () => this.#sweep());
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    this.#stopSweeping();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const doorway of this.#doorways) doorway.close();
    for (const connection of this.#connections) connection.close('server is closing');
    const impatience = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, CLOSE_GRACE_MS);
    await closed;
    clearTimeout(impatience);
  }

  #accept(socket: Socket): void {
    const host = plainHost(socket.remoteAddress ?? '');
    const budget = this.#limits.enter(host, this.#clock.nowMs());
    if (budget === null) {
      const max = this.#options.connectionsPerAddressMax;
      this.#refusals.add(host, `${max} connections of this address are open`);
      socket.destroy();
      return;
    }
    const isMember = this.#options.isMemberHost?.(host) ?? false;
    if (!this.#makeRoom(isMember)) {
      this.#limits.leave(host, this.#clock.nowMs());
      this.#refusals.add(host, `${this.#connectionsMax} connections are open`);
      socket.destroy();
      return;
    }
    const doorway = new Doorway({
      socket,
      host,
      tls: this.#options.tls ?? null,
      handshakes: this.#handshakes,
      silentSweepsMax: Math.min(this.#sweeps.quietMax, this.#sweeps.firstFrameMax),
      handshakeSweepsMax: this.#sweeps.handshakeMax,
      onArrival: (arrival) => {
        this.#doorways.delete(doorway);
        this.#arrived(socket, arrival, budget);
      },
      onRefused: (reason) => this.#refusals.add(host, reason),
      onIdle: () => this.#options.logger.debug({ peer: host, reason: 'idle' }, 'closed'),
      onGone: () => {
        this.#doorways.delete(doorway);
        this.#unheard.delete(socket);
        this.#limits.leave(host, this.#clock.nowMs());
      },
    });
    this.#doorways.add(doorway);
    this.#unheard.add(socket, doorway, isMember);
  }

  /** @returns whether there is room, if need be by having somebody give way */
  #makeRoom(isMember: boolean): boolean {
    const max = this.#connectionsMax + (isMember ? MEMBER_ROOM : 0);
    if (this.connections < max) return true;
    const yielding = this.#unheard.takeOldest(isMember);
    yielding?.refuse('has sent no frame, and its room is needed');
    return yielding !== null;
  }

  #arrived(socket: Socket, { first, origin, stream }: Arrival, budget: AddressBudget): void {
    const handler = this.#handler;
    let isHeard = false;
    const connection = new ServerConnection(stream, {
      id: this.#nextId,
      frameBytesMax: this.#options.frameBytesMax ?? frameBytesMaxDefault,
      outboundHighWaterBytes: this.#options.outboundHighWaterBytes ?? 1024 * 1024,
      outboundBytesMax: this.#options.outboundBytesMax ?? 64 * 1024 * 1024,
      origin,
      onCommand: (command) => {
        if (!isHeard) {
          isHeard = true;
          this.#unheard.delete(socket);
        }
        if (this.#mayAsk(command, budget)) handler.onCommand(connection, command);
        else this.#answerBusy(command, connection);
      },
      onUnfinished: (bytes) =>
        budget.hold(connection, connection.admittedAsMember === 0 ? bytes : 0),
      onClose: (reason, isFault) => {
        if (isFault) this.#refusals.add(connection.remoteAddress, reason);
        else this.#options.logger.debug({ peer: connection.remoteAddress, reason }, 'closed');
        handler.onClose?.(connection, reason);
      },
      onGone: () => this.#connections.delete(connection),
    });
    this.#nextId += 1;
    this.#connections.add(connection);
    this.#unheard.replace(socket, connection);
    handler.onConnection?.(connection);
    if (first !== null) connection.receive(first);
  }

  /** Members are not held up by what others on their address do; who is none is closed for it. */
  #mayAsk({ code }: RemotingCommand, budget: AddressBudget): boolean {
    return isMemberCode(code) || budget.take(this.#clock.nowMs());
  }

  #answerBusy(command: RemotingCommand, connection: ServerConnection): void {
    this.requestsRefused += 1;
    if (isOneway(command) || isResponse(command)) return;
    const { opaque } = command;
    const code = ResponseCode.SystemBusy;
    connection.respond({ code, opaque, extFields: null, remark: BUSY_REMARK, body: null });
  }

  #sweep(): void {
    for (const doorway of this.#doorways) doorway.sweep();
    for (const connection of this.#connections) connection.sweep(this.#sweeps);
    this.#limits.sweep(this.#clock.nowMs());
    this.#refusals.sweep();
  }
}

interface SweepTimes extends SweepLimits {
  readonly periodMs: number;
  readonly handshakeMax: number;
}

function sweepTimes(options: TcpServerOptions): SweepTimes {
  const { frameTimeoutMs = 30_000, handshakeTimeoutMs = 10_000, idleCloseMs = 120_000 } = options;
  const firstFrameTimeoutMs = options.firstFrameTimeoutMs || idleCloseMs;
  const shortestMs = Math.min(frameTimeoutMs, handshakeTimeoutMs, idleCloseMs, firstFrameTimeoutMs);
  const periodMs = shortestMs / SWEEPS_MIN;
  return {
    periodMs,
    quietMax: Math.ceil(idleCloseMs / periodMs),
    firstFrameMax: Math.ceil(firstFrameTimeoutMs / periodMs),
    frameMax: Math.ceil(frameTimeoutMs / periodMs),
    handshakeMax: Math.ceil(handshakeTimeoutMs / periodMs),
  };
}
