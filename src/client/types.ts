/**
 * What a remoting client offers to the load generators and the tools.
 *
 * Callbacks, not promises, on the path of a request: a generator sends 100,000 of them a second.
 */
import type { Address } from '../net/address.js';
import type { ByteStream } from '../net/byte-stream.js';
import type { RemotingCommand } from '../remoting/command.js';
import type { ClientFailureCode } from './errors.js';
import type { Expirable } from './sweep.js';

export interface Request {
  readonly code: number;
  /** Values are written as their decimal or boolean text; undefined fields are left out. */
  readonly extFields?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** By `requestHead`, from code and fields: for what has no body and is sent many times. */
  readonly head?: Buffer;
  /** Text is sent as UTF-8. */
  readonly body?: Buffer | string;
}

/** Exactly one of the two is null. */
export type Done = (failure: ClientFailureCode | null, reply: RemotingCommand | null) => void;

/** One TCP connection to one controller; requests are matched by opaque and may be many in flight. */
export interface Connection {
  readonly address: string;
  readonly state: 'connecting' | 'open' | 'closed';
  readonly inFlight: number;
  /**
   * Sends with all else of this turn. `done` is called exactly once, never before `request`
   * returned: with the reply, SHED (window full), REFUSED, TIMEOUT or CONNECTION_LOST.
   * Requests made while connecting wait in the window and are sent when it is open.
   */
  request(request: Request, done: Done): void;
  /** One-way: true when it was handed to the socket. */
  oneway(request: Request): boolean;
  close(): void;
}

/** Where a connection lives: on the machine's sockets and clock, or in a simulated run. */
export interface ClientRuntime {
  /** Starts to connect; nothing is called back before it returned. */
  dial(target: Address & { readonly localAddress?: string }): ByteStream;
  nowMs(): number;
  /** Has `expire(nowMs)` called again and again until `unwatch`. */
  watch(expirable: Expirable): void;
  unwatch(expirable: Expirable): void;
}

export interface ConnectionOptions {
  /** Unanswered requests on this connection; one more is SHED. */
  readonly windowMax: number;
  readonly connectTimeoutMs: number;
  /** Upstream brokers use 3,000. */
  readonly requestTimeoutMs: number;
  /** Upstream's `clientCloseSocketIfTimeout`, true by default: a late answer costs the whole connection. */
  readonly closeOnTimeout: boolean;
  /** Where to dial from; default: the system chooses. */
  readonly localAddress?: string;
  readonly onOpen?: () => void;
  readonly onClose?: (reason: string) => void;
  /** Default: this machine's. */
  readonly runtime?: ClientRuntime;
  /** Requests that the controller sends to us (1008). */
  readonly onRequest?: (request: RemotingCommand) => void;
}
