/**
 * The metadata of broker sets in etcd: a key for each, changed by a transaction that compares the
 * key's revision first, as `alterSyncStateSet` compares epochs; read with etcd's own ReadIndex.
 *
 * @source etcd 3.4 etcdserver/etcdserverpb/rpc.proto, mvcc/mvccpb/kv.proto (field numbers)
 */
import { setTimeout as after } from 'node:timers/promises';
import { ClientError } from '../client/errors.js';
import { GrpcConnection, GrpcError, type GrpcOptions } from './grpc.js';
import { fieldsOf, message, messageField, numberField } from './protobuf.js';
import { type ReferenceAnswer, type ReferenceClient, recordOf } from './reference.js';

const RANGE = '/etcdserverpb.KV/Range';
const TXN = '/etcdserverpb.KV/Txn';
const STATUS = '/etcdserverpb.Maintenance/Status';

const COMPARE_MOD_REVISION = 2;
const CONNECTIONS_PER_MEMBER = 4;
const PREPARE_AT_ONCE = 64;
const LEADER_TIMEOUT_MS = 30_000;
const RETRY_MS = 100;
const timeouts: GrpcOptions = { connectTimeoutMs: 20_000, requestTimeoutMs: 3_000 };

export class EtcdClient implements ReferenceClient {
  readonly #members: readonly (readonly GrpcConnection[])[];
  readonly #leader: number;
  /** Of each set, as last seen; 0 before its key exists. */
  readonly #revisions = new Map<number, bigint>();
  #turn = 0;

  /** @throws {ClientError} REFUSED or TIMEOUT when a member cannot be reached, or none leads in 30 s. */
  static async open(addresses: readonly string[]): Promise<EtcdClient> {
    const members: GrpcConnection[][] = [];
    try {
      for (const address of addresses) {
        const own: GrpcConnection[] = [];
        members.push(own);
        for (let count = 0; count < CONNECTIONS_PER_MEMBER; count += 1) {
          own.push(await GrpcConnection.open(address, timeouts));
        }
      }
      return new EtcdClient(members, await leaderOf(members));
    } catch (error) {
      for (const connection of members.flat()) connection.close();
      throw error;
    }
  }

  private constructor(members: readonly (readonly GrpcConnection[])[], leader: number) {
    this.#members = members;
    this.#leader = leader;
  }

  async prepare(sets: number): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let set = next++; set < sets; set = next++) {
        if ((await this.write(set)) === 'fenced') await this.read(set);
      }
    };
    await Promise.all(Array.from({ length: PREPARE_AT_ONCE }, worker));
  }

  async write(set: number): Promise<ReferenceAnswer> {
    const seen = this.#revisions.get(set) ?? 0n;
    const reply = fieldsOf(await this.#leaderConnection().call(TXN, putIfAt(set, seen)));
    if (numberField(reply, 2) === 0n) return 'fenced';
    this.#revisions.set(set, numberField(messageField(reply, 1), 3));
    return 'ok';
  }

  /** Of each member in turn: all of them can prove a read. */
  async read(set: number): Promise<ReferenceAnswer> {
    const reply = fieldsOf(await this.#anyConnection().call(RANGE, message([1, keyOf(set)])));
    const revision = numberField(messageField(reply, 2), 3);
    // Of two answers that cross, the newer is believed.
    if (revision > (this.#revisions.get(set) ?? 0n)) this.#revisions.set(set, revision);
    return 'ok';
  }

  close(): Promise<void> {
    for (const connection of this.#members.flat()) connection.close();
    return Promise.resolve();
  }

  #leaderConnection(): GrpcConnection {
    return this.#connection(this.#leader, this.#turn++);
  }

  #anyConnection(): GrpcConnection {
    const turn = this.#turn++;
    return this.#connection(turn % this.#members.length, Math.floor(turn / this.#members.length));
  }

  #connection(member: number, turn: number): GrpcConnection {
    const own = this.#members[member] ?? [];
    const connection = own[turn % own.length];
    if (connection === undefined) throw new ClientError('REFUSED');
    return connection;
  }
}

const keyOf = (set: number): Buffer => Buffer.from(`broker-sets/${set}`);

/** If the key's revision is `seen`, puts the set's next record. */
export function putIfAt(set: number, seen: bigint): Buffer {
  const key = keyOf(set);
  const compare = message([2, COMPARE_MOD_REVISION], [3, key], [6, seen]);
  const put = message([1, key], [2, recordOf(set, Number(seen))]);
  return message([1, compare], [2, message([2, put])]);
}

/** Asks every member in turn until one says that it is the leader. */
async function leaderOf(members: readonly (readonly GrpcConnection[])[]): Promise<number> {
  const deadline = performance.now() + LEADER_TIMEOUT_MS;
  while (performance.now() < deadline) {
    for (const [index, [connection]] of members.entries()) {
      try {
        const reply = connection && fieldsOf(await connection.call(STATUS, message()));
        if (reply === undefined) continue;
        const leader = numberField(reply, 4);
        if (leader !== 0n && leader === numberField(messageField(reply, 1), 2)) return index;
      } catch (error) {
        if (!(error instanceof GrpcError || error instanceof ClientError)) throw error;
      }
    }
    await after(RETRY_MS);
  }
  throw new ClientError('TIMEOUT', { cause: new Error('no member of etcd leads') });
}
