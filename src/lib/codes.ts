/**
 * Request and response codes of the RocketMQ remoting protocol that a controller meets.
 *
 * They live below every layer because the state machine rejects with them and the codec carries
 * them, and those two are strangers.
 *
 * @source rocketmq RequestCode, ResponseCode, RemotingSysResponseCode (5.x, 8fc57f1)
 */

export const RequestCode = {
  BrokerHeartbeat: 904,
  AlterSyncStateSet: 1001,
  ElectMaster: 1002,
  RegisterBroker: 1003,
  GetReplicaInfo: 1004,
  GetMetadataInfo: 1005,
  GetSyncStateData: 1006,
  NotifyBrokerRoleChanged: 1008,
  UpdateControllerConfig: 1009,
  GetControllerConfig: 1010,
  CleanBrokerData: 1011,
  GetNextBrokerId: 1012,
  ApplyBrokerId: 1013,
} as const;
export type RequestCode = (typeof RequestCode)[keyof typeof RequestCode];

export const ResponseCode = {
  Success: 0,
  SystemError: 1,
  SystemBusy: 2,
  RequestCodeNotSupported: 3,
  NoPermission: 16,
  FencedMasterEpoch: 2000,
  FencedSyncStateSetEpoch: 2001,
  InvalidMaster: 2002,
  InvalidReplicas: 2003,
  MasterNotAvailable: 2004,
  InvalidRequest: 2005,
  BrokerNotAlive: 2006,
  NotLeader: 2007,
  BrokerMetadataNotExist: 2008,
  InvalidCleanBrokerMetadata: 2009,
  BrokerNeedToBeRegistered: 2010,
  MasterStillExist: 2011,
  ElectMasterFailed: 2012,
  AlterSyncStateSetFailed: 2013,
  BrokerIdInvalid: 2014,
} as const;
export type ResponseCode = (typeof ResponseCode)[keyof typeof ResponseCode];

/** Codes between members of one group (ours; DLedger uses the same range for its own). */
export const MemberCode = {
  Vote: 51001,
  VoteResult: 51011,
  Heartbeat: 51002,
  HeartbeatAck: 51012,
  Push: 51004,
  PushAck: 51014,
  TakeOver: 51005,
  Snapshot: 51006,
  SnapshotAck: 51016,
  ReadIndex: 51020,
  ReadIndexResult: 51021,
} as const;
export type MemberCode = (typeof MemberCode)[keyof typeof MemberCode];

/** Requests of the key-value store (ours). */
export const KvCode = {
  Put: 52001,
  Get: 52002,
  CompareAndSwap: 52003,
  Delete: 52004,
  Range: 52005,
} as const;
export type KvCode = (typeof KvCode)[keyof typeof KvCode];
