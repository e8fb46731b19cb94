/**
 * A broker set that only stands there, for operators to have something to look at and to change: its
 * brokers are registered, beat on connections to every controller, and do nothing of their own.
 */
import assert from 'node:assert/strict';
import { setTimeout as after } from 'node:timers/promises';
import { call, connect } from '../client/connection.js';
import type { Connection, Request } from '../client/types.js';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import type { RemotingCommand } from '../remoting/command.js';
import type { RunningTarget } from './target.js';

export interface StandingSetOptions {
  readonly clusterName: string;
  readonly brokerName: string;
  /** Their ids are 1, 2, …; the first becomes master. */
  readonly replicas: number;
}

/** One broker as 1006 shows it. */
export interface Replica {
  readonly brokerId: number;
  readonly brokerAddress: string;
  readonly alive: boolean;
}

/** A broker set as 1006 shows it. */
export interface ReplicasInfo {
  readonly masterBrokerId?: number;
  readonly masterAddress?: string;
  readonly masterEpoch: number;
  readonly syncStateSetEpoch: number;
  readonly inSyncReplicas: readonly Replica[];
  readonly notInSyncReplicas: readonly Replica[];
}

const BEAT_MS = 1_000;
const LOOK_PAUSE_MS = 50;
const LOOKS_MAX = 200;
/** A broker is dead when its connection has ended, and not because this machine was busy. */
const HEARTBEAT_TIMEOUT_MS = 3_600_000;
const connection = {
  windowMax: 16,
  connectTimeoutMs: 3_000,
  requestTimeoutMs: 5_000,
  closeOnTimeout: false,
};

export class StandingSet {
  readonly #target: RunningTarget;
  readonly #is: StandingSetOptions;
  /** Of each broker, to each member of the group. */
  readonly #links = new Map<number, readonly Connection[]>();
  readonly #beating: NodeJS.Timeout;

  /** Registers the brokers, has the first elected, and puts all of them in step. */
  static async join(target: RunningTarget, options: StandingSetOptions): Promise<StandingSet> {
    const set = new StandingSet(target, options);
    await set.#join();
    return set;
  }

  private constructor(target: RunningTarget, options: StandingSetOptions) {
    this.#target = target;
    this.#is = options;
    this.#beating = setInterval(() => {
      for (const [id, links] of this.#links) {
        for (const link of links) link.oneway(this.#heartbeat(id));
      }
    }, BEAT_MS);
  }

  /** What the leader says of the set (1006); null when it does not know it. */
  async info(): Promise<ReplicasInfo | null> {
    const { brokerName } = this.#is;
    const { body } = await this.#ask({
      code: RequestCode.GetSyncStateData,
      body: JSON.stringify([brokerName]),
    });
    const { replicasInfoTable } = JSON.parse(body?.toString() ?? '{}') as {
      replicasInfoTable?: Record<string, ReplicasInfo>;
    };
    return replicasInfoTable?.[brokerName] ?? null;
  }

  /** Ends all connections of a broker; resolves when the leader has learnt from it that it is dead. */
  async silence(id: number): Promise<void> {
    this.#hangUp(id);
    for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
      const info = await this.info();
      const replicas = [...(info?.inSyncReplicas ?? []), ...(info?.notInSyncReplicas ?? [])];
      if (!replicas.some(({ alive, brokerId }) => alive && brokerId === id)) return;
      await after(LOOK_PAUSE_MS);
    }
    throw new Error(`broker ${id} has no connection, and still lives for the leader`);
  }

  leave(): void {
    clearInterval(this.#beating);
    for (const id of [...this.#links.keys()]) this.#hangUp(id);
  }

  #hangUp(id: number): void {
    for (const link of this.#links.get(id) ?? []) link.close();
    this.#links.delete(id);
  }

  addressOf(id: number): string {
    return `10.0.0.${id}:10911`;
  }

  async #join(): Promise<void> {
    const { brokerName, clusterName, replicas } = this.#is;
    const names = { clusterName, brokerName };
    const ids = Array.from({ length: replicas }, (_, index) => index + 1);
    for (const id of ids) {
      const links = this.#target.addresses.map((address) => connect(address, connection));
      this.#links.set(id, links);
      const registerCheckCode = `${this.addressOf(id)};1`;
      await this.#succeed(RequestCode.ApplyBrokerId, {
        ...{ ...names, appliedBrokerId: id, registerCheckCode },
      });
      await this.#succeed(RequestCode.RegisterBroker, {
        ...{ ...names, brokerId: id, brokerAddress: this.addressOf(id) },
      });
      await Promise.all(links.map((link) => call(link, this.#heartbeat(id))));
    }
    await this.#succeed(RequestCode.ElectMaster, { ...names, brokerId: 1, designateElect: false });
    await this.#succeed(
      RequestCode.AlterSyncStateSet,
      { brokerName, masterBrokerId: 1, masterEpoch: 1 },
      JSON.stringify({ syncStateSet: ids, syncStateSetEpoch: 1 }),
    );
  }

  #heartbeat(id: number): Request {
    return {
      code: RequestCode.BrokerHeartbeat,
      extFields: {
        clusterName: this.#is.clusterName,
        brokerName: this.#is.brokerName,
        brokerAddr: this.addressOf(id),
        brokerId: id,
        epoch: 1,
        maxOffset: 0,
        heartbeatTimeoutMills: HEARTBEAT_TIMEOUT_MS,
      },
    };
  }

  async #succeed(code: number, extFields: Request['extFields'], body?: string): Promise<void> {
    const reply = await this.#ask({
      code,
      ...(extFields !== undefined && { extFields }),
      ...(body !== undefined && { body }),
    });
    assert.equal(reply.code, ResponseCode.Success, `${code}: ${reply.remark}`);
  }

  async #ask(request: Request): Promise<RemotingCommand> {
    const { address } = await this.#target.leader();
    const link = connect(address, connection);
    try {
      return await call(link, request);
    } finally {
      link.close();
    }
  }
}
