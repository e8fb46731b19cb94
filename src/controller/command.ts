/**
 * The writes a broker, an operator or the controller itself may ask for.
 *
 * Each names one broker set, which is what lets commands on different sets run side by side. A
 * field is null where the request left it out or where its text did not parse; what null then
 * means is upstream's answer, and `decide` gives it. Ids are safe integers: others count as not parsed.
 *
 * @source rocketmq AlterSyncStateSetRequestHeader, ElectMasterRequestHeader, ApplyBrokerIdRequestHeader,
 *   RegisterBrokerToControllerRequestHeader, CleanControllerBrokerDataRequestHeader (5.x, 8fc57f1)
 */

/** 1013: a broker claims an id, once in its life. */
export interface ApplyBrokerId {
  readonly kind: 'apply-broker-id';
  readonly clusterName: string | null;
  readonly brokerName: string | null;
  readonly appliedBrokerId: number | null;
  readonly registerCheckCode: string | null;
}

/** 1003: a broker that has an id reports for service. */
export interface RegisterBroker {
  readonly kind: 'register-broker';
  readonly clusterName: string | null;
  readonly brokerName: string | null;
  readonly brokerId: number | null;
  readonly brokerAddress: string | null;
}

/** 1002: by a broker (its own id), an operator (`designateElect`), or the controller (no id). */
export interface ElectMaster {
  readonly kind: 'elect-master';
  /** null is the empty name, as upstream's header has it. */
  readonly brokerName: string | null;
  /** null and −1 both mean that the controller asks. */
  readonly brokerId: number | null;
  readonly designateElect: boolean;
}

/** 1001: a master proposes who is in step with it. */
export interface AlterSyncStateSet {
  readonly kind: 'alter-sync-state-set';
  readonly brokerName: string | null;
  readonly masterBrokerId: number | null;
  readonly masterEpoch: number | null;
  /** In any order, repeats allowed. null when there was no body, or a body without the set. */
  readonly syncStateSet: readonly number[] | null;
  /** null counts as 0. */
  readonly syncStateSetEpoch: number | null;
}

/** 1011: an operator removes replicas, or a whole set. */
export interface CleanBrokerData {
  readonly kind: 'clean-broker-data';
  /** Liveness is looked up under this name, not under the set's own. */
  readonly clusterName: string | null;
  readonly brokerName: string | null;
  /** As sent: ids joined by `;`. */
  readonly brokerControllerIdsToClean: string | null;
  readonly isCleanLivingBroker: boolean;
}

export type WriteCommand =
  | ApplyBrokerId
  | RegisterBroker
  | ElectMaster
  | AlterSyncStateSet
  | CleanBrokerData;
