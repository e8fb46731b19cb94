/**
 * One connection on which exactly what a test wants is sent, broken headers included, one request
 * at a time. The client of `src/client` could not: it only sends what is right.
 */
import { connect, type Socket } from 'node:net';
import { parseAddress } from '../net/address.js';
import { decodeCommand, encodeBinary } from '../remoting/codec.js';
import { FLAG_ONEWAY, isResponse, type RemotingCommand } from '../remoting/command.js';
import { FrameDecoder } from '../remoting/frame-decoder.js';
import { clientIdentity } from '../remoting/frame-writer.js';
import type { Outcome, WireRequest } from './exchange.js';

/** A controller's own limit is 5 s; a JVM on a busy machine may take its time. */
const REPLY_TIMEOUT_MS = 20_000;
/** Answered by every controller, from memory. */
const PROBE: WireRequest = { code: 1005 };

export class WireError extends Error {
  override readonly name = 'WireError';
}

export class WireConnection {
  readonly #address: string;
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  readonly #replies = new Map<number, RemotingCommand>();
  /** Resolved by whatever arrives next, the end included. */
  #wake: () => void = () => {};
  #isClosed = false;
  #opaque = 0;

  constructor(address: string) {
    const target = parseAddress(address);
    if (target === null) throw new WireError(`not an address: ${address}`);
    this.#address = address;
    this.#socket = connect({ ...target, noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('error', () => this.#closed());
    this.#socket.on('close', () => this.#closed());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws {WireError} when there is neither a reply nor a closed connection in 20 s. */
  async ask(request: WireRequest): Promise<Outcome> {
    const opaque = this.#send(request);
    // A request that must not be answered shows by the answer to the next one.
    const awaited = request.isOneway === true ? this.#send(PROBE) : opaque;
    await this.#until(() => this.#isClosed || this.#replies.has(awaited));
    const reply = this.#replies.get(opaque);
    this.#replies.clear();
    if (reply !== undefined) return outcomeOf(reply);
    return this.#isClosed ? 'closed' : 'silent';
  }

  close(): void {
    this.#socket.destroy();
    this.#closed();
  }

  #send(request: WireRequest): number {
    this.#opaque += 1;
    this.#socket.write(frameOf(request, this.#opaque));
    return this.#opaque;
  }

  async #until(holds: () => boolean): Promise<void> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, REPLY_TIMEOUT_MS);
    try {
      while (!holds()) {
        if (isLate) {
          throw new WireError(`${this.#address} did not answer in ${REPLY_TIMEOUT_MS} ms`);
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #receive(chunk: Buffer): void {
    this.#decoder.push(chunk, (bytes, start, end) => {
      const command = decodeCommand(bytes, start, end);
      if (isResponse(command)) this.#replies.set(command.opaque, command);
    });
    this.#wake();
  }

  #closed(): void {
    this.#isClosed = true;
    this.#wake();
  }
}

function outcomeOf({ body, code, extFields, remark }: RemotingCommand): Outcome {
  return { code, remark, extFields, body: body === null ? null : body.toString() };
}

function frameOf(request: WireRequest, opaque: number): Buffer {
  const { bodyHex, code, extFields, frame, header, isBinary, isOneway } = request;
  if (frame !== undefined) return Buffer.from(frame, 'hex');
  const flag = isOneway === true ? FLAG_ONEWAY : 0;
  const body =
    bodyHex === undefined ? Buffer.from(request.body ?? '') : Buffer.from(bodyHex, 'hex');
  const { language, version } = clientIdentity;
  if (isBinary === true) {
    const texts = extFields as Readonly<Record<string, string>> | null | undefined;
    const command = { code, language, version, opaque, flag, remark: null };
    return encodeBinary({ ...command, extFields: texts ?? null, body });
  }
  const fields = {
    code,
    extFields,
    flag,
    language,
    opaque,
    serializeTypeCurrentRPC: 'JSON',
    version,
  };
  const text = header?.replaceAll('$opaque', String(opaque)) ?? JSON.stringify(fields);
  const headerBytes = Buffer.from(text);
  const lengths = Buffer.alloc(8);
  lengths.writeInt32BE(4 + headerBytes.length + body.length, 0);
  lengths.writeInt32BE(headerBytes.length, 4);
  return Buffer.concat([lengths, headerBytes, body]);
}
