/**
 * The answers that only look: 1012, 1004, 1006, and which broker sets are without a living master.
 *
 * A caller that wants the truth proves its state fresh before it asks (ReadIndex); nothing here can.
 *
 * @source rocketmq ReplicasInfoManager.getNextBrokerId, getReplicaInfo, getSyncStateData,
 *   scanNeedReelectBrokerSets (5.x, 8fc57f1)
 */
import { ResponseCode } from '../lib/codes.js';
import { jsonString } from '../lib/json-text.js';
import type { LivenessView } from './liveness.js';
import {
  echoNames,
  type Field,
  notSetAnyResponseCode,
  nullPointer,
  type Reply,
  refusal,
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

/** 1012: the id that a newcomer may try to apply for. Reserves nothing. */
export function nextBrokerId(
  state: StateView,
  request: { readonly clusterName: string | null; readonly brokerName: string | null },
): Reply {
  const { clusterName, brokerName } = request;
  if (brokerName === null) return nullPointer;
  const next = state.brokerSets.get(brokerName)?.registry?.nextAssignBrokerId ?? 1;
  const names = echoNames(clusterName, brokerName);
  return success([...names, ['nextBrokerId', String(next)]], null);
}

/** 1004: the master, dead or alive, and the SyncStateSet. */
export function replicaInfo(state: StateView, brokerName: string | null): Reply {
  if (brokerName === null) return nullPointer;
  const set = state.brokerSets.get(brokerName);
  if (!isKnown(set)) {
    return refusal(ResponseCode.BrokerMetadataNotExist, 'Broker metadata is not existed', []);
  }
  const { masterBrokerId, masterEpoch, syncStateSet, syncStateSetEpoch } = set.sync;
  const fields: Field[] = [];
  if (masterBrokerId !== null) fields.push(['masterBrokerId', String(masterBrokerId)]);
  const masterAddress = masterAddressOf(set);
  if (masterAddress !== null) fields.push(['masterAddress', masterAddress]);
  fields.push(['masterEpoch', String(masterEpoch)]);
  return success(fields, syncStateSetJson(syncStateSet, syncStateSetEpoch));
}

/**
 * 1006: the replicas of each named set, and whether this controller heard of them lately.
 *
 * A name given twice is answered once, so the reply cannot outgrow the state.
 */
export function syncStateData(
  state: StateView,
  brokerNames: readonly string[],
  liveness: LivenessView,
): Reply {
  if (brokerNames.length === 0) return notSetAnyResponseCode;
  const sets: string[] = [];
  for (const brokerName of [...new Set(brokerNames)].sort()) {
    const set = state.brokerSets.get(brokerName);
    if (isKnown(set)) sets.push(`${jsonString(brokerName)}:${replicasJson(set, liveness)}`);
  }
  return success(null, `{"replicasInfoTable":{${sets.join(',')}}}`);
}

function replicasJson(set: KnownBrokerSet, liveness: LivenessView): string {
  const { brokerName, clusterName, registry, sync } = set;
  const inSync: string[] = [];
  const notInSync: string[] = [];
  for (const id of ascending(registry.replicas.keys())) {
    const alive = liveness.isAlive(clusterName, brokerName, id);
    const address = jsonString(registry.replicas.get(id)?.address ?? '');
    const json = `{"alive":${alive},"brokerAddress":${address},"brokerId":${id},"brokerName":${jsonString(brokerName)}}`;
    (sync.syncStateSet.includes(id) ? inSync : notInSync).push(json);
  }
  const masterAddress = masterAddressOf(set);
  const address = masterAddress === null ? '' : `"masterAddress":${jsonString(masterAddress)},`;
  const id = sync.masterBrokerId === null ? '' : `"masterBrokerId":${sync.masterBrokerId},`;
  return (
    `{"inSyncReplicas":[${inSync.join(',')}],${address}${id}"masterEpoch":${sync.masterEpoch},` +
    `"notInSyncReplicas":[${notInSync.join(',')}],"syncStateSetEpoch":${sync.syncStateSetEpoch}}`
  );
}

/**
 * Broker sets whose master is dead while another replica lives, in order of name: an election
 * may help them. Sets that lost a half are passed over.
 */
export function setsToElect(state: StateView, liveness: LivenessView): string[] {
  const names: string[] = [];
  for (const set of state.brokerSets.values()) {
    if (isKnown(set) && masterIsLost(set, liveness)) names.push(set.brokerName);
  }
  return names.sort();
}

function masterIsLost(set: KnownBrokerSet, liveness: LivenessView): boolean {
  const { clusterName, brokerName, registry, sync } = set;
  const { masterBrokerId } = sync;
  if (masterBrokerId === null) return false;
  if (liveness.isAlive(clusterName, brokerName, masterBrokerId)) return false;
  for (const id of registry.replicas.keys()) {
    if (liveness.isAlive(clusterName, brokerName, id)) return true;
  }
  return false;
}
