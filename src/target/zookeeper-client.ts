/**
 * The metadata of broker sets in ZooKeeper: a node for each, changed with the version that was seen,
 * as `alterSyncStateSet` compares epochs; read after a sync.
 *
 * A sync asks the leader and no quorum: a leader that was deposed and does not know it may answer,
 * so such a read counts as unproved.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { ClientError } from '../client/errors.js';
import { parseAddress } from '../net/address.js';
import {
  Code,
  connectRequest,
  createRequest,
  FrameCutter,
  getDataRequest,
  type Reply,
  readReply,
  readSessionTimeoutMs,
  setDataRequest,
  syncRequest,
  versionIn,
} from './jute.js';
import { type ReferenceAnswer, type ReferenceClient, recordOf } from './reference.js';

const SESSIONS_PER_MEMBER = 4;
/** Longer than a pause between two windows, so that no session needs a ping. */
const SESSION_TIMEOUT_MS = 40_000;
const REQUEST_TIMEOUT_MS = 3_000;
const OPEN_TIMEOUT_MS = 60_000;
const RETRY_MS = 250;
const FRAME_BYTES_MAX = 1 << 20;
const PREPARE_AT_ONCE = 64;
const ROOT = '/broker-sets';

export class ZookeeperClient implements ReferenceClient {
  readonly #sessions: readonly Session[];
  /** Of each set's node, as last seen. */
  readonly #versions = new Map<number, number>();
  #turn = 0;

  /** Tries again until every member serves. @throws {ClientError} TIMEOUT after 60 s. */
  static async open(addresses: readonly string[]): Promise<ZookeeperClient> {
    const deadline = performance.now() + OPEN_TIMEOUT_MS;
    const sessions: Session[] = [];
    try {
      for (const address of addresses) {
        for (let count = 0; count < SESSIONS_PER_MEMBER; count += 1) {
          sessions.push(await openSession(address, deadline));
        }
      }
      return new ZookeeperClient(sessions);
    } catch (error) {
      for (const session of sessions) session.close();
      throw error;
    }
  }

  private constructor(sessions: readonly Session[]) {
    this.#sessions = sessions;
  }

  async prepare(sets: number): Promise<void> {
    await this.#session().ask((xid) => createRequest(xid, ROOT, Buffer.alloc(0)));
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let set = next++; set < sets; set = next++) {
        const record = recordOf(set, 0);
        const { code } = await this.#session().ask((xid) =>
          createRequest(xid, pathOf(set), record),
        );
        if (code === Code.nodeExists) await this.read(set);
        else this.#versions.set(set, 0);
      }
    };
    await Promise.all(Array.from({ length: PREPARE_AT_ONCE }, worker));
  }

  async write(set: number): Promise<ReferenceAnswer> {
    const seen = this.#versions.get(set) ?? 0;
    const record = recordOf(set, seen);
    const { code, body } = await this.#session().ask((xid) =>
      setDataRequest(xid, pathOf(set), record, seen),
    );
    if (code === Code.badVersion) return 'fenced';
    if (code !== Code.ok) throw new Error(`ZooKeeper answers ${code}`);
    this.#versions.set(set, versionIn(body));
    return 'ok';
  }

  /** Both go out together: a session is answered in order. */
  async read(set: number): Promise<ReferenceAnswer> {
    const session = this.#session();
    const path = pathOf(set);
    const synced = session.ask((xid) => syncRequest(xid, path));
    const [, { code, body }] = await Promise.all([
      synced,
      session.ask((xid) => getDataRequest(xid, path)),
    ]);
    if (code !== Code.ok) throw new Error(`ZooKeeper answers ${code}`);
    const version = versionIn(body);
    if (version > (this.#versions.get(set) ?? -1)) this.#versions.set(set, version);
    return 'ok';
  }

  close(): Promise<void> {
    for (const session of this.#sessions) session.close();
    return Promise.resolve();
  }

  #session(): Session {
    const session = this.#sessions[this.#turn++ % this.#sessions.length];
    if (session === undefined) throw new ClientError('REFUSED');
    return session;
  }
}

const pathOf = (set: number): string => `${ROOT}/${set}`;

/** A server without a leader closes the connection before it gives a session. */
async function openSession(address: string, deadline: number): Promise<Session> {
  let cause: unknown;
  while (performance.now() < deadline) {
    try {
      return await Session.open(address);
    } catch (error) {
      cause = error;
      await after(RETRY_MS);
    }
  }
  throw new ClientError('TIMEOUT', { cause });
}

interface Waiting {
  readonly xid: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** One connection, whose requests are answered in the order they were sent. */
class Session {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #xid = 0;

  /** @throws {ClientError} when there is no session. */
  static open(address: string): Promise<Session> {
    const target = parseAddress(address);
    if (target === null) return Promise.reject(new ClientError('REFUSED'));
    const socket = connect({ ...target, noDelay: true });
    const cutter = new FrameCutter(FRAME_BYTES_MAX);
    return new Promise((resolve, reject) => {
      let session: Session | null = null;
      const fail = (error: ClientError): void => {
        clearTimeout(timer);
        socket.destroy();
        session?.fail();
        reject(error);
      };
      const timer = setTimeout(() => fail(new ClientError('TIMEOUT')), REQUEST_TIMEOUT_MS);
      socket.on('error', (cause) => fail(new ClientError('CONNECTION_LOST', { cause })));
      socket.on('close', () => fail(new ClientError('CONNECTION_LOST')));
      socket.once('connect', () => socket.write(connectRequest(SESSION_TIMEOUT_MS)));
      socket.on('data', (chunk) => {
        try {
          for (const frame of cutter.push(chunk)) {
            if (session !== null) {
              session.heard(readReply(frame));
            } else if (readSessionTimeoutMs(frame) > 0) {
              clearTimeout(timer);
              session = new Session(socket);
              resolve(session);
            } else {
              fail(new ClientError('REFUSED'));
            }
          }
        } catch (cause) {
          fail(new ClientError('CONNECTION_LOST', { cause }));
        }
      });
    });
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @throws {ClientError} TIMEOUT or CONNECTION_LOST. */
  ask(frame: (xid: number) => Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new ClientError('CONNECTION_LOST'));
        return;
      }
      this.#xid += 1;
      const xid = this.#xid;
      const timer = setTimeout(() => {
        this.#waiting.delete(xid);
        reject(new ClientError('TIMEOUT'));
      }, REQUEST_TIMEOUT_MS);
      this.#waiting.set(xid, { xid, resolve, reject, timer });
      this.#socket.write(frame(xid));
    });
  }

  /** An answer that nobody waits for any more is passed over. */
  heard(reply: Reply): void {
    const waiting = this.#waiting.get(reply.xid);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.xid);
    clearTimeout(waiting.timer);
    waiting.resolve(reply);
  }

  fail(): void {
    for (const { timer, reject } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new ClientError('CONNECTION_LOST'));
    }
    this.#waiting.clear();
  }

  close(): void {
    this.#socket.destroy();
  }
}
