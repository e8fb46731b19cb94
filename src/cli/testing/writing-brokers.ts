/**
 * Masters that write to a real cluster for as long as they are told, and remember exactly what was
 * acknowledged and what was left open. Afterwards they compare that with what the cluster knows.
 *
 * One write per broker set is under way. A write that was answered by nothing or by code 1 may take
 * effect or not; the SyncStateSet's epoch is a fence, so of several such writes at most one does.
 */
import assert from 'node:assert/strict';
import { setTimeout as after } from 'node:timers/promises';
import { connect } from '../../client/connection.js';
import { discoverLeader } from '../../client/discover.js';
import type { ClientFailureCode } from '../../client/errors.js';
import { outcomeOf } from '../../client/outcome.js';
import type { Connection, Request } from '../../client/types.js';
import { RequestCode, ResponseCode } from '../../lib/codes.js';
import { until } from '../../lib/until.js';
import { decodeSyncStateSet } from '../../remoting/bodies.js';
import type { RemotingCommand } from '../../remoting/command.js';
import { readMaster } from '../../remoting/headers.js';
import type { RunningTarget, TargetMember } from '../../target/target.js';

interface Version {
  readonly epoch: number;
  readonly ids: readonly number[];
}

interface SetHistory {
  readonly name: string;
  acknowledged: Version;
  /** Writes whose outcome nobody knows; each would follow `acknowledged`. */
  open: Version[];
}

interface Answer {
  readonly failure: ClientFailureCode | null;
  readonly reply: RemotingCommand | null;
}

const CLUSTER = 'faults';
const REPLICAS = [1, 2];
const RECONNECT_MS = 50;
const RETRY_MS = 10;
const LEADER_TIMEOUT_MS = 15_000;

export class WritingBrokers {
  readonly #target: RunningTarget;
  readonly #sets: readonly SetHistory[];
  readonly #links = new Map<string, Connection>();
  readonly #reconnect: NodeJS.Timeout;
  readonly #violations: string[] = [];
  #leader: Promise<string> | null = null;
  #writers: Promise<void>[] = [];
  #isWriting = false;
  #left = false;
  /** Writes that the cluster said it has done. */
  acknowledged = 0;

