/**
 * One connection to one controller, with many requests in flight.
 *
 * All requests of an event-loop turn leave in one write. Replies are matched by opaque, in any
 * order. A request waits in a window of `windowMax`; one more is SHED at once, so an overloaded
 * client shows it rather than hides it in a queue.
 *
 * @source rocketmq NettyRemotingClient (5.x, 8fc57f1)
 */
import { connect as connectSocket } from 'node:net';
import { parseAddress } from '../net/address.js';
import type { ByteStream } from '../net/byte-stream.js';
import { Outbound } from '../net/outbound.js';
import { type ClientTls, dialTls } from '../net/tls.js';
import { pollPhaseStarted } from '../net/turn.js';
import { decodeCommand } from '../remoting/codec.js';
import { FLAG_ONEWAY, isResponse, type RemotingCommand } from '../remoting/command.js';
import { FrameError } from '../remoting/errors.js';
import { FrameDecoder } from '../remoting/frame-decoder.js';
import { clientIdentity, type FrameWriter } from '../remoting/frame-writer.js';
import { HeaderMemo } from '../remoting/header-memo.js';
import { extFieldsJson } from '../remoting/json-text.js';
import { ClientError } from './errors.js';
import { unwatch, watch } from './sweep.js';
import type { ClientRuntime, Connection, ConnectionOptions, Done, Request } from './types.js';

interface Pending {
  readonly done: Done;
  /** On the runtime's clock. */
  readonly deadlineMs: number;
}

/** Unsent bytes over which a one-way request is refused. */
const ONEWAY_OUTBOUND_BYTES_MAX = 4 * 1024 * 1024;
/** A peer that does not read gets this long to take what was sent before `close`. */
const CLOSE_GRACE_MS = 1_000;
const OPAQUE_MAX = 0x7fff_ffff;

const thisMachine: ClientRuntime = {
  dial: (target) => connectSocket({ ...target, noDelay: true, keepAlive: false }),
  nowMs: () => performance.now(),
  watch,
  unwatch,
};

/** This machine's, with every connection by TLS. */
export const tlsRuntime = (tls: ClientTls): ClientRuntime => ({
  ...thisMachine,
  dial: (target) => dialTls(target, tls),
});

/**
 * Starts to connect. Nothing is called back before this returns.
 *
 * @param address `host:port`; anything else is REFUSED
 */
export function connect(address: string, options: ConnectionOptions): RemotingConnection {
  return new RemotingConnection(address, options);
}

/** @throws {ClientError} */
export function call(connection: Connection, request: Request): Promise<RemotingCommand> {
  return new Promise((resolve, reject) => {
    connection.request(request, (failure, reply) => {
      if (failure !== null) reject(new ClientError(failure));
      else if (reply !== null) resolve(reply);
    });
  });
}

export class RemotingConnection implements Connection {
  readonly address: string;
  readonly #options: ConnectionOptions;
  readonly #runtime: ClientRuntime;
  readonly #socket: ByteStream | null;
  readonly #outbound: Outbound | null;
  readonly #decoder = new FrameDecoder();
  readonly #headers = new HeaderMemo();
  /** By opaque, oldest first: a Map keeps its order, and all requests have the same timeout. */
  readonly #pending = new Map<number, Pending>();
  readonly #connectDeadlineMs: number;
  /** No request expires before this; spares the sweep a look into each window. */
  #nextDeadlineMs = Number.POSITIVE_INFINITY;
  #isWatched = true;
  #state: 'connecting' | 'open' | 'closed' = 'connecting';
  #opaque = 0;
  #unmatchedReplies = 0;

