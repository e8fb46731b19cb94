/**
 * Commands into decisions: what to log, and what to tell the client once it is committed.
 *
 * One function per write. Checks run in upstream's order with upstream's codes and remarks, so
 * that when two fail at once the answer on the wire is the same. Deciding changes nothing: the
 * caller logs the events and replies when they are applied. Between the two, no other command on
 * the same broker set may be decided.
 *
 * Where upstream dereferences null, the decision is its answer to that: code 1, nothing logged.
 *
 * @source rocketmq ReplicasInfoManager (5.x, 8fc57f1); differences are listed in docs/compatibility.md
 */
import { ResponseCode } from '../lib/codes.js';
import { decideCleanBrokerData } from './clean.js';
import type {
  AlterSyncStateSet,
  ApplyBrokerId,
  ElectMaster,
  RegisterBroker,
  WriteCommand,
} from './command.js';
import { type Decision, logged, onlyReply } from './decision.js';
import { elect } from './elect-policy.js';
import type { LivenessView } from './liveness.js';
import {
  crash,
  echoNames,
  electedJson,
  type Field,
  masterFields,
  nullPointer,
  type Reply,
  refusal,
  stillMasterJson,
  success,
  syncStateSetJson,
} from './reply.js';
import {
  ascending,
  isKnown,
  type KnownBrokerSet,
  masterAddressOf,
  type StateView,
} from './state.js';

export interface DecideOptions {
  /** May a replica outside the SyncStateSet become master, and its missing data be lost? */
  readonly enableElectUncleanMaster: boolean;
}

export function decide(
  state: StateView,
  command: WriteCommand,
  liveness: LivenessView,
  options: DecideOptions,
): Decision {
  switch (command.kind) {
    case 'alter-sync-state-set':
      return decideAlterSyncStateSet(state, command, liveness);
    case 'elect-master':
      return decideElectMaster(state, command, liveness, options);
    case 'register-broker':
      return decideRegisterBroker(state, command, liveness);
    case 'apply-broker-id':
      return decideApplyBrokerId(state, command);
    case 'clean-broker-data':
      return decideCleanBrokerData(state, command, liveness);
  }
}

/** 1001. The epoch in the header is a primitive upstream, so every refusal carries it as 0. */
const noNewEpoch: readonly Field[] = [['newSyncStateSetEpoch', '0']];

/**
 * 1001: may a master change its broker set's SyncStateSet?
 *
 * Both epochs are fences: a deposed master, or one that missed an earlier change, must not
 * overwrite newer state.
 */
export function decideAlterSyncStateSet(
  state: StateView,
  command: AlterSyncStateSet,
  liveness: LivenessView,
): Decision {
  const { brokerName, masterBrokerId, masterEpoch } = command;
  if (brokerName === null) return onlyReply(nullPointer);
  const set = state.brokerSets.get(brokerName);
  if (!isKnown(set)) {
    return refuseAlter(ResponseCode.AlterSyncStateSetFailed, 'Broker metadata is not existed');
  }
  if (command.syncStateSet === null) return onlyReply(nullPointer);
  const { sync, registry, clusterName } = set;
  const proposed = strictlyAscending(command.syncStateSet);
  if (equalIds(proposed, sync.syncStateSet)) {
    return refuseAlter(
      ResponseCode.AlterSyncStateSetFailed,
      'The newSyncStateSet is equal with oldSyncStateSet, no needed to update syncStateSet',
    );
  }
  if (sync.masterBrokerId === null || sync.masterBrokerId !== masterBrokerId) {
    return rejectAlter(
      ResponseCode.InvalidMaster,
      `the current leader is:{${sync.masterBrokerId}}, not {${masterBrokerId}}`,
    );
  }
  if (masterEpoch === null) return onlyReply(nullPointer);
  if (masterEpoch !== sync.masterEpoch) {
    return rejectAlter(
      ResponseCode.FencedMasterEpoch,
      `the current master epoch is:{${sync.masterEpoch}}, not {${masterEpoch}}`,
    );
  }
  const knownEpoch = command.syncStateSetEpoch ?? 0;
  if (knownEpoch !== sync.syncStateSetEpoch) {
    return rejectAlter(
      ResponseCode.FencedSyncStateSetEpoch,
      `the current syncStateSet epoch is:{${sync.syncStateSetEpoch}}, not {${knownEpoch}}`,
    );
  }
  for (const id of proposed) {
    if (!registry.replicas.has(id)) {
      return rejectAlter(ResponseCode.InvalidReplicas, `the replicas {${id}} don't exist`);
    }
    if (!liveness.isAlive(clusterName, brokerName, id)) {
      return rejectAlter(ResponseCode.BrokerNotAlive, `the replicas {${id}} don't alive`);
    }
  }
  if (!proposed.includes(sync.masterBrokerId)) {
    return rejectAlter(
      ResponseCode.AlterSyncStateSetFailed,
      `the newSyncStateSet don't contains origin leader {${sync.masterBrokerId}}`,
    );
  }
  const newEpoch = sync.syncStateSetEpoch + 1;
  return logged(
    success([['newSyncStateSetEpoch', String(newEpoch)]], syncStateSetJson(proposed, newEpoch)),
    { kind: 'sync-state-set-altered', brokerName, syncStateSet: proposed },
  );
}

