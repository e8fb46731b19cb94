/**
 * One accepted connection: commands in, responses out, bounded both ways.
 */
import { ResponseCode } from '../lib/codes.js';
import { decodeCommand } from '../remoting/codec.js';
import type { RemotingCommand } from '../remoting/command.js';
import { FrameError } from '../remoting/errors.js';
import { FrameDecoder } from '../remoting/frame-decoder.js';
import { type FrameWriter, type ResponseFrame, serverIdentity } from '../remoting/frame-writer.js';
import type { ByteStream } from './byte-stream.js';
import { Outbound } from './outbound.js';
import { pollPhaseStarted } from './turn.js';

export interface ServerConnectionOptions {
  readonly id: number;
  readonly frameBytesMax: number;
  readonly outboundHighWaterBytes: number;
  readonly outboundBytesMax: number;
  readonly onCommand: (command: RemotingCommand) => void;
  /** Once; no command follows. */
  readonly onClose: (reason: string) => void;
  /** Once, when the socket is gone too. */
  readonly onGone: () => void;
}

/** The first byte of a TLS hello; no legal frame starts with it. */
const TLS_HANDSHAKE = 0x16;

export class ServerConnection {
  /** Unique in the life of its server. */
  readonly id: number;
  readonly remoteAddress: string;
  /** For whoever handles the commands of this connection. */
  attachment: unknown = null;
  readonly #socket: ByteStream;
  readonly #options: ServerConnectionOptions;
  readonly #decoder: FrameDecoder;
  readonly #outbound: Outbound;
  #hasRead = false;
  #isReading = true;
  #isClosed = false;
  #sweepsQuiet = 0;

  constructor(socket: ByteStream, options: ServerConnectionOptions) {
    this.id = options.id;
    this.remoteAddress = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#socket = socket;
    this.#options = options;
    this.#decoder = new FrameDecoder(options.frameBytesMax);
    this.#outbound = new Outbound(socket, serverIdentity, () => this.#afterFlush());
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#resume());
    socket.on('end', () => this.#closed('closed by peer'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#closed(error.code ?? error.message));
    socket.on('close', () => {
      this.#closed('closed by peer');
      options.onGone();
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** False while the peer is too slow in taking its responses. */
  get isReading(): boolean {
    return this.#isReading;
  }

  /** Bytes that the peer has not taken yet. */
  get outboundBytes(): number {
    return this.#outbound.pendingBytes;
  }

  /**
   * Adds a response, sent with all else of this turn; dropped when the connection is closed. A
   * response too large for a frame is answered with code 1 instead.
   */
  respond(response: ResponseFrame): void {
    if (this.#isClosed) return;
    try {
      this.#outbound.writer.response(response);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      const { opaque } = response;
      const remark = error.message;
      const code = ResponseCode.SystemError;
      this.#outbound.writer.response({ code, opaque, extFields: null, remark, body: null });
    }
    // A turn that answers with megabytes must not gather them all first.
    if (this.#outbound.gatheredBytes > this.#options.outboundHighWaterBytes) this.#outbound.flush();
  }

  /** For frames other than responses: they leave with all else of this turn. null when closed. */
  get writer(): FrameWriter | null {
    return this.#isClosed ? null : this.#outbound.writer;
  }

  /** Sends what is gathered, then closes. The first reason wins. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.#outbound.flush();
    this.#closed(reason);
    this.#socket.destroySoon();
  }

  /** Closes at once, whatever is unsent. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** @returns how many sweeps in a row, this one included, have seen no byte either way. */
  sweepsQuiet(): number {
    this.#sweepsQuiet += 1;
    return this.#sweepsQuiet;
  }

  #receive(chunk: Buffer): void {
    if (this.#isClosed) return;
    pollPhaseStarted();
    this.#sweepsQuiet = 0;
    if (!this.#hasRead) {
      this.#hasRead = true;
      if (chunk[0] === TLS_HANDSHAKE) {
        this.#fail('TLS is not spoken here');
        return;
      }
    }
    try {
      this.#decoder.push(chunk, this.#onFrame);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#fail(error.message);
    }
  }

  readonly #onFrame = (bytes: Buffer, start: number, end: number): void => {
    if (!this.#isClosed) this.#options.onCommand(decodeCommand(bytes, start, end));
  };

  #afterFlush(): void {
    this.#sweepsQuiet = 0;
    const pending = this.#socket.writableLength;
    if (pending > this.#options.outboundBytesMax) {
      this.#fail(`${pending} bytes wait for a peer that does not read`);
    } else if (pending > this.#options.outboundHighWaterBytes && this.#isReading) {
      this.#isReading = false;
      this.#socket.pause();
    }
  }

  #resume(): void {
    this.#sweepsQuiet = 0;
    if (this.#isReading) return;
    this.#isReading = true;
    this.#socket.resume();
  }

  /** Nothing more is said to a peer that broke the protocol. */
  #fail(reason: string): void {
    this.#closed(reason);
    this.#socket.destroy();
  }

  #closed(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#outbound.discard();
    this.#options.onClose(reason);
  }
}