  constructor(address: string, options: ConnectionOptions) {
    this.address = address;
    this.#options = options;
    this.#runtime = options.runtime ?? thisMachine;
    this.#connectDeadlineMs = this.#runtime.nowMs() + options.connectTimeoutMs;
    const target = parseAddress(address);
    if (target === null) {
      this.#socket = null;
      this.#outbound = null;
      process.nextTick(() => this.#closed(`not an address: ${address}`));
      return;
    }
    const { localAddress } = options;
    const socket = this.#runtime.dial({ ...target, ...(localAddress && { localAddress }) });
    this.#socket = socket;
    this.#outbound = new Outbound(socket, clientIdentity);
    socket.on('connect', () => this.#opened());
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#closed(error.code ?? error.message));
    socket.on('end', () => this.#closed('closed by peer'));
    socket.on('close', () => this.#closed('closed by peer'));
    this.#runtime.watch(this);
  }

  get state(): 'connecting' | 'open' | 'closed' {
    return this.#state;
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  /** Replies that came after their request was given up, or that nobody asked for. */
  get unmatchedReplies(): number {
    return this.#unmatchedReplies;
  }

  /** @throws {FrameError} FRAME_TOO_LARGE: the request could not be sent to anyone. */
  request(request: Request, done: Done): void {
    if (this.#state === 'closed' || this.#outbound === null) {
      process.nextTick(done, 'REFUSED', null);
      return;
    }
    if (this.#pending.size >= this.#options.windowMax) {
      process.nextTick(done, 'SHED', null);
      return;
    }
    const opaque = this.#write(this.#outbound.writer, request, 0);
    const deadlineMs = this.#runtime.nowMs() + this.#options.requestTimeoutMs;
    if (this.#pending.size === 0) this.#nextDeadlineMs = deadlineMs;
    this.#pending.set(opaque, { done, deadlineMs });
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#runtime.watch(this);
  }

  /** @throws {FrameError} FRAME_TOO_LARGE: the request could not be sent to anyone. */
  oneway(request: Request): boolean {
    if (this.#state !== 'open' || this.#outbound === null) return false;
    if (this.#outbound.pendingBytes > ONEWAY_OUTBOUND_BYTES_MAX) return false;
    this.#write(this.#outbound.writer, request, FLAG_ONEWAY);
    return true;
  }

  /** Sends what was handed over, then closes; unanswered requests are lost. */
  close(): void {
    if (this.#state === 'open') {
      this.#outbound?.flush();
      this.#socket?.setTimeout(CLOSE_GRACE_MS, () => this.#socket?.destroy());
      this.#socket?.destroySoon();
      this.#settle('closed here');
    } else {
      this.#closed('closed here');
    }
  }

  /** For the sweep. */
  expire(nowMs: number): void {
    if (this.#state === 'connecting' && nowMs >= this.#connectDeadlineMs) {
      this.#closed('connect timed out');
      return;
    }
    if (this.#state === 'open' && this.#pending.size === 0) {
      // Thousands of idle connections cost the sweep nothing.
      this.#isWatched = false;
      this.#runtime.unwatch(this);
      return;
    }
    if (nowMs < this.#nextDeadlineMs) return;
    let isLate = false;
    this.#nextDeadlineMs = Number.POSITIVE_INFINITY;
    for (const [opaque, { done, deadlineMs }] of this.#pending) {
      if (deadlineMs > nowMs) {
        this.#nextDeadlineMs = deadlineMs;
        break;
      }
      isLate = true;
      this.#pending.delete(opaque);
      done('TIMEOUT', null);
    }
    if (isLate && this.#options.closeOnTimeout) this.#closed('a request timed out');
  }

  #write(writer: FrameWriter, request: Request, flag: number): number {
    const { body = null, code, extFields, head } = request;
    const opaque = this.#opaque === OPAQUE_MAX ? 0 : this.#opaque + 1;
    if (head === undefined) {
      const fields = extFields === undefined ? null : extFieldsJson(extFields);
      writer.request({ code, opaque, flag, extFields: fields, body });
    } else {
      writer.again(head, flag, opaque);
    }
    this.#opaque = opaque;
    return opaque;
  }

  #opened(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'open';
    this.#outbound?.flush();
    this.#options.onOpen?.();
  }

  #receive(chunk: Buffer): void {
    pollPhaseStarted();
    try {
      this.#decoder.push(chunk, this.#onFrame);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#closed(error.message);
    }
  }

  readonly #onFrame = (bytes: Buffer, start: number, end: number): void => {
    if (this.#state === 'closed') return;
    const command = decodeCommand(bytes, start, end, this.#headers);
    if (!isResponse(command)) {
      this.#options.onRequest?.(command);
      return;
    }
    const pending = this.#pending.get(command.opaque);
    if (pending === undefined) {
      this.#unmatchedReplies += 1;
      return;
    }
    this.#pending.delete(command.opaque);
    pending.done(null, command);
  };

  #closed(reason: string): void {
    this.#settle(reason);
    this.#socket?.destroy();
  }

  /** Idempotent: an error is followed by a close, and a close by whatever the peer still sends. */
  #settle(reason: string): void {
    if (this.#state === 'closed') return;
    const failure = this.#state === 'open' ? 'CONNECTION_LOST' : 'REFUSED';
    this.#state = 'closed';
    this.#runtime.unwatch(this);
    this.#outbound?.discard();
    for (const { done } of this.#pending.values()) done(failure, null);
    this.#pending.clear();
    this.#options.onClose?.(reason);
  }
}
