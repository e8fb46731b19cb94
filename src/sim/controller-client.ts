/**
 * A client that does to controllers what no broker would, and remembers what it was told.
 */
import { outcomeOf } from '../client/outcome.js';
import type { Request } from '../client/types.js';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import { CLUSTER } from '../load/fleet.js';
import { Links } from '../load/links.js';
import {
  decodeElectMasterBody,
  decodeReplicasInfo,
  decodeSyncStateSet,
} from '../remoting/bodies.js';
import type { RemotingCommand } from '../remoting/command.js';
import { readControllerMetadata, readMaster, readNextBrokerId } from '../remoting/headers.js';
import { clientRuntime, connectWith } from './client-runtime.js';
import type { History } from './history.js';
import type { SimNetwork } from './network.js';
import { ProcessClock } from './process-clock.js';
import type { ControllerOp, Destination } from './workload.js';
import type { World } from './world.js';

/** What one answer says about a set; null where it does not say. */
export interface SetAnswer {
  readonly code: number;
  readonly masterId: number | null;
  readonly masterEpoch: number | null;
  readonly syncStateSet: readonly number[] | null;
  readonly syncStateSetEpoch: number | null;
  readonly nextId: number | null;
}

/** What was asked, as the models read it. */
export interface SetRequest {
  readonly kind: ControllerOp['kind'];
  readonly brokerId: number | null;
  readonly designate: boolean;
  readonly checkCode: string | null;
  readonly masterId: number | null;
  readonly masterEpoch: number | null;
  readonly syncStateSet: readonly number[] | null;
  readonly syncStateSetEpoch: number | null;
}

export const nothingAsked: Omit<SetRequest, 'kind'> = {
  brokerId: null,
  designate: false,
  checkCode: null,
  masterId: null,
  masterEpoch: null,
  syncStateSet: null,
  syncStateSetEpoch: null,
};

interface Belief {
  masterId: number;
  masterEpoch: number;
  syncStateSetEpoch: number;
}

const REQUEST_TIMEOUT_MS = 1_500;
const WINDOW_MAX = 64;

export class ControllerClient {
  readonly #name: string;
  readonly #world: World;
  readonly #clock: ProcessClock;
  readonly #links: Links;
  readonly #history: History;
  readonly #setNames: readonly string[];
  readonly #beliefs: Belief[];
  #leader = 0;

