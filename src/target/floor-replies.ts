/**
 * What the floor says to everything but a write: as if every broker set were registered, led by
 * broker 1, with three replicas in step. Nothing is remembered.
 */
import { RequestCode, ResponseCode } from '../lib/codes.js';
import {
  decodeStringList,
  encodeElectMasterBody,
  encodeReplicasInfo,
  encodeSyncStateSet,
} from '../remoting/bodies.js';
import type { RemotingCommand } from '../remoting/command.js';
import type { ResponseFrame } from '../remoting/frame-writer.js';

type Reply = Omit<ResponseFrame, 'opaque'>;

const REPLICAS = [1, 2, 3];
const MASTER = { masterBrokerId: '1', masterAddress: '127.0.0.1:1', masterEpoch: '1' };
const SYNC_STATE_SET = encodeSyncStateSet(REPLICAS, 1);

const ok = (fields: Readonly<Record<string, string>> | null, body: string | null): Reply => ({
  code: ResponseCode.Success,
  extFields: fields === null ? null : JSON.stringify(fields),
  remark: null,
  body,
});
const refused = (code: number, remark: string): Reply => ({
  ...{ code, remark, extFields: null, body: null },
});

const done = ok(null, null);
export const busy = refused(ResponseCode.SystemBusy, 'too many requests wait');
const notLeader = refused(ResponseCode.NotLeader, 'The controller is not in leader state');
const replicaInfo = ok(MASTER, SYNC_STATE_SET);
const registered = ok({ ...MASTER, syncStateSetEpoch: '1' }, SYNC_STATE_SET);
const elected = ok(
  { ...MASTER, syncStateSetEpoch: '1' },
  encodeElectMasterBody({ brokerMemberGroup: null, syncStateSet: REPLICAS }),
);

export interface FloorView {
  readonly isLeader: boolean;
  readonly leaderAddress: string;
  /** In order of their ids; the first one leads. */
  readonly addresses: readonly string[];
}

export function floorReply(command: RemotingCommand, view: FloorView): Reply {
  switch (command.code) {
    case RequestCode.GetMetadataInfo:
      return metadata(view);
    case RequestCode.BrokerHeartbeat:
      return done;
    default:
      return view.isLeader ? leaderReply(command) : notLeader;
  }
}

function leaderReply({ code, body, extFields }: RemotingCommand): Reply {
  switch (code) {
    case RequestCode.GetReplicaInfo:
      return replicaInfo;
    case RequestCode.GetSyncStateData:
      return ok(null, encodeReplicasInfo(namedSets(body)));
    case RequestCode.GetNextBrokerId:
      return ok({ ...extFields, nextBrokerId: String(REPLICAS.length + 1) }, null);
    case RequestCode.RegisterBroker:
      return registered;
    case RequestCode.ElectMaster:
      return elected;
    case RequestCode.ApplyBrokerId:
    case RequestCode.CleanBrokerData:
      return done;
    default:
      return refused(ResponseCode.RequestCodeNotSupported, ` request type ${code} not supported`);
  }
}

function metadata({ isLeader, leaderAddress, addresses }: FloorView): Reply {
  const fields = {
    group: 'floor',
    controllerLeaderId: 'n0',
    controllerLeaderAddress: leaderAddress,
    isLeader: String(isLeader),
    peers: addresses.map((address, index) => `n${index}:${address};`).join(''),
  };
  return ok(fields, null);
}

function namedSets(body: Buffer | null): Parameters<typeof encodeReplicasInfo>[0] {
  const names = decodeStringList(body) ?? [];
  return new Map(
    names.map((brokerName) => [
      brokerName,
      {
        masterBrokerId: 1,
        masterAddress: MASTER.masterAddress,
        masterEpoch: 1,
        syncStateSetEpoch: 1,
        inSyncReplicas: REPLICAS.map((brokerId) => ({
          ...{ brokerName, brokerId, alive: true },
          brokerAddress: `127.0.0.1:${brokerId}`,
        })),
        notInSyncReplicas: [],
      },
    ]),
  );
}
