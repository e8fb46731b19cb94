/**
 * The floor's leader: batch per turn, write, push, count acks, answer.
 */
import { connect, type Socket } from 'node:net';
import { ResponseCode } from '../lib/codes.js';
import type { ServerConnection } from '../net/server-connection.js';
import { type Flushable, flushThisTurn, pollPhaseStarted } from '../net/turn.js';
import type { RemotingCommand } from '../remoting/command.js';
import type { Durability } from '../storage/log-store.js';
import { BatchBuilder, MarkReader } from './floor-batch.js';
import { FloorLog } from './floor-log.js';
import { busy } from './floor-replies.js';

/** Requests that wait for their quorum; more are refused as busy. */
const WAITING_MAX = 65_536;
/** A follower that is so far behind is disconnected, and misses what it missed. */
const LINK_BYTES_MAX = 64 * 1024 * 1024;
const RECONNECT_MS = 50;

/** The requests of one batch, at equal places in both lists. */
interface Batch {
  readonly mark: number;
  readonly connections: ServerConnection[];
  readonly opaques: number[];
}

export class FloorLeader implements Flushable {
  readonly #builder = new BatchBuilder();
  readonly #log: FloorLog;
  readonly #links: readonly FollowerLink[];
  #own = 0;
  #mark = 0;
  #committed = 0;
  #answered = 0;
  #waitingCount = 0;
  #waiting: Batch[] = [];
  #open: Batch | null = null;

  constructor(options: {
    readonly file: string;
    readonly durability: Durability;
    /** Ports on 127.0.0.1 where the two followers take batches. */
    readonly followerPorts: readonly number[];
  }) {
    this.#log = new FloorLog({
      ...options,
      onPersisted: (mark) => {
        this.#own = mark;
        this.#commit();
      },
    });
    this.#links = options.followerPorts.map((port) => new FollowerLink(port, () => this.#commit()));
  }

  /** Takes a write; it is answered when two of three have it. */
  write(connection: ServerConnection, { opaque, extFields, body }: RemotingCommand): void {
    if (this.#waitingCount >= WAITING_MAX) {
      connection.respond({ ...busy, opaque });
      return;
    }
    let open = this.#open;
    if (open === null) {
      this.#mark += 1;
      open = { mark: this.#mark, connections: [], opaques: [] };
      this.#open = open;
      flushThisTurn(this);
    }
    const { brokerName = '' } = extFields ?? {};
    this.#builder.add(brokerName, body);
    open.connections.push(connection);
    open.opaques.push(opaque);
    this.#waitingCount += 1;
  }

  flush(): void {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    this.#waiting.push(open);
    const bytes = this.#builder.take(open.mark);
    for (const link of this.#links) link.push(bytes);
    this.#log.write(bytes, open.mark);
  }

  #commit(): void {
    const [first, second] = this.#links;
    const low = Math.min(first?.acked ?? 0, second?.acked ?? 0);
    const high = Math.max(first?.acked ?? 0, second?.acked ?? 0);
    const quorum = Math.max(low, Math.min(high, this.#own));
    if (quorum <= this.#committed) return;
    this.#committed = quorum;
    while ((this.#waiting[0]?.mark ?? Number.POSITIVE_INFINITY) <= quorum) {
      const batch = this.#waiting.shift();
      if (batch !== undefined) this.#answer(batch);
    }
  }

  #answer({ connections, opaques }: Batch): void {
    this.#waitingCount -= connections.length;
    for (let i = 0; i < connections.length; i += 1) {
      this.#answered += 1;
      connections[i]?.respond({
        code: ResponseCode.Success,
        opaque: opaques[i] ?? 0,
        extFields: `{"newSyncStateSetEpoch":"${this.#answered}"}`,
        remark: null,
        body: null,
      });
    }
  }
}

/** The connection to one follower; made again for ever, since followers may be restarted. */
class FollowerLink {
  /** Everything up to this mark is durable there. */
  acked = 0;
  readonly #port: number;
  readonly #onAck: () => void;
  #socket: Socket;

  constructor(port: number, onAck: () => void) {
    this.#port = port;
    this.#onAck = onAck;
    this.#socket = this.#connect();
  }

  push(batch: Buffer): void {
    if (this.#socket.readyState !== 'open') return;
    this.#socket.write(batch);
    if (this.#socket.writableLength > LINK_BYTES_MAX) this.#socket.destroy();
  }

  #connect(): Socket {
    const acks = new MarkReader('acks');
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    socket.on('data', (chunk: Buffer) => {
      pollPhaseStarted();
      this.acked = Math.max(this.acked, acks.push(chunk));
      this.#onAck();
    });
    // The close that follows every error is handled there.
    socket.on('error', () => {});
    socket.on('close', () => {
      setTimeout(() => {
        this.#socket = this.#connect();
      }, RECONNECT_MS);
    });
    return socket;
  }
}
