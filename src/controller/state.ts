/**
 * What the controllers agree on: for each broker set, who its replicas are and who is in step.
 *
 * Upstream keeps two tables with the same key. Here they are the two halves of one map's values,
 * because almost every command needs both. Either half may be missing: cleaning a master out of
 * a set leaves such halves behind, and a set is *known* only with both.
 *
 * Only `apply` writes; everything else takes a `StateView`.
 *
 * @source rocketmq ReplicasInfoManager, BrokerReplicaInfo, SyncStateInfo (5.x, 8fc57f1)
 */

export interface Replica {
  readonly address: string;
  /** `address;timestampMillis` as the broker sent it: tells a repeated request from a rival one. */
  readonly registerCheckCode: string;
}

/** Half of a broker set: the ids that were given out. */
export interface Registry {
  /** Counts additions from 1, so it may lag behind ids that were applied out of turn. */
  readonly nextAssignBrokerId: number;
  readonly replicas: ReadonlyMap<number, Replica>;
}

/** The other half: the master and the replicas in step with it. A value; replaced, never changed. */
export interface SyncState {
  readonly masterBrokerId: number | null;
  /** Grows with every election that was logged, failed ones included. 0: never had one. */
  readonly masterEpoch: number;
  readonly syncStateSetEpoch: number;
  /** Strictly ascending. */
  readonly syncStateSet: readonly number[];
}

export interface BrokerSet {
  readonly brokerName: string;
  /** That of the first registrant; null when it named none. */
  readonly clusterName: string | null;
  readonly registry: Registry | null;
  readonly sync: SyncState | null;
}

export interface KnownBrokerSet extends BrokerSet {
  readonly registry: Registry;
  readonly sync: SyncState;
}

export interface StateView {
  readonly brokerSets: ReadonlyMap<string, BrokerSet>;
}

interface WritableRegistry extends Registry {
  nextAssignBrokerId: number;
  readonly replicas: Map<number, Replica>;
}

interface WritableBrokerSet extends BrokerSet {
  registry: WritableRegistry | null;
  sync: SyncState | null;
}

/** A snapshot under way wants to see a set before it is changed. */
export interface SetWatcher {
  beforeChange(brokerName: string): void;
}

export interface ControllerState extends StateView {
  readonly brokerSets: Map<string, WritableBrokerSet>;
  /** null: no snapshot is being taken. */
  watcher: SetWatcher | null;
}

/** A broker set without an election behind it. */
export const neverElected: SyncState = {
  masterBrokerId: null,
  masterEpoch: 0,
  syncStateSetEpoch: 0,
  syncStateSet: [],
};

export function createState(): ControllerState {
  return { brokerSets: new Map(), watcher: null };
}

/** A set of which one half is missing counts as unknown. */
export function isKnown(set: BrokerSet | undefined): set is KnownBrokerSet {
  return set !== undefined && set.registry !== null && set.sync !== null;
}

export function masterAddressOf({ registry, sync }: KnownBrokerSet): string | null {
  if (sync.masterBrokerId === null) return null;
  return registry.replicas.get(sync.masterBrokerId)?.address ?? null;
}

/** The order of ids wherever one is visible: replies, events, snapshots. */
export function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}

/** The order of broker names wherever one is visible: by UTF-16 code unit. */
export function brokerNamesInOrder(state: StateView): string[] {
  return [...state.brokerSets.keys()].sort();
}
