/**
 * For tests: a broker set's past in a few words, and decisions as one line of text.
 *
 * The set is called `set2` in `cluster-a`, its broker n listens at `y:n`.
 */
import { apply } from './apply.js';
import type { WriteCommand } from './command.js';
import { type DecideOptions, decide } from './decide.js';
import type { Decision } from './decision.js';
import type { ControllerEvent } from './event.js';
import type { BrokerLiveInfo, LivenessView } from './liveness.js';
import { nullPointer, type Reply } from './reply.js';
import { type ControllerState, createState } from './state.js';

export const clusterName = 'cluster-a';
export const brokerName = 'set2';
export const address = (brokerId: number): string => `y:${brokerId}`;
export const checkCode = (brokerId: number): string => `${address(brokerId)};1700000000000`;

export const registered = (brokerId: number): ControllerEvent => ({
  kind: 'broker-id-applied',
  clusterName,
  brokerName,
  brokerId,
  brokerAddress: address(brokerId),
  registerCheckCode: checkCode(brokerId),
});
export const elected = (masterBrokerId: number | null): ControllerEvent => ({
  kind: 'master-elected',
  brokerName,
  masterBrokerId,
});
export const inSync = (...syncStateSet: readonly number[]): ControllerEvent => ({
  kind: 'sync-state-set-altered',
  brokerName,
  syncStateSet,
});
export const cleaned = (...brokerIds: readonly number[]): ControllerEvent => ({
  kind: 'broker-data-cleaned',
  brokerName,
  brokerIds,
});
export const moved = (brokerId: number, brokerAddress: string): ControllerEvent => ({
  kind: 'broker-address-updated',
  brokerName,
  brokerId,
  brokerAddress,
});

/** Three replicas, of which 1 is master, epoch 1, and alone in its SyncStateSet, epoch 1. */
export const led: readonly ControllerEvent[] = [
  registered(1),
  registered(2),
  registered(3),
  elected(1),
];

export function stateAfter(events: readonly ControllerEvent[]): ControllerState {
  const state = createState();
  for (const event of events) apply(state, event);
  return state;
}

/** Only these live, as members of `cluster`; they rank alike unless `infos` says otherwise. */
export function alive(
  brokerIds: readonly number[],
  infos: Readonly<Record<number, BrokerLiveInfo>> = {},
  cluster: string | null = clusterName,
): LivenessView {
  const alike: BrokerLiveInfo = { epoch: 1, maxOffset: 0, electionPriority: 2147483647 };
  return {
    isAlive: (theirs, _name, brokerId) => theirs === cluster && brokerIds.includes(brokerId),
    info: (_cluster, _name, brokerId) => infos[brokerId] ?? alike,
  };
}

export const clean: DecideOptions = { enableElectUncleanMaster: false };
export const unclean: DecideOptions = { enableElectUncleanMaster: true };

export interface Situation {
  readonly given: readonly ControllerEvent[];
  readonly living?: readonly number[];
  readonly options?: DecideOptions;
}

export function ask(situation: Situation, command: WriteCommand): string {
  const { given, living = [], options = clean } = situation;
  return show(decide(stateAfter(given), command, alive(living), options));
}

/** `code remark {field=value} body => event`, parts that are absent left out. */
export function show({ reply, events }: Decision): string {
  return [showReply(reply), ...events.map((event) => `=> ${showEvent(event)}`)].join(' ');
}

export function showReply(reply: Reply): string {
  if (reply === nullPointer) return '1 NullPointerException';
  const fields = reply.fields?.map(([name, value]) => `${name}=${value}`).join(', ');
  const parts = [reply.code, reply.remark, fields === undefined ? null : `{${fields}}`, reply.body];
  return parts.filter((part) => part !== null).join(' ');
}

function showEvent(event: ControllerEvent): string {
  switch (event.kind) {
    case 'sync-state-set-altered':
      return `in sync ${event.syncStateSet}`;
    case 'broker-id-applied':
      return `${event.brokerId} is ${event.brokerAddress}`;
    case 'master-elected':
      return `master ${event.masterBrokerId ?? 'none'}`;
    case 'broker-data-cleaned':
      return `cleaned ${event.brokerIds.length === 0 ? 'all' : event.brokerIds}`;
    case 'broker-address-updated':
      return `${event.brokerId} moved to ${event.brokerAddress}`;
  }
}