  constructor(options: {
    readonly name: string;
    readonly world: World;
    readonly network: SimNetwork;
    readonly controllers: readonly string[];
    readonly setNames: readonly string[];
    readonly history: History;
  }) {
    const { name, network, world } = options;
    this.#name = name;
    this.#world = world;
    this.#clock = new ProcessClock(world);
    this.#history = options.history;
    this.#setNames = options.setNames;
    this.#beliefs = options.setNames.map(() => ({
      masterId: 1,
      masterEpoch: 1,
      syncStateSetEpoch: 1,
    }));
    this.#links = new Links({
      members: options.controllers,
      connectionsPerMember: 1,
      windowMax: WINDOW_MAX,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      connect: connectWith(clientRuntime(network, name, this.#clock)),
      clock: this.#clock,
    });
  }

  open(): void {
    this.#links.open();
    this.#clock.every(700, () => this.#findLeader());
  }

  do(op: ControllerOp): void {
    const belief = this.#beliefs[op.set] as Belief;
    const brokerName = this.#setNames[op.set] as string;
    const names = { clusterName: CLUSTER, brokerName };
    switch (op.kind) {
      case 'replica-info':
        this.#ask('read', op, { ...nothingAsked, kind: op.kind }, op.to, {
          code: RequestCode.GetReplicaInfo,
          extFields: { brokerName },
        });
        break;
      case 'sync-state':
        this.#ask('read', op, { ...nothingAsked, kind: op.kind }, op.to, {
          code: RequestCode.GetSyncStateData,
          body: JSON.stringify([brokerName]),
        });
        break;
      case 'elect': {
        const { brokerId, designate } = op;
        this.#ask('write', op, { ...nothingAsked, kind: op.kind, brokerId, designate }, op.to, {
          code: RequestCode.ElectMaster,
          extFields: {
            ...names,
            ...(brokerId !== null && { brokerId }),
            designateElect: designate,
            invokeTime: this.#clock.wallMs(),
          },
        });
        break;
      }
      case 'alter': {
        const { masterEpoch, masterId, syncStateSetEpoch } = belief;
        const syncStateSet = [1, 2, 3, 4].filter((id) => ((op.replicaBits >> (id - 1)) & 1) === 1);
        if (!syncStateSet.includes(masterId) && op.replicaBits % 3 !== 0)
          syncStateSet.push(masterId);
        this.#ask(
          'write',
          op,
          {
            ...nothingAsked,
            kind: op.kind,
            masterId,
            masterEpoch,
            syncStateSet,
            syncStateSetEpoch,
          },
          op.to,
          {
            code: RequestCode.AlterSyncStateSet,
            extFields: {
              brokerName,
              masterBrokerId: masterId,
              masterEpoch,
              invokeTime: this.#clock.wallMs(),
            },
            body: JSON.stringify({ syncStateSet, syncStateSetEpoch }),
          },
        );
        break;
      }
      case 'next-id':
        this.#ask('read', op, { ...nothingAsked, kind: op.kind }, 'leader', {
          code: RequestCode.GetNextBrokerId,
          extFields: names,
        });
        break;
      case 'apply-id': {
        const checkCode = `${this.#name};${op.id}`;
        this.#ask(
          'write',
          op,
          { ...nothingAsked, kind: op.kind, brokerId: op.id, checkCode },
          'leader',
          {
            code: RequestCode.ApplyBrokerId,
            extFields: { ...names, appliedBrokerId: op.id, registerCheckCode: checkCode },
          },
        );
        break;
      }
      case 'register':
        this.#ask('write', op, { ...nothingAsked, kind: op.kind, brokerId: op.id }, 'leader', {
          code: RequestCode.RegisterBroker,
          extFields: {
            ...names,
            brokerId: op.id,
            brokerAddress: `${this.#name}:${op.id}`,
            invokeTime: this.#clock.wallMs(),
          },
        });
        break;
    }
  }

  #ask(
    access: 'read' | 'write',
    op: ControllerOp,
    input: SetRequest,
    to: Destination,
    request: Request,
  ): void {
    const connection = this.#links.connection(to === 'leader' ? this.#leader : to, 0);
    if (connection === null) return; // Never sent: nothing happened.
    const partition = this.#setNames[op.set] as string;
    const operation = this.#history.begin(this.#name, partition, input, this.#world.nowMs);
    connection.request(request, (failure, reply) => {
      const outcome = outcomeOf(access, failure, reply);
      const answer = reply === null ? null : answerTo(op.kind, partition, reply);
      this.#history.end(operation, outcome, answer, this.#world.nowMs);
      if (reply?.code === ResponseCode.NotLeader) this.#findLeader();
      if (answer !== null) this.#learn(op.set, answer);
    });
  }

  #learn(set: number, answer: SetAnswer): void {
    const belief = this.#beliefs[set] as Belief;
    if (answer.masterId !== null) belief.masterId = answer.masterId;
    if (answer.masterEpoch !== null) belief.masterEpoch = answer.masterEpoch;
    if (answer.syncStateSetEpoch !== null) belief.syncStateSetEpoch = answer.syncStateSetEpoch;
  }

  #findLeader(): void {
    for (let member = 0; member < this.#links.members.length; member += 1) {
      this.#links
        .connection(member, 0)
        ?.request({ code: RequestCode.GetMetadataInfo }, (_, reply) => {
          const leader = readControllerMetadata(reply?.extFields ?? null).controllerLeaderAddress;
          const at = this.#links.members.indexOf(leader ?? '');
          if (at >= 0) this.#leader = at;
        });
    }
  }
}

/** What the reply to such a request says about the set. */
export function answerTo(
  kind: ControllerOp['kind'],
  brokerName: string,
  reply: RemotingCommand,
): SetAnswer {
  const master = readMaster(reply.extFields);
  const answer: SetAnswer = {
    code: reply.code,
    masterId: master.masterBrokerId ?? null,
    masterEpoch: master.masterEpoch ?? null,
    syncStateSet: null,
    syncStateSetEpoch: null,
    nextId: null,
  };
  if (reply.code !== ResponseCode.Success) return answer;
  switch (kind) {
    case 'next-id':
      return { ...answer, nextId: readNextBrokerId(reply.extFields).nextBrokerId ?? null };
    case 'sync-state': {
      const info = reply.body === null ? undefined : decodeReplicasInfo(reply.body).get(brokerName);
      if (info === undefined) return { ...answer, code: ResponseCode.BrokerMetadataNotExist };
      return {
        ...answer,
        masterId: info.masterBrokerId,
        masterEpoch: info.masterEpoch,
        syncStateSet: sorted(info.inSyncReplicas.map(({ brokerId }) => brokerId)),
        syncStateSetEpoch: info.syncStateSetEpoch,
      };
    }
    case 'elect': {
      const body = decodeElectMasterBody(reply.body);
      return { ...answer, syncStateSet: sorted(body?.syncStateSet) };
    }
    case 'replica-info':
    case 'alter':
    case 'register': {
      const set = decodeSyncStateSet(reply.body);
      return {
        ...answer,
        syncStateSet: sorted(set?.syncStateSet),
        syncStateSetEpoch: set?.syncStateSetEpoch ?? null,
      };
    }
    case 'apply-id':
      return answer;
  }
}

const sorted = (ids: readonly number[] | undefined | null): readonly number[] | null =>
  ids === undefined || ids === null ? null : [...ids].sort((a, b) => a - b);
