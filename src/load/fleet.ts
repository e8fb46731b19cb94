/**
 * The broker sets of one worker, and what their brokers know of themselves.
 *
 * Requests that never change are built once per broker or set; a generator sends 100,000 a second.
 */
import assert from 'node:assert/strict';
import type { Request } from '../client/types.js';
import { RequestCode } from '../lib/codes.js';
import { requestHead } from '../remoting/frame-writer.js';
import { extFieldsJson } from '../remoting/json-text.js';

export const CLUSTER = 'quorumark';
/** After this long without a beat a controller counts a broker as dead; upstream's default. */
export const HEARTBEAT_TIMEOUT_MS = 10_000;

export interface Broker {
  readonly set: BrokerSet;
  /** Position among all brokers of the run: picks its connection. */
  readonly lane: number;
  readonly id: number;
  readonly address: string;
  readonly heartbeat: Request;
}

/** What the controller last said about a set. */
export interface SetFacts {
  readonly masterId: number;
  readonly masterEpoch: number;
  readonly syncStateSet: readonly number[];
  readonly syncStateSetEpoch: number;
}

export class BrokerSet {
  readonly name: string;
  readonly brokers: readonly Broker[];
  readonly replicaInfo: Request;
  readonly syncStateData: Request;
  readonly nextBrokerId: Request;
  readonly #everyone: readonly number[];
  masterId = 0;
  masterEpoch = 0;
  syncStateSet: readonly number[] = [];
  syncStateSetEpoch = 0;

  /**
   * @param index position among all sets of the run.
   * @param heartbeatTimeoutMs for so long its brokers ask to count as alive without another beat.
   */
  constructor(
    name: string,
    index: number,
    replicas: number,
    heartbeatTimeoutMs = HEARTBEAT_TIMEOUT_MS,
  ) {
    this.name = name;
    const ids = Array.from({ length: replicas }, (_, replica) => replica + 1);
    this.#everyone = ids;
    this.brokers = ids.map((id) =>
      newBroker(this, index * replicas + id - 1, id, heartbeatTimeoutMs),
    );
    this.replicaInfo = { code: RequestCode.GetReplicaInfo, extFields: { brokerName: name } };
    this.syncStateData = { code: RequestCode.GetSyncStateData, body: JSON.stringify([name]) };
    this.nextBrokerId = {
      code: RequestCode.GetNextBrokerId,
      extFields: { clusterName: CLUSTER, brokerName: name },
    };
  }

  get isFull(): boolean {
    return this.syncStateSet.length === this.brokers.length;
  }

  adopt(facts: SetFacts): void {
    this.masterId = facts.masterId;
    this.masterEpoch = facts.masterEpoch;
    this.syncStateSet = facts.syncStateSet;
    this.syncStateSetEpoch = facts.syncStateSetEpoch;
  }

  /** All replicas when some are missing; else all but the last slave. Always has the master. */
  nextSyncStateSet(): readonly number[] {
    if (!this.isFull) return this.#everyone;
    const fallen = this.#everyone.findLast((id) => id !== this.masterId);
    return this.#everyone.filter((id) => id !== fallen);
  }

  /** 1001, as the master would send it. */
  alteration(proposed: readonly number[], invokeTime: number): Request {
    return {
      code: RequestCode.AlterSyncStateSet,
      extFields: {
        brokerName: this.name,
        masterBrokerId: this.masterId,
        masterEpoch: this.masterEpoch,
        invokeTime,
      },
      body: `{"syncStateSet":[${proposed.join()}],"syncStateSetEpoch":${this.syncStateSetEpoch}}`,
    };
  }

  broker(id: number): Broker {
    const broker = this.brokers[id - 1];
    assert(broker !== undefined, `${this.name} has no broker ${id}`);
    return broker;
  }
}

export interface FleetOptions {
  readonly prefix: string;
  readonly sets: number;
  readonly replicas: number;
  /** This worker's share of the sets. */
  readonly worker: number;
  readonly workers: number;
  /** Default: upstream's. */
  readonly heartbeatTimeoutMs?: number;
}

/** The sets of one worker: a contiguous share, so that all workers together have each set once. */
export function fleetOf(options: FleetOptions): BrokerSet[] {
  const { prefix, sets, replicas, worker, workers, heartbeatTimeoutMs } = options;
  const first = Math.floor((sets * worker) / workers);
  const end = Math.floor((sets * (worker + 1)) / workers);
  return Array.from({ length: end - first }, (_, i) => {
    const index = first + i;
    const name = `${prefix}${String(index).padStart(6, '0')}`;
    return new BrokerSet(name, index, replicas, heartbeatTimeoutMs);
  });
}

/**
 * How many connections a worker needs to each member. Lanes of a worker lie side by side, so with as
 * many connections as it has brokers each of them has one of its own.
 */
export function connectionsPerMember(
  { connections, connectionsPerWorker }: ConnectionChoice,
  sets: readonly BrokerSet[],
): number {
  if (connections === 'shared') return connectionsPerWorker;
  return sets.reduce((sum, { brokers }) => sum + brokers.length, 0);
}

export interface ConnectionChoice {
  readonly connections: 'shared' | 'own';
  /** To each member, when they are shared. */
  readonly connectionsPerWorker: number;
}

/**
 * An address on loopback where nothing listens (port 1): a controller's 1008 pushes are refused at
 * once, and the brokers learn by polling, as real ones do when a push is lost.
 */
export function brokerAddress(lane: number): string {
  return `127.${1 + (lane >> 16)}.${(lane >> 8) & 255}.${lane & 255}:1`;
}

export function heartbeatOf(broker: {
  readonly brokerName: string;
  readonly id: number;
  readonly address: string;
  readonly epoch: number;
  readonly timeoutMs: number;
}): Request {
  const extFields = {
    clusterName: CLUSTER,
    brokerAddr: broker.address,
    brokerName: broker.brokerName,
    brokerId: broker.id,
    epoch: broker.epoch,
    maxOffset: 0,
    confirmOffset: 0,
    heartbeatTimeoutMills: broker.timeoutMs,
    electionPriority: 2_147_483_647,
  };
  const code = RequestCode.BrokerHeartbeat;
  return { code, extFields, head: requestHead(code, extFieldsJson(extFields)) };
}

function newBroker(set: BrokerSet, lane: number, id: number, timeoutMs: number): Broker {
  const address = brokerAddress(lane);
  const heartbeat = heartbeatOf({ brokerName: set.name, id, address, epoch: 1, timeoutMs });
  return { set, lane, id, address, heartbeat };
}
