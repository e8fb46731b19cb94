/**
 * Unary gRPC calls over one HTTP/2 connection: what etcd speaks. Node's own http2, nothing else.
 *
 * @source grpc/grpc doc/PROTOCOL-HTTP2.md
 */
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { ClientError } from '../client/errors.js';

const PREFIX_BYTES = 5;
const WINDOW_BYTES = 1 << 20;

export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  /** A number of `google.rpc.Code`. */
  readonly code: number;

  constructor(code: number, detail: string) {
    super(`gRPC status ${code}: ${detail}`);
    this.code = code;
  }
}

export interface GrpcOptions {
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

export class GrpcConnection {
  readonly #session: ClientHttp2Session;
  readonly #requestTimeoutMs: number;

  /** @throws {ClientError} REFUSED or TIMEOUT when there is no connection. */
  static async open(address: string, options: GrpcOptions): Promise<GrpcConnection> {
    const session = connect(`http://${address}`);
    // Each call in flight learns of a lost connection from its own stream.
    session.on('error', () => {});
    session.once('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        session.destroy();
        reject(new ClientError('TIMEOUT'));
      }, options.connectTimeoutMs);
      session.once('connect', () => {
        clearTimeout(timer);
        resolve();
      });
      session.once('error', (cause) => {
        clearTimeout(timer);
        reject(new ClientError('REFUSED', { cause }));
      });
    });
    return new GrpcConnection(session, options.requestTimeoutMs);
  }

  private constructor(session: ClientHttp2Session, requestTimeoutMs: number) {
    this.#session = session;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  /**
   * @param path `/package.Service/Method`
   * @throws {GrpcError} for an answer that is a refusal, {ClientError} for none.
   */
  call(path: string, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#session.closed || this.#session.destroyed) {
        reject(new ClientError('CONNECTION_LOST'));
        return;
      }
      const stream = this.#session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const chunks: Buffer[] = [];
      let status: number | null = null;
      let detail = '';
      const timer = setTimeout(() => {
        reject(new ClientError('TIMEOUT'));
        stream.close(constants.NGHTTP2_CANCEL);
      }, this.#requestTimeoutMs);
      // A refusal may come with the first headers, anything else with the trailers.
      const noteStatus = (headers: { readonly [name: string]: unknown }): void => {
        if (headers['grpc-status'] === undefined) return;
        status = Number(headers['grpc-status']);
        detail = String(headers['grpc-message'] ?? '');
      };
      stream.on('response', noteStatus);
      stream.on('trailers', noteStatus);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', () => {});
      stream.on('close', () => {
        clearTimeout(timer);
        if (status === null) reject(new ClientError('CONNECTION_LOST'));
        else if (status !== 0) reject(new GrpcError(status, detail));
        else resolve(Buffer.concat(chunks).subarray(PREFIX_BYTES));
      });
      stream.end(framed(request));
    });
  }

  close(): void {
    this.#session.destroy();
  }
}

/** One uncompressed message, its length before it. */
function framed(request: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + request.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(request.length, 1);
  request.copy(frame, PREFIX_BYTES);
  return frame;
}
