/**
 * Typed headers: the named parameters of each request and response a controller meets.
 *
 * Reading follows upstream, where nothing is required: an absent parameter, or one whose text does
 * not parse, keeps its default, which is null unless the type below says otherwise. To write a
 * header, hand it to `extFieldsJson`. Field names are the wire's, `heartbeatTimeoutMills` included.
 *
 * `invokeTime` is null when the sender gave none; upstream then takes the receiver's clock.
 *
 * @source rocketmq RemotingCommand.decodeCommandCustomHeader and the header classes (5.4.0)
 */
import type { RemotingCommand } from './command.js';
import {
  parseJavaBoolean,
  parseJavaInt,
  parseJavaLong,
  parseJavaLongExact,
  parseJavaLongRounded,
} from './java-numbers.js';

export type ExtFields = RemotingCommand['extFields'];

/** 904 */
export type BrokerHeartbeatHeader = {
  readonly clusterName: string | null;
  readonly brokerAddr: string | null;
  readonly brokerName: string | null;
  readonly brokerId: number | null;
  readonly epoch: number | null;
  /** Bytes; a bigint beyond 2^53. */
  readonly maxOffset: number | bigint | null;
  /** Bytes; a bigint beyond 2^53. */
  readonly confirmOffset: number | bigint | null;
  /** Milliseconds. */
  readonly heartbeatTimeoutMills: number | null;
  readonly electionPriority: number | null;
};

export function readBrokerHeartbeat(extFields: ExtFields): BrokerHeartbeatHeader {
  const fields = named<keyof BrokerHeartbeatHeader>(extFields);
  return {
    clusterName: fields.clusterName ?? null,
    brokerAddr: fields.brokerAddr ?? null,
    brokerName: fields.brokerName ?? null,
    brokerId: parseJavaLong(fields.brokerId),
    epoch: parseJavaInt(fields.epoch),
    maxOffset: parseJavaLongExact(fields.maxOffset),
    confirmOffset: parseJavaLongExact(fields.confirmOffset),
    heartbeatTimeoutMills: parseJavaLongRounded(fields.heartbeatTimeoutMills),
    electionPriority: parseJavaInt(fields.electionPriority),
  };
}

/** 1001 */
export type AlterSyncStateSetHeader = {
  readonly brokerName: string | null;
  readonly masterBrokerId: number | null;
  readonly masterEpoch: number | null;
  readonly invokeTime: number | null;
};

export function readAlterSyncStateSet(extFields: ExtFields): AlterSyncStateSetHeader {
  const fields = named<keyof AlterSyncStateSetHeader>(extFields);
  return {
    brokerName: fields.brokerName ?? null,
    masterBrokerId: parseJavaLong(fields.masterBrokerId),
    masterEpoch: parseJavaInt(fields.masterEpoch),
    invokeTime: parseJavaLongRounded(fields.invokeTime),
  };
}

/** 1002; absent names are empty and an absent or bad id is -1. */
export type ElectMasterHeader = {
  readonly clusterName: string;
  readonly brokerName: string;
  readonly brokerId: number;
  readonly designateElect: boolean;
  readonly invokeTime: number | null;
};

export function readElectMaster(extFields: ExtFields): ElectMasterHeader {
  const fields = named<keyof ElectMasterHeader>(extFields);
  return {
    clusterName: fields.clusterName ?? '',
    brokerName: fields.brokerName ?? '',
    brokerId: parseJavaLong(fields.brokerId) ?? -1,
    designateElect: parseJavaBoolean(fields.designateElect),
    invokeTime: parseJavaLongRounded(fields.invokeTime),
  };
}

/** 1003 */
export type RegisterBrokerHeader = {
  readonly clusterName: string | null;
  readonly brokerName: string | null;
  readonly brokerId: number | null;
  readonly brokerAddress: string | null;
  readonly invokeTime: number | null;
};

export function readRegisterBroker(extFields: ExtFields): RegisterBrokerHeader {
  const fields = named<keyof RegisterBrokerHeader>(extFields);
  return {
    clusterName: fields.clusterName ?? null,
    brokerName: fields.brokerName ?? null,
    brokerId: parseJavaLong(fields.brokerId),
    brokerAddress: fields.brokerAddress ?? null,
    invokeTime: parseJavaLongRounded(fields.invokeTime),
  };
}

/** 1004 */
export type GetReplicaInfoHeader = { readonly brokerName: string | null };

export function readGetReplicaInfo(extFields: ExtFields): GetReplicaInfoHeader {
  return { brokerName: named<'brokerName'>(extFields).brokerName ?? null };
}

/** 1008 */
export type NotifyBrokerRoleChangedHeader = {
  readonly masterAddress: string | null;
  readonly masterEpoch: number | null;
  readonly syncStateSetEpoch: number | null;
  readonly masterBrokerId: number | null;
};

