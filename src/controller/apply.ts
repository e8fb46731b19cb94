/**
 * Events into state, on every member, in log order.
 *
 * Nothing is refused here: whatever was committed happened. An event for a set that an earlier
 * entry removed changes nothing. No clock, no liveness: equal logs give equal states.
 *
 * @source rocketmq ReplicasInfoManager.applyEvent (5.x, 8fc57f1)
 */
import {
  type BrokerDataCleaned,
  type BrokerIdApplied,
  type ControllerEvent,
  decodeEvents,
} from './event.js';
import { type ControllerState, isKnown, neverElected } from './state.js';

/** Applies all events of one log entry. */
export function applyEncoded(state: ControllerState, body: Uint8Array): void {
  decodeEvents(body, (event) => apply(state, event));
}

export function apply(state: ControllerState, event: ControllerEvent): void {
  state.watcher?.beforeChange(event.brokerName);
  switch (event.kind) {
    case 'sync-state-set-altered': {
      const set = state.brokerSets.get(event.brokerName);
      if (!isKnown(set)) return;
      const { masterBrokerId, masterEpoch, syncStateSetEpoch } = set.sync;
      set.sync = {
        masterBrokerId,
        masterEpoch,
        syncStateSetEpoch: syncStateSetEpoch + 1,
        syncStateSet: event.syncStateSet,
      };
      return;
    }
    case 'master-elected': {
      const set = state.brokerSets.get(event.brokerName);
      if (!isKnown(set)) return;
      const { masterBrokerId } = event;
      const { masterEpoch, syncStateSetEpoch, syncStateSet } = set.sync;
      const elected = masterBrokerId !== null;
      set.sync = {
        masterBrokerId,
        masterEpoch: masterEpoch + 1,
        syncStateSetEpoch: elected ? syncStateSetEpoch + 1 : syncStateSetEpoch,
        syncStateSet: elected ? [masterBrokerId] : syncStateSet,
      };
      return;
    }
    case 'broker-id-applied':
      applyBrokerId(state, event);
      return;
    case 'broker-data-cleaned':
      cleanBrokerData(state, event);
      return;
    case 'broker-address-updated': {
      const replicas = state.brokerSets.get(event.brokerName)?.registry?.replicas;
      const replica = replicas?.get(event.brokerId);
      if (replicas === undefined || replica === undefined) return;
      const { registerCheckCode } = replica;
      replicas.set(event.brokerId, { address: event.brokerAddress, registerCheckCode });
      return;
    }
  }
}

function applyBrokerId(state: ControllerState, event: BrokerIdApplied): void {
  const { brokerName, clusterName, brokerId, registerCheckCode } = event;
  const replica = { address: event.brokerAddress, registerCheckCode };
  const set = state.brokerSets.get(brokerName);
  if (!isKnown(set)) {
    // Whatever half was left behind is overwritten, as upstream does.
    const registry = { nextAssignBrokerId: 2, replicas: new Map([[brokerId, replica]]) };
    state.brokerSets.set(brokerName, { brokerName, clusterName, registry, sync: neverElected });
    return;
  }
  const { registry } = set;
  if (registry.replicas.has(brokerId)) return;
  registry.replicas.set(brokerId, replica);
  registry.nextAssignBrokerId += 1;
}

function cleanBrokerData(state: ControllerState, event: BrokerDataCleaned): void {
  const { brokerName, brokerIds } = event;
  if (brokerIds.length === 0) {
    state.brokerSets.delete(brokerName);
    return;
  }
  const set = state.brokerSets.get(brokerName);
  if (!isKnown(set)) return;
  for (const brokerId of brokerIds) set.registry.replicas.delete(brokerId);
  const cleaned = new Set(brokerIds);
  const syncStateSet = set.sync.syncStateSet.filter((brokerId) => !cleaned.has(brokerId));
  // The halves go independently, so a set may be left half known. The master's id stays either way.
  const sync = syncStateSet.length > 0 ? { ...set.sync, syncStateSet } : null;
  const registry = set.registry.replicas.size > 0 ? set.registry : null;
  if (sync === null && registry === null) {
    state.brokerSets.delete(brokerName);
    return;
  }
  state.brokerSets.set(brokerName, { ...set, registry, sync });
}
