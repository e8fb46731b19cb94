/**
 * One accepted connection: commands in, responses out, bounded both ways.
 */
import { ResponseCode } from '../lib/codes.js';
import { decodeCommand } from '../remoting/codec.js';
import type { RemotingCommand } from '../remoting/command.js';
import { FrameError } from '../remoting/errors.js';
import { FrameDecoder } from '../remoting/frame-decoder.js';
import { type FrameWriter, type ResponseFrame, serverIdentity } from '../remoting/frame-writer.js';
import { HeaderMemo } from '../remoting/header-memo.js';
import type { ByteStream } from './byte-stream.js';
import type { Origin } from './doorway.js';
import { Outbound } from './outbound.js';
import { pollPhaseStarted, type Reader, readInTime, turnIsSpent } from './turn.js';

export interface ServerConnectionOptions {
  readonly id: number;
  readonly frameBytesMax: number;
  readonly outboundHighWaterBytes: number;
  readonly outboundBytesMax: number;
  /** Default: what the socket says. */
  readonly origin?: Origin;
  readonly onCommand: (command: RemotingCommand) => void;
  /** Memory held for a frame whose rest has not arrived, whenever it changes; 0 at the end. */
  readonly onUnfinished?: (bytes: number) => void;
  /** Once; no command follows. `isFault`: the peer broke a rule or met a bound. */
  readonly onClose: (reason: string, isFault: boolean) => void;
  /** Once, when the socket is gone too. */
  readonly onGone: () => void;
}

/** How many sweeps a connection may pass in which something does not happen. */
export interface SweepLimits {
  /** Without a byte either way. */
  readonly quietMax: number;
  /** Without the first frame. */
  readonly firstFrameMax: number;
  /** With the same frame begun and not complete. */
  readonly frameMax: number;
}

export class ServerConnection implements Reader {
  /** Unique in the life of its server. */
  readonly id: number;
  readonly remoteAddress: string;
  readonly origin: Origin;
  /** For whoever handles the commands of this connection. */
  attachment: unknown = null;
  /** For the guard of the members' traffic: when it admitted this connection; 0: it has not. */
  admittedAsMember = 0;
  readonly #socket: ByteStream;
  readonly #options: ServerConnectionOptions;
  readonly #decoder: FrameDecoder;
  readonly #headers = new HeaderMemo();
  readonly #outbound: Outbound;
  #isReading = true;
  /** Read from the socket, which is paused, in a turn that had no time left. */
  #waiting: Buffer[] = [];
  #isClosed = false;
  #sweepsQuiet = 0;
  #hasRead = false;
  /** The frame that the last sweep found begun, and how many sweeps in a row have; 0: none. */
  #frameBegun = 0;
  #sweepsInFrame = 0;
  #unfinishedBytes = 0;

  constructor(socket: ByteStream, options: ServerConnectionOptions) {
    this.id = options.id;
    this.origin = options.origin ?? {
      host: socket.remoteAddress ?? '',
      port: socket.remotePort ?? 0,
      proxied: null,
      certificate: null,
    };
    const { host, port, proxied } = this.origin;
    this.remoteAddress = `${host}:${port}${proxied === null ? '' : ` (for ${proxied})`}`;
    this.#socket = socket;
    this.#options = options;
    this.#decoder = new FrameDecoder(options.frameBytesMax);
    this.#outbound = new Outbound(socket, serverIdentity, () => this.#afterFlush());
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
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

  /** Memory held for a frame whose rest has not arrived. */
  get unfinishedBytes(): number {
    return this.#unfinishedBytes;
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

  /** Nothing more is said to a peer that broke the protocol or met a bound. */
  refuse(reason: string): void {
    this.#closed(reason, true);
    this.#socket.destroy();
  }

  /** Closes at once, whatever is unsent. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Closes what has been quiet, or busy with one frame, for too long. To be called regularly. */
  sweep({ firstFrameMax, frameMax, quietMax }: SweepLimits): void {
    this.#sweepsQuiet += 1;
    const frame = this.#decoder.unfinishedFrame;
    // A frame whose rest we do not read is not late.
    const isSame = frame !== 0 && frame === this.#frameBegun && this.#isReading;
    this.#sweepsInFrame = isSame ? this.#sweepsInFrame + 1 : 0;
    this.#frameBegun = frame;
    if (this.#sweepsInFrame > frameMax) this.refuse('frame not complete in time');
    else if (this.#sweepsQuiet > quietMax) this.close('idle');
    else if (!this.#hasRead && this.#sweepsQuiet > firstFrameMax) this.close('no frame in time');
  }

  /** Takes bytes that somebody else read before. */
  receive(chunk: Buffer): void {
    if (this.#isClosed) return;
    pollPhaseStarted();
    this.#sweepsQuiet = 0;
    this.#hasRead = true;
    const isWaiting = this.#waiting.length > 0;
    if (!isWaiting && (this.admittedAsMember !== 0 || !turnIsSpent())) {
      this.#take(chunk);
      return;
    }
    this.#waiting.push(chunk);
    if (isWaiting) return;
    this.#socket.pause();
    readInTime(this);
  }

  /** Takes what has waited for its turn. */
  read(): void {
    const chunks = this.#waiting;
    this.#waiting = [];
    for (const chunk of chunks) this.#take(chunk);
    if (this.#isReading) this.#socket.resume();
  }

  #take(chunk: Buffer): void {
    if (this.#isClosed) return;
    try {
      this.#decoder.push(chunk, this.#onFrame);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.refuse(error.message);
    }
    this.#tellUnfinished(this.#isClosed ? 0 : this.#decoder.heldBytes);
  }

  #tellUnfinished(bytes: number): void {
    if (bytes === this.#unfinishedBytes) return;
    this.#unfinishedBytes = bytes;
    this.#options.onUnfinished?.(bytes);
  }

  readonly #onFrame = (bytes: Buffer, start: number, end: number): void => {
    if (!this.#isClosed) this.#options.onCommand(decodeCommand(bytes, start, end, this.#headers));
  };

  #afterFlush(): void {
    this.#sweepsQuiet = 0;
    const pending = this.#socket.writableLength;
    if (pending > this.#options.outboundBytesMax) {
      this.refuse(`${pending} bytes wait for a peer that does not read`);
    } else if (pending > this.#options.outboundHighWaterBytes && this.#isReading) {
      this.#isReading = false;
      this.#socket.pause();
    }
  }

  #resume(): void {
    this.#sweepsQuiet = 0;
    if (this.#isReading) return;
    this.#isReading = true;
    if (this.#waiting.length === 0) this.#socket.resume();
  }

  #closed(reason: string, isFault = false): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#outbound.discard();
    this.#tellUnfinished(0);
    this.#options.onClose(reason, isFault);
  }
}