export function readNotifyBrokerRoleChanged(extFields: ExtFields): NotifyBrokerRoleChangedHeader {
  return readMaster(extFields);
}

/** 1011 */
export type CleanBrokerDataHeader = {
  readonly clusterName: string | null;
  readonly brokerName: string | null;
  /** Ids joined by `;`. */
  readonly brokerControllerIdsToClean: string | null;
  readonly isCleanLivingBroker: boolean;
  readonly invokeTime: number | null;
};

export function readCleanBrokerData(extFields: ExtFields): CleanBrokerDataHeader {
  const fields = named<keyof CleanBrokerDataHeader>(extFields);
  return {
    clusterName: fields.clusterName ?? null,
    brokerName: fields.brokerName ?? null,
    brokerControllerIdsToClean: fields.brokerControllerIdsToClean ?? null,
    isCleanLivingBroker: parseJavaBoolean(fields.isCleanLivingBroker),
    invokeTime: parseJavaLongRounded(fields.invokeTime),
  };
}

/** 1012 */
export type GetNextBrokerIdHeader = {
  readonly clusterName: string | null;
  readonly brokerName: string | null;
};

export function readGetNextBrokerId(extFields: ExtFields): GetNextBrokerIdHeader {
  const fields = named<keyof GetNextBrokerIdHeader>(extFields);
  return { clusterName: fields.clusterName ?? null, brokerName: fields.brokerName ?? null };
}

/** 1013 */
export type ApplyBrokerIdHeader = {
  readonly clusterName: string | null;
  readonly brokerName: string | null;
  readonly appliedBrokerId: number | null;
  /** `address;timestampMillis` */
  readonly registerCheckCode: string | null;
};

export function readApplyBrokerId(extFields: ExtFields): ApplyBrokerIdHeader {
  const fields = named<keyof ApplyBrokerIdHeader>(extFields);
  return {
    clusterName: fields.clusterName ?? null,
    brokerName: fields.brokerName ?? null,
    appliedBrokerId: parseJavaLong(fields.appliedBrokerId),
    registerCheckCode: fields.registerCheckCode ?? null,
  };
}

/** Response of 1001; the epoch is 0 on every failure. */
export type AlterSyncStateSetReply = { readonly newSyncStateSetEpoch: number };

export function readAlterSyncStateSetReply(extFields: ExtFields): AlterSyncStateSetReply {
  const fields = named<keyof AlterSyncStateSetReply>(extFields);
  return { newSyncStateSetEpoch: parseJavaInt(fields.newSyncStateSetEpoch) ?? 0 };
}

/** What the responses of 1002, 1003 and 1004 say about the master; null where there is none. */
export type MasterReply = {
  readonly masterBrokerId: number | null;
  readonly masterAddress: string | null;
  readonly masterEpoch: number | null;
  readonly syncStateSetEpoch: number | null;
};

export function readMaster(extFields: ExtFields): MasterReply {
  const fields = named<keyof MasterReply>(extFields);
  return {
    masterBrokerId: parseJavaLong(fields.masterBrokerId),
    masterAddress: fields.masterAddress ?? null,
    masterEpoch: parseJavaInt(fields.masterEpoch),
    syncStateSetEpoch: parseJavaInt(fields.syncStateSetEpoch),
  };
}

/** Response of 1005. */
export type ControllerMetadataReply = {
  readonly group: string | null;
  readonly controllerLeaderId: string | null;
  /** null while no leader is known. */
  readonly controllerLeaderAddress: string | null;
  readonly isLeader: boolean;
  /** `n0:host:port;n1:host:port;` */
  readonly peers: string | null;
};

export function readControllerMetadata(extFields: ExtFields): ControllerMetadataReply {
  const fields = named<keyof ControllerMetadataReply>(extFields);
  return {
    group: fields.group ?? null,
    controllerLeaderId: fields.controllerLeaderId ?? null,
    controllerLeaderAddress: fields.controllerLeaderAddress ?? null,
    isLeader: parseJavaBoolean(fields.isLeader),
    peers: fields.peers ?? null,
  };
}

/** Response of 1012. */
export type NextBrokerIdReply = { readonly nextBrokerId: number | null };

export function readNextBrokerId(extFields: ExtFields): NextBrokerIdReply {
  return { nextBrokerId: parseJavaLong(named<'nextBrokerId'>(extFields).nextBrokerId) };
}

/** The wire's strings under the names that a header declares. */
function named<Name extends string>(extFields: ExtFields): Readonly<Partial<Record<Name, string>>> {
  return (extFields ?? {}) as Readonly<Partial<Record<Name, string>>>;
}