function rejectAlter(code: ResponseCode, because: string): Decision {
  return refuseAlter(code, `Rejecting alter syncStateSet request because ${because}`);
}

function refuseAlter(code: ResponseCode, remark: string): Decision {
  return onlyReply(refusal(code, remark, noNewEpoch));
}

/** As an id in a request: nobody in particular, the controller itself asks. */
const NO_BROKER = -1;

/** 1002: who is master of this broker set from now on? */
export function decideElectMaster(
  state: StateView,
  command: ElectMaster,
  liveness: LivenessView,
  options: DecideOptions,
): Decision {
  const brokerName = command.brokerName ?? '';
  const requested = command.brokerId ?? NO_BROKER;
  const set = state.brokerSets.get(brokerName);
  if (!isKnown(set)) {
    return refuseElection(ResponseCode.BrokerNeedToBeRegistered, "Broker hasn't been registered");
  }
  const { sync, registry, clusterName } = set;
  const oldMaster = sync.masterBrokerId;
  // The first to ask is the first master, whoever it is: upstream does not check, and brokers rely on it.
  const firstComer = sync.masterEpoch === 0 && requested !== NO_BROKER ? requested : null;
  const elected =
    firstComer ??
    elect(
      {
        clusterName,
        brokerName,
        syncStateSet: sync.syncStateSet,
        allReplicas: options.enableElectUncleanMaster ? ascending(registry.replicas.keys()) : null,
        oldMaster,
        preferred: command.designateElect ? requested : null,
      },
      liveness,
    );
  if (elected !== null)
    return elected === oldMaster ? stillMaster(set, elected) : newMaster(set, elected);
  if (requested === NO_BROKER) {
    const remark = 'Old master has down and failed to elect a new broker master';
    return logged(refusal(ResponseCode.MasterNotAvailable, remark, []), {
      kind: 'master-elected',
      brokerName,
      masterBrokerId: null,
    });
  }
  return refuseElection(ResponseCode.ElectMasterFailed, 'Failed to elect a new master');
}

function stillMaster(set: KnownBrokerSet, masterBrokerId: number): Decision {
  const { brokerName, sync } = set;
  const { masterEpoch, syncStateSetEpoch, syncStateSet } = sync;
  const reply: Reply = {
    code: ResponseCode.MasterStillExist,
    remark: `The old master ${masterBrokerId} is still alive, not need to elect new master for broker ${brokerName}`,
    fields: masterFields(masterBrokerId, masterAddressOf(set), masterEpoch, syncStateSetEpoch),
    body: stillMasterJson(syncStateSet),
  };
  return onlyReply(reply);
}

function newMaster(set: KnownBrokerSet, masterBrokerId: number): Decision {
  const { brokerName, clusterName, registry, sync } = set;
  const masterAddress = registry.replicas.get(masterBrokerId)?.address ?? null;
  const masterEpoch = sync.masterEpoch + 1;
  const syncStateSetEpoch = sync.syncStateSetEpoch + 1;
  const syncStateSet = [masterBrokerId];
  const reply = success(
    masterFields(masterBrokerId, masterAddress, masterEpoch, syncStateSetEpoch),
    electedJson(set, syncStateSet),
  );
  return {
    reply,
    events: [{ kind: 'master-elected', brokerName, masterBrokerId }],
    roleChange: {
      clusterName,
      brokerName,
      members: ascending(registry.replicas.keys()).map((brokerId) => ({
        brokerId,
        address: registry.replicas.get(brokerId)?.address ?? '',
      })),
      fields: reply.fields ?? [],
      body: syncStateSetJson(syncStateSet, syncStateSetEpoch),
    },
  };
}

