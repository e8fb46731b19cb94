/**
 * What each request code does: headers and bodies become typed commands here, and nowhere else.
 *
 * Bodies are decoded before leadership is looked at, as upstream: a follower answers a bad body
 * by code 1 and a good one by 2007.
 *
 * @source rocketmq ControllerRequestProcessor (5.x, 8fc57f1)
 */
import { nextBrokerId, replicaInfo, syncStateData } from '../controller/read.js';
import { notSetAnyResponseCode, type Reply, success } from '../controller/reply.js';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import { decodeStringList, decodeSyncStateSet } from '../remoting/bodies.js';
import { BodyError } from '../remoting/errors.js';
import {
  readAlterSyncStateSet,
  readApplyBrokerId,
  readBrokerHeartbeat,
  readCleanBrokerData,
  readElectMaster,
  readGetNextBrokerId,
  readGetReplicaInfo,
  readRegisterBroker,
} from '../remoting/headers.js';
import { invalid } from './answers.js';
import type { Call } from './call.js';
import type { Controller } from './controller.js';

type Handler = (controller: Controller, call: Call) => void;

export const handlers: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [RequestCode.BrokerHeartbeat, heartbeat],
  [RequestCode.AlterSyncStateSet, alterSyncStateSet],
  [RequestCode.ElectMaster, electMaster],
  [RequestCode.RegisterBroker, registerBroker],
  [RequestCode.GetReplicaInfo, getReplicaInfo],
  [RequestCode.GetMetadataInfo, getMetadataInfo],
  [RequestCode.GetSyncStateData, getSyncStateData],
  [RequestCode.UpdateControllerConfig, updateControllerConfig],
  [RequestCode.GetControllerConfig, getControllerConfig],
  [RequestCode.CleanBrokerData, cleanBrokerData],
  [RequestCode.GetNextBrokerId, getNextBrokerId],
  [RequestCode.ApplyBrokerId, applyBrokerId],
]);

const heartbeatTaken: Reply = {
  code: ResponseCode.Success,
  remark: 'Heart beat success',
  fields: null,
  body: null,
};
const heartbeatWithoutId: Reply = {
  code: ResponseCode.InvalidRequest,
  remark: 'Heart beat with empty brokerId',
  fields: null,
  body: null,
};

/** 904, by leaders and followers alike. */
function heartbeat(controller: Controller, call: Call): void {
  const header = readBrokerHeartbeat(call.command.extFields);
  if (header.brokerId === null) {
    call.answer(heartbeatWithoutId);
    return;
  }
  // Upstream takes the first such beat and fails on every later one; failing at once is the same
  // to a broker, and leaves nothing behind.
  if (header.brokerName === null || header.clusterName === null) {
    // Not from the controller's own thread, so nothing is wrapped around the exception.
    call.answer(invalid('java.lang.NullPointerException'));
    return;
  }
  const arrived = controller.table.beat(
    {
      clusterName: header.clusterName,
      brokerName: header.brokerName,
      brokerId: header.brokerId,
      brokerAddress: header.brokerAddr,
      timeoutMs: header.heartbeatTimeoutMills,
      epoch: header.epoch,
      maxOffset: header.maxOffset,
      confirmOffset: header.confirmOffset,
      electionPriority: header.electionPriority,
    },
    call.connection,
  );
  if (arrived !== null) controller.liveness.arrived(arrived);
  call.answer(heartbeatTaken);
}

function alterSyncStateSet(controller: Controller, call: Call): void {
  const header = readAlterSyncStateSet(call.command.extFields);
  withBody(call, decodeSyncStateSet, (body) =>
    controller.write(call, {
      kind: 'alter-sync-state-set',
      brokerName: header.brokerName,
      masterBrokerId: header.masterBrokerId,
      masterEpoch: header.masterEpoch,
      syncStateSet: body?.syncStateSet ?? null,
      syncStateSetEpoch: body?.syncStateSetEpoch ?? null,
    }),
  );
}

function electMaster(controller: Controller, call: Call): void {
  const { brokerName, brokerId, designateElect } = readElectMaster(call.command.extFields);
  controller.write(call, { kind: 'elect-master', brokerName, brokerId, designateElect });
}

function registerBroker(controller: Controller, call: Call): void {
  const header = readRegisterBroker(call.command.extFields);
  const { clusterName, brokerName, brokerId, brokerAddress } = header;
  controller.write(call, {
    kind: 'register-broker',
    clusterName,
    brokerName,
    brokerId,
    brokerAddress,
  });
}

function applyBrokerId(controller: Controller, call: Call): void {
  controller.write(call, { kind: 'apply-broker-id', ...readApplyBrokerId(call.command.extFields) });
}

function cleanBrokerData(controller: Controller, call: Call): void {
  const header = readCleanBrokerData(call.command.extFields);
  controller.write(call, {
    kind: 'clean-broker-data',
    clusterName: header.clusterName,
    brokerName: header.brokerName,
    brokerControllerIdsToClean: header.brokerControllerIdsToClean,
    isCleanLivingBroker: header.isCleanLivingBroker,
  });
}

function getNextBrokerId(controller: Controller, call: Call): void {
  const header = readGetNextBrokerId(call.command.extFields);
  controller.read(call, {
    brokerName: header.brokerName ?? '',
    onAnyMember: false,
    compute: () => nextBrokerId(controller.state, header),
  });
}

function getReplicaInfo(controller: Controller, call: Call): void {
  const { brokerName } = readGetReplicaInfo(call.command.extFields);
  controller.read(call, {
    brokerName: brokerName ?? '',
    onAnyMember: true,
    compute: () => replicaInfo(controller.state, brokerName),
  });
}

function getSyncStateData(controller: Controller, call: Call): void {
  withBody(call, decodeStringList, (names) => {
    if (names === null || names.length === 0) {
      call.answer(notSetAnyResponseCode);
      return;
    }
    controller.read(call, {
      brokerName: names[0] ?? '',
      onAnyMember: true,
      compute: () => syncStateData(controller.state, names, controller.table),
    });
  });
}

/** 1005, from memory, on any member: brokers ask it to find out whom to ask. */
function getMetadataInfo(controller: Controller, call: Call): void {
  const { group, peers } = controller.config;
  const { leader, role } = controller.log.status;
  const address = peers.find(({ id }) => id === leader)?.address;
  call.answer(
    success(
      [
        ['group', group],
        ...(leader === null || address === undefined
          ? []
          : ([
              ['controllerLeaderId', leader],
              ['controllerLeaderAddress', address],
            ] as const)),
        ['isLeader', String(role === 'leader')],
        ['peers', peers.map(({ id, address }) => `${id}:${address};`).join('')],
      ],
      null,
    ),
  );
}

const done: Reply = { code: ResponseCode.Success, remark: null, fields: null, body: null };

/** 1009, on any member, for that member alone. */
function updateControllerConfig(controller: Controller, call: Call): void {
  const outcome = controller.updateSettings(call.command.body);
  call.answer(outcome.ok ? done : { ...done, code: outcome.code, remark: outcome.remark });
}

/** 1010, on any member, about that member alone. */
function getControllerConfig(controller: Controller, call: Call): void {
  call.answer({ ...done, body: controller.settings.list() });
}

function withBody<Body>(
  call: Call,
  decode: (body: Buffer | null) => Body,
  go: (body: Body) => void,
): void {
  let body: Body;
  try {
    body = decode(call.command.body);
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    call.answer(invalid(`com.alibaba.fastjson2.JSONException: ${error.message}`));
    return;
  }
  go(body);
}
