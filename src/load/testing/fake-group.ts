/**
 * A group of controllers in a few lines, for tests of the load: shared state, one leader, no log.
 *
 * Answers what the load asks with upstream's codes and fields, as far as the load reads them.
 */
import type { Request } from '../../client/types.js';
import { RequestCode, ResponseCode } from '../../lib/codes.js';
import { encodeReplicasInfo, encodeSyncStateSet } from '../../remoting/bodies.js';

export interface FakeReply {
  readonly code: number;
  readonly extFields?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface FakeSet {
  readonly ids: Map<number, string>;
  masterId: number;
  masterEpoch: number;
  syncStateSet: readonly number[];
  epoch: number;
}

export class FakeGroup {
  readonly members: readonly string[];
  readonly sets = new Map<string, FakeSet>();
  /** How often each request code was served, by any member. */
  readonly served = new Map<number, number>();
  readonly beating = new Set<string>();
  /** Position of the leader; −1 while nobody leads. */
  leader = 0;
  /** Whether members that do not lead answer reads. */
  followerReads = false;

  constructor(members: readonly string[] = ['n0:1', 'n1:1', 'n2:1']) {
    this.members = members;
  }

  count(code: number): number {
    return this.served.get(code) ?? 0;
  }

  /** What a leader does that has noticed a dead master: the next one in step takes over. */
  failOver(name: string, elected?: number): void {
    const set = this.sets.get(name);
    if (set === undefined) return;
    const next = set.syncStateSet.find((id) => id !== set.masterId);
    set.masterId = elected ?? next ?? 0;
    set.masterEpoch += 1;
    set.epoch += 1;
    set.syncStateSet = [set.masterId];
  }

  handle(member: number, request: Request): FakeReply {
    this.served.set(request.code, this.count(request.code) + 1);
    const fields = request.extFields ?? {};
    const name = String(fields['brokerName'] ?? '');
    const set = this.sets.get(name);
    const isRead =
      request.code === RequestCode.GetReplicaInfo || request.code === RequestCode.GetSyncStateData;
    switch (request.code) {
      case RequestCode.BrokerHeartbeat:
        this.beating.add(`${member} ${name} ${fields['brokerId']}`);
        return { code: ResponseCode.Success };
      case RequestCode.GetMetadataInfo:
        return this.#metadata(member);
    }
    if (member !== this.leader && !(isRead && this.followerReads)) {
      return { code: ResponseCode.NotLeader };
    }
    switch (request.code) {
      case RequestCode.GetNextBrokerId:
        return ok({ nextBrokerId: String((set?.ids.size ?? 0) + 1) });
      case RequestCode.ApplyBrokerId:
        return this.#apply(
          name,
          Number(fields['appliedBrokerId']),
          `${fields['registerCheckCode']}`,
        );
      case RequestCode.RegisterBroker:
        if (set === undefined) return { code: ResponseCode.BrokerNeedToBeRegistered };
        return { ...ok(set.masterId === 0 ? {} : role(set)), body: setBody(set) };
      case RequestCode.ElectMaster:
        return this.#elect(set, Number(fields['brokerId']));
      case RequestCode.GetReplicaInfo:
        if (set === undefined) return { code: ResponseCode.BrokerMetadataNotExist };
        return { ...ok(role(set)), body: setBody(set) };
      case RequestCode.GetSyncStateData:
        return this.#syncStateData(JSON.parse(String(request.body)) as string[]);
      case RequestCode.CleanBrokerData:
        this.sets.delete(name);
        return ok();
      case RequestCode.AlterSyncStateSet:
        return this.#alter(set, fields, String(request.body));
    }
    return { code: ResponseCode.RequestCodeNotSupported };
  }

  #metadata(member: number): FakeReply {
    const leader = this.members[this.leader];
    const named = leader === undefined ? {} : { controllerLeaderAddress: leader };
    return ok({ ...named, isLeader: String(member === this.leader) });
  }

  #apply(name: string, id: number, checkCode: string): FakeReply {
    const set = this.sets.get(name);
    if (set === undefined && id !== 1) return { code: ResponseCode.BrokerIdInvalid };
    const known = set ?? newSet();
    this.sets.set(name, known);
    const taken = known.ids.get(id);
    if (taken !== undefined && taken !== checkCode) return { code: ResponseCode.BrokerIdInvalid };
    known.ids.set(id, checkCode);
    return ok();
  }

  #elect(set: FakeSet | undefined, id: number): FakeReply {
    if (set === undefined) return { code: ResponseCode.BrokerNeedToBeRegistered };
    if (set.masterId !== 0) {
      return { ...ok(role(set)), code: ResponseCode.MasterStillExist, body: setBody(set) };
    }
    set.masterId = id;
    set.masterEpoch += 1;
    set.epoch += 1;
    set.syncStateSet = [id];
    return { ...ok(role(set)), body: setBody(set) };
  }

  #alter(set: FakeSet | undefined, fields: Request['extFields'], text: string): FakeReply {
    const body = JSON.parse(text) as { syncStateSet: number[]; syncStateSetEpoch: number };
    if (set === undefined) return { code: ResponseCode.AlterSyncStateSetFailed };
    if (set.masterEpoch !== Number(fields?.['masterEpoch'])) {
      return { code: ResponseCode.FencedMasterEpoch };
    }
    if (set.epoch !== body.syncStateSetEpoch) return { code: ResponseCode.FencedSyncStateSetEpoch };
    set.syncStateSet = body.syncStateSet;
    set.epoch += 1;
    return { ...ok({ newSyncStateSetEpoch: String(set.epoch) }), body: setBody(set) };
  }

  #syncStateData(names: readonly string[]): FakeReply {
    const known = names.flatMap((name) => {
      const set = this.sets.get(name);
      if (set === undefined) return [];
      const replica = (brokerId: number) => ({
        brokerName: name,
        brokerId,
        brokerAddress: '',
        alive: true,
      });
      const others = [...set.ids.keys()].filter((id) => !set.syncStateSet.includes(id));
      const info = {
        masterBrokerId: set.masterId === 0 ? null : set.masterId,
        masterAddress: null,
        masterEpoch: set.masterEpoch,
        syncStateSetEpoch: set.epoch,
        inSyncReplicas: set.syncStateSet.map(replica),
        notInSyncReplicas: others.map(replica),
      };
      return [[name, info] as const];
    });
    return { code: ResponseCode.Success, body: encodeReplicasInfo(new Map(known)) };
  }
}

const newSet = (): FakeSet => ({
  ids: new Map(),
  masterId: 0,
  masterEpoch: 0,
  syncStateSet: [],
  epoch: 0,
});

const ok = (extFields: Record<string, string> = {}): FakeReply => ({
  code: ResponseCode.Success,
  extFields,
});

const setBody = (set: FakeSet): string => encodeSyncStateSet(set.syncStateSet, set.epoch);

function role(set: FakeSet): Record<string, string> {
  return {
    ...(set.masterId === 0 ? {} : { masterBrokerId: String(set.masterId) }),
    masterEpoch: String(set.masterEpoch),
    syncStateSetEpoch: String(set.epoch),
  };
}