function refuseElection(code: ResponseCode, remark: string): Decision {
  return onlyReply(refusal(code, remark, []));
}

/** 1003: tells a broker who its master is, and notes its address if that changed. */
export function decideRegisterBroker(
  state: StateView,
  command: RegisterBroker,
  liveness: LivenessView,
): Decision {
  const { clusterName, brokerName, brokerId, brokerAddress } = command;
  if (brokerName === null) return onlyReply(nullPointer);
  const names = echoNames(clusterName, brokerName);
  const set = state.brokerSets.get(brokerName);
  if (!isKnown(set)) {
    const remark = `Broker-set: ${brokerName} hasn't been registered in controller`;
    return onlyReply(refusal(ResponseCode.BrokerNeedToBeRegistered, remark, names));
  }
  if (brokerId === null) return onlyReply(nullPointer);
  const replica = set.registry.replicas.get(brokerId);
  if (replica === undefined) {
    const remark = `BrokerId: ${brokerId} hasn't been registered in broker-set: ${brokerName}`;
    return onlyReply(refusal(ResponseCode.BrokerNeedToBeRegistered, remark, names));
  }
  if (brokerAddress === null) return onlyReply(nullPointer);
  const { masterBrokerId, masterEpoch, syncStateSetEpoch, syncStateSet } = set.sync;
  // Under the request's cluster name, as upstream: whoever registers under another one sees no master.
  const masterLives =
    masterBrokerId !== null && liveness.isAlive(clusterName, brokerName, masterBrokerId);
  // The master's address is the one before this request: a master that moved learns its old one.
  const master = masterLives
    ? masterFields(masterBrokerId, masterAddressOf(set), masterEpoch, syncStateSetEpoch)
    : [];
  const reply = success([...names, ...master], syncStateSetJson(syncStateSet, syncStateSetEpoch));
  if (brokerAddress === replica.address) return onlyReply(reply);
  return logged(reply, { kind: 'broker-address-updated', brokerName, brokerId, brokerAddress });
}

/** 1013: gives an id to a broker for good, or the same one again to the same broker. */
export function decideApplyBrokerId(state: StateView, command: ApplyBrokerId): Decision {
  const { clusterName, brokerName, appliedBrokerId, registerCheckCode } = command;
  if (registerCheckCode === null) return onlyReply(nullPointer);
  const brokerAddress = addressIn(registerCheckCode);
  if (brokerAddress === null) {
    return onlyReply(crash('ArrayIndexOutOfBoundsException: Index 0 out of bounds for length 0'));
  }
  if (brokerName === null || appliedBrokerId === null) return onlyReply(nullPointer);
  const names = echoNames(clusterName, brokerName);
  // Known here means registered: a set that lost its other half still guards its ids.
  const registry = state.brokerSets.get(brokerName)?.registry ?? null;
  if (registry === null && appliedBrokerId !== 1) {
    const remark = `Broker-set: ${brokerName} hasn't been registered in controller, but broker try to apply brokerId: ${appliedBrokerId}`;
    return onlyReply(refusal(ResponseCode.BrokerIdInvalid, remark, names));
  }
  const holder = registry?.replicas.get(appliedBrokerId);
  if (holder !== undefined && holder.registerCheckCode !== registerCheckCode) {
    const remark = `Fail to apply brokerId: ${appliedBrokerId} in broker-set: ${brokerName}`;
    return onlyReply(refusal(ResponseCode.BrokerIdInvalid, remark, names));
  }
  return logged(success(names, null), {
    kind: 'broker-id-applied',
    clusterName,
    brokerName,
    brokerId: appliedBrokerId,
    brokerAddress,
    registerCheckCode,
  });
}

/** The text before the first `;`. null for nothing but semicolons, which Java splits into nothing. */
function addressIn(registerCheckCode: string): string | null {
  if (/^;+$/.test(registerCheckCode)) return null;
  const end = registerCheckCode.indexOf(';');
  return end < 0 ? registerCheckCode : registerCheckCode.slice(0, end);
}

/** @returns `ids` itself where it is in order already, as brokers with few replicas send it. */
function strictlyAscending(ids: readonly number[]): readonly number[] {
  for (let i = 1; i < ids.length; i += 1) {
    if (Number(ids[i - 1]) >= Number(ids[i])) return ascending(new Set(ids));
  }
  return ids;
}

function equalIds(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((id, i) => id === other[i]);
}
