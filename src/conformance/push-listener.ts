/**
 * A broker's ear: takes what a controller pushes by itself (1008), one after the other.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { decodeCommand } from '../remoting/codec.js';
import { FrameDecoder } from '../remoting/frame-decoder.js';
import type { Reply } from './exchange.js';
import { WireError } from './wire.js';

/** Upstream gives a push 3 s. */
const PUSH_TIMEOUT_MS = 10_000;
/** More than any scenario causes; what comes beyond is dropped. */
const PUSHES_KEPT_MAX = 100;

export class PushListener {
  readonly address: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #pushes: Reply[] = [];
  #wake: () => void = () => {};

  /** Listens on a free port of this machine. */
  static async open(): Promise<PushListener> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PushListener(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** The oldest push that was not taken yet. @throws {WireError} when none comes in 10 s. */
  async next(): Promise<Reply> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, PUSH_TIMEOUT_MS);
    try {
      for (;;) {
        const push = this.#pushes.shift();
        if (push !== undefined) return push;
        if (isLate) throw new WireError(`nothing was pushed in ${PUSH_TIMEOUT_MS} ms`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #accept(socket: Socket): void {
    const decoder = new FrameDecoder();
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      decoder.push(chunk, (bytes, start, end) => {
        const { body, code, extFields, remark } = decodeCommand(bytes, start, end);
        if (this.#pushes.length >= PUSHES_KEPT_MAX) return;
        this.#pushes.push({ code, remark, extFields, body: body?.toString() ?? null });
      });
      this.#wake();
    });
  }
}
