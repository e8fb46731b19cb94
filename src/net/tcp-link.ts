/**
 * An outgoing framed connection that keeps itself up: member-to-member traffic.
 *
 * Lossy by design. A frame is sent on the connection it was handed to, or not at all: raft sends
 * again what matters, and what was meant for a lost connection is stale. Frames are dropped and
 * counted while no connection is being made, when one breaks, and over `outboundBytesMax`.
 */
import { connect } from 'node:net';
import type { Logger } from '../lib/logger.js';
import { type FrameWriter, serverIdentity } from '../remoting/frame-writer.js';
import type { Address } from './address.js';
import type { ByteStream } from './byte-stream.js';
import { Outbound } from './outbound.js';

export interface TcpLinkOptions extends Address {
  readonly logger: Logger;
  /** Unsent bytes over which a frame is dropped. */
  readonly outboundBytesMax?: number;
  /** The pause after a failed connection; doubles up to the maximum. */
  readonly reconnectMinMs?: number;
  readonly reconnectMaxMs?: number;
  readonly connectTimeoutMs?: number;
  /** Starts to connect; default: without TLS. */
  readonly dial?: (target: Address) => ByteStream;
  readonly onState?: (state: LinkState) => void;
}

/** `waiting`: between two attempts. */
export type LinkState = 'connecting' | 'open' | 'waiting' | 'closed';

const dialPlain = (target: Address): ByteStream =>
  connect({ ...target, noDelay: true, keepAlive: false });
/** A peer that does not read gets this long to take the rest when the link closes. */
const CLOSE_GRACE_MS = 200;

export class TcpLink {
  readonly #options: TcpLinkOptions;
  readonly #outboundBytesMax: number;
  #state: LinkState = 'waiting';
  #socket: ByteStream | null = null;
  #outbound: Outbound | null = null;
  #pauseMs: number;
  #pauseTimer: NodeJS.Timeout | null = null;
  #framesDropped = 0;

  constructor(options: TcpLinkOptions) {
    this.#options = options;
    this.#outboundBytesMax = options.outboundBytesMax ?? 32 * 1024 * 1024;
    this.#pauseMs = options.reconnectMinMs ?? 20;
    this.#connect();
  }

  get state(): LinkState {
    return this.#state;
  }

  /** `host:port` of the peer. */
  get address(): string {
    return `${this.#options.host}:${this.#options.port}`;
  }

  get framesDropped(): number {
    return this.#framesDropped;
  }

  /** Unsent bytes. */
  get outboundBytes(): number {
    return this.#outbound?.pendingBytes ?? 0;
  }

  /**
   * Has `write` add one frame, which leaves with all else of this turn.
   *
   * @returns false when the frame was dropped; `write` was not called then.
   */
  send(write: (writer: FrameWriter) => void): boolean {
    if (this.#outbound === null || this.#outbound.pendingBytes > this.#outboundBytesMax) {
      this.#framesDropped += 1;
      return false;
    }
    write(this.#outbound.writer);
    return true;
  }

  /** Sends what is gathered; resolves when the connection is gone. */
  async close(): Promise<void> {
    const socket = this.#socket;
    if (this.#state === 'open') this.#outbound?.flush();
    if (this.#pauseTimer !== null) clearTimeout(this.#pauseTimer);
    this.#enter('closed');
    this.#outbound = null;
    if (socket === null) return;
    const gone = new Promise<void>((resolve) => {
      socket.on('close', () => resolve());
    });
    if (socket.connecting) socket.destroy();
    else socket.destroySoon();
    socket.setTimeout(CLOSE_GRACE_MS, () => socket.destroy());
    await gone;
  }

  #connect(): void {
    const { host, port, connectTimeoutMs = 1_000, dial = dialPlain } = this.#options;
    const socket = dial({ host, port });
    this.#socket = socket;
    this.#outbound = new Outbound(socket, serverIdentity);
    this.#enter('connecting');
    let why = 'closed by peer';
    socket.setTimeout(connectTimeoutMs, () => {
      why = 'connect timed out';
      socket.destroy();
    });
    socket.on('connect', () => {
      socket.setTimeout(0, () => {});
      this.#opened();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      why = error.code ?? error.message;
    });
    socket.on('close', () => this.#lost(why));
    // Members speak one way per link, but only a socket that is read notices its end.
    socket.resume();
  }

  #opened(): void {
    if (this.#state === 'closed') return;
    this.#pauseMs = this.#options.reconnectMinMs ?? 20;
    this.#enter('open');
    this.#options.logger.info(this.#peer(), 'link open');
    this.#outbound?.flush();
  }

  #lost(reason: string): void {
    this.#socket = null;
    if (this.#state === 'closed') return;
    const log = this.#state === 'open' ? 'warn' : 'debug';
    this.#options.logger[log]({ ...this.#peer(), reason }, 'link down');
    this.#outbound?.discard();
    this.#outbound = null;
    this.#enter('waiting');
    this.#pauseTimer = setTimeout(() => this.#connect(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#options.reconnectMaxMs ?? 500);
  }

  #enter(state: LinkState): void {
    this.#state = state;
    this.#options.onState?.(state);
  }

  #peer(): { readonly peer: string } {
    return { peer: `${this.#options.host}:${this.#options.port}` };
  }
}