  /** Registers broker sets of two replicas, the first of them master and alone in step. */
  static async join(target: RunningTarget, sets: number): Promise<WritingBrokers> {
    const brokers = new WritingBrokers(target, sets);
    const connection = await brokers.#leaderLink();
    await Promise.all(brokers.#sets.map((set) => brokers.#register(set, connection)));
    return brokers;
  }

  private constructor(target: RunningTarget, sets: number) {
    this.#target = target;
    this.#sets = Array.from({ length: sets }, (_, at) => ({
      ...{ name: `set-${at}`, acknowledged: { epoch: 1, ids: [1] }, open: [] },
    }));
    // Members that come back are told again who lives; they keep that in memory only.
    this.#reconnect = setInterval(() => {
      for (const address of target.addresses) this.#link(address);
    }, RECONNECT_MS);
  }

  startWriting(): void {
    this.#isWriting = true;
    this.#writers = this.#sets.map((set) => this.#write(set));
  }

  /** Resolves when so many more writes than now were acknowledged. */
  async untilAcknowledged(more: number, withinMs: number): Promise<void> {
    const wanted = this.acknowledged + more;
    await until(`${more} more acknowledged writes`, withinMs, () => this.acknowledged >= wanted);
  }

  async stopWriting(): Promise<void> {
    this.#isWriting = false;
    await Promise.all(this.#writers);
  }

  /** Compares what `member` answers (1004) with what was acknowledged. */
  async assertNothingLost(member: Pick<TargetMember, 'address'>): Promise<void> {
    for (const set of this.#sets) {
      await until(`${member.address} answers for ${set.name}`, 5_000, async () => {
        const { reply } = await ask(this.#link(member.address), replicaInfo(set));
        return reply?.code === ResponseCode.Success && this.#compare(set, reply) !== null;
      });
    }
    assert.deepEqual(this.#violations, []);
  }

  /** Resolves when all members show the same state of every broker set over HTTP. */
  async untilMembersAgree(withinMs: number): Promise<void> {
    const addresses = this.#target.members().map(({ httpAddress }) => httpAddress);
    for (const { name } of this.#sets) {
      await until(`members agree on ${name}`, withinMs, async () => {
        const states = await Promise.all(addresses.map((address) => stateOf(address, name)));
        return states[0] !== undefined && states.every((state) => state === states[0]);
      });
    }
  }

  /** Ends writes and connections, whatever has happened. */
  leave(): void {
    this.#left = true;
    this.#isWriting = false;
    clearInterval(this.#reconnect);
    for (const link of this.#links.values()) link.close();
  }

  async #register(set: SetHistory, connection: Connection): Promise<void> {
    const names = { clusterName: CLUSTER, brokerName: set.name };
    for (const id of REPLICAS) {
      const registerCheckCode = `10.0.0.${id}:10911;1`;
      const extFields = { ...names, appliedBrokerId: id, registerCheckCode };
      await succeed(connection, { code: RequestCode.ApplyBrokerId, extFields });
    }
    await succeed(connection, {
      code: RequestCode.ElectMaster,
      extFields: { ...names, brokerId: 1, designateElect: false },
    });
  }

  async #write(set: SetHistory): Promise<void> {
    while (this.#isWriting) {
      const address = await this.#findLeader();
      if (address === null) continue;
      const link = this.#link(address);
      if (set.open.length > 0 && !(await this.#learn(set, link))) {
        await this.#doubt(address);
        continue;
      }
      const { epoch, ids } = set.acknowledged;
      const next = { epoch: epoch + 1, ids: ids.length === 1 ? REPLICAS : [1] };
      const { failure, reply } = await ask(link, alteration(set, next));
      const outcome = outcomeOf('write', failure, reply);
      if (outcome.kind === 'ok') {
        set.acknowledged = next;
        set.open = [];
        this.acknowledged += 1;
        continue;
      }
      if (outcome.kind === 'indefinite') set.open.push(next);
      else if (!this.#isExpected(outcome.why, set)) {
        this.#violations.push(`${set.name}: write refused by ${outcome.why} ${reply?.remark}`);
        return;
      }
      await this.#doubt(address);
    }
  }

  /** A refusal that says nothing against the cluster. */
  #isExpected(why: ClientFailureCode | number, set: SetHistory): boolean {
    if (typeof why === 'string') return true;
    const isFenced =
      why === ResponseCode.FencedSyncStateSetEpoch || why === ResponseCode.AlterSyncStateSetFailed;
    // An open write took effect after we had looked.
    if (isFenced) return set.open.length > 0;
    return (
      why === ResponseCode.NotLeader ||
      why === ResponseCode.SystemBusy ||
      // A leader that has just started has not heard of the brokers yet.
      why === ResponseCode.BrokerNotAlive
    );
  }

  /** Asks what became of open writes. @returns whether there was an answer. */
  async #learn(set: SetHistory, link: Connection): Promise<boolean> {
    const { reply } = await ask(link, replicaInfo(set));
    if (reply?.code !== ResponseCode.Success) return false;
    const known = this.#compare(set, reply);
    if (known === null) return false;
    if (known.epoch !== set.acknowledged.epoch) set.open = [];
    set.acknowledged = known;
    return true;
  }

  /** @returns what the cluster has, if that is possible; else notes why it is not. */
  #compare(set: SetHistory, reply: RemotingCommand): Version | null {
    const { masterBrokerId, masterEpoch } = readMaster(reply.extFields);
    const body = decodeSyncStateSet(reply.body);
    const matches = ({ epoch, ids }: Version): boolean =>
      body?.syncStateSetEpoch === epoch && body.syncStateSet.join() === ids.join();
    const version = [set.acknowledged, ...set.open].find(matches);
    if (version !== undefined && masterBrokerId === 1 && masterEpoch === 1) return version;
    this.#violations.push(
      `${set.name}: master ${masterBrokerId} in epoch ${masterEpoch}, ${reply.body}; ` +
        `acknowledged ${JSON.stringify(set.acknowledged)}, open ${JSON.stringify(set.open)}`,
    );
    return version ?? { epoch: -1, ids: [] };
  }

  #findLeader(): Promise<string | null> {
    this.#leader ??= discoverLeader({
      addresses: this.#target.addresses,
      deadlineMs: LEADER_TIMEOUT_MS,
    });
    return this.#leader.catch(() => {
      this.#leader = null;
      return null;
    });
  }

  async #leaderLink(): Promise<Connection> {
    const leader = await this.#findLeader();
    assert(leader !== null, 'a cluster that has just started has a leader');
    return this.#link(leader);
  }

  /** What was said there was not what a leader says: looks for the leader again. */
  async #doubt(address: string): Promise<void> {
    const leader = this.#leader;
    await after(RETRY_MS);
    if (this.#leader === leader && (await leader) === address) this.#leader = null;
  }

  /** An open connection, or one that is being opened; on a new one every broker beats first. */
  #link(address: string): Connection {
    const known = this.#links.get(address);
    if (known !== undefined && (known.state !== 'closed' || this.#left)) return known;
    const link = connect(address, {
      windowMax: 4_096,
      connectTimeoutMs: 2_000,
      requestTimeoutMs: 5_000,
      closeOnTimeout: false,
      onOpen: () => {
        for (const set of this.#sets) for (const id of REPLICAS) link.oneway(heartbeat(set, id));
      },
    });
    this.#links.set(address, link);
    return link;
  }
}

function ask(link: Connection, request: Request): Promise<Answer> {
  return new Promise((resolve) => {
    link.request(request, (failure, reply) => resolve({ failure, reply }));
  });
}

async function succeed(link: Connection, request: Request): Promise<void> {
  const { failure, reply } = await ask(link, request);
  assert.equal(failure ?? reply?.code, ResponseCode.Success, `${request.code}: ${reply?.remark}`);
}

function alteration(set: SetHistory, { epoch, ids }: Version): Request {
  return {
    code: RequestCode.AlterSyncStateSet,
    extFields: { brokerName: set.name, masterBrokerId: 1, masterEpoch: 1 },
    body: JSON.stringify({ syncStateSet: ids, syncStateSetEpoch: epoch - 1 }),
  };
}

function replicaInfo(set: SetHistory): Request {
  return { code: RequestCode.GetReplicaInfo, extFields: { brokerName: set.name } };
}

function heartbeat(set: SetHistory, id: number): Request {
  return {
    code: RequestCode.BrokerHeartbeat,
    extFields: {
      clusterName: CLUSTER,
      brokerName: set.name,
      brokerId: id,
      brokerAddr: `10.0.0.${id}:10911`,
      heartbeatTimeoutMills: 3_600_000,
    },
  };
}

/** A member's own state of a broker set as text, without what it knows of who is alive. */
async function stateOf(httpAddress: string | null, name: string): Promise<string | undefined> {
  const response = await fetch(`http://${httpAddress}/v1/broker-sets/${name}`).catch(() => null);
  if (response?.status !== 200) return undefined;
  const { replicas: _, ...state } = (await response.json()) as { readonly replicas: unknown };
  return JSON.stringify(state);
}
