/**
 * The one table of what can be asked: for every request code its fields and what their text means.
 * The generator draws from it, bad values included; a new code is a new row here.
 */
import { RequestCode } from '../lib/codes.js';
import type { WireRequest } from './exchange.js';

export type FieldKind = 'text' | 'long' | 'int' | 'boolean' | 'ids';

export interface RequestShape {
  readonly code: number;
  readonly fields: Readonly<Record<string, FieldKind>>;
  readonly body?: 'sync-state-set' | 'names' | 'properties';
}

export const requestShapes: readonly RequestShape[] = [
  {
    code: RequestCode.BrokerHeartbeat,
    fields: {
      clusterName: 'text',
      brokerName: 'text',
      brokerAddr: 'text',
      brokerId: 'long',
      epoch: 'int',
      maxOffset: 'long',
      confirmOffset: 'long',
      heartbeatTimeoutMills: 'long',
      electionPriority: 'int',
    },
  },
  {
    code: RequestCode.AlterSyncStateSet,
    fields: { brokerName: 'text', masterBrokerId: 'long', masterEpoch: 'int', invokeTime: 'long' },
    body: 'sync-state-set',
  },
  {
    code: RequestCode.ElectMaster,
    fields: {
      clusterName: 'text',
      brokerName: 'text',
      brokerId: 'long',
      designateElect: 'boolean',
      invokeTime: 'long',
    },
  },
  {
    code: RequestCode.RegisterBroker,
    fields: {
      clusterName: 'text',
      brokerName: 'text',
      brokerId: 'long',
      brokerAddress: 'text',
      invokeTime: 'long',
    },
  },
  { code: RequestCode.GetReplicaInfo, fields: { brokerName: 'text' } },
  { code: RequestCode.GetMetadataInfo, fields: {} },
  { code: RequestCode.GetSyncStateData, fields: {}, body: 'names' },
  {
    code: RequestCode.CleanBrokerData,
    fields: {
      clusterName: 'text',
      brokerName: 'text',
      brokerControllerIdsToClean: 'ids',
      isCleanLivingBroker: 'boolean',
      invokeTime: 'long',
    },
  },
  { code: RequestCode.GetNextBrokerId, fields: { clusterName: 'text', brokerName: 'text' } },
  {
    code: RequestCode.ApplyBrokerId,
    fields: {
      clusterName: 'text',
      brokerName: 'text',
      appliedBrokerId: 'long',
      registerCheckCode: 'text',
    },
  },
  { code: RequestCode.UpdateControllerConfig, fields: {}, body: 'properties' },
  { code: RequestCode.GetControllerConfig, fields: {} },
];

/** Of members among themselves, of brokers, of JRaft's log, and of nobody. */
export const unknownCodes: readonly number[] = [
  ...[0, 1, 10, 105, 903, 905, 1000, 1007, 1008, 1014, 1015, 1016, 1017, 1018, 1999, 32_767, -1],
];

/** Texts that are wrong, odd, or at the edge, for each kind of field. */
export const oddTexts: Readonly<Record<FieldKind, readonly string[]>> = {
  text: [
    '',
    ' ',
    'ü',
    'a b',
    'null',
    'quote"back\\slash',
    'line\nbreak',
    'x'.repeat(300),
    '{}',
    ';',
  ],
  long: [
    '',
    ' ',
    ' 1',
    '1 ',
    '+1',
    '-1',
    '-0',
    '0',
    '01',
    'abc',
    '1.0',
    '1e0',
    '0x1',
    '1L',
    'null',
  ],
  int: ['', ' 1', '+1', '-1', '0', '01', 'abc', '1.0', '2147483647', '2147483648', '-2147483649'],
  boolean: ['', 'TRUE', 'True', 'yes', '1', ' true', 'null', 'FALSE'],
  ids: ['', ' ', ';', ';;', '1;', ';1', '1;;2', '1; 2', '1,2', 'x', '1;x;2', '+1', '-1', '99'],
};

/** Bodies that are not what 1001, 1006 and 1009 want, or hardly. */
export const oddBodies: Readonly<Record<NonNullable<RequestShape['body']>, readonly string[]>> = {
  'sync-state-set': [
    ...['null', '[]', '{}', '1', '"x"', 'true', 'x', '{', '}', '{"syncStateSet":[1,2', '\u0000'],
    '{"syncStateSet":null,"syncStateSetEpoch":1}',
    '{"syncStateSetEpoch":1}',
    '{"syncStateSet":[1]}',
    '{"syncStateSet":[],"syncStateSetEpoch":1}',
    '{"syncStateSet":["1","2"],"syncStateSetEpoch":"1"}',
    '{"syncStateSet":[2,1,2],"syncStateSetEpoch":1}',
    '{"syncStateSet":[1],"syncStateSetEpoch":null}',
    '{"syncStateSet":[1],"syncStateSetEpoch":1,"other":{"a":[1]}}',
    '{"syncStateSet":"x","syncStateSetEpoch":1}',
    '{"syncStateSet":{"a":1},"syncStateSetEpoch":1}',
    '{"syncStateSet":[1,"x"],"syncStateSetEpoch":1}',
    '{"syncStateSet":[[1]],"syncStateSetEpoch":1}',
    '{"syncStateSet":[1.5],"syncStateSetEpoch":1}',
    '{"syncStateSet":[1.0,2e0],"syncStateSetEpoch":1}',
    '{"syncStateSet":[true],"syncStateSetEpoch":1}',
    '{"syncStateSet":[null],"syncStateSetEpoch":1}',
    '{"syncStateSet":[1],"syncStateSetEpoch":1.5}',
    '{"syncStateSet":[1],"syncStateSetEpoch":2147483648}',
    '{"syncStateSet":[1],"syncStateSetEpoch":true}',
    '{"syncStateSet":[1],"syncStateSet":[2],"syncStateSetEpoch":1}',
    '{"syncStateSet":[1],"syncStateSetEpoch":1} trailing',
    '\ufeff{"syncStateSet":[1],"syncStateSetEpoch":1}',
    '{"syncStateSet":[1],"syncStateSetEpoch":"x"}',
    "{'syncStateSet':[1],'syncStateSetEpoch':1}",
  ],
  names: [
    ...['null', '[]', '""', '1', 'true', 'x', '[', '["a"', '[""]', '[null]', '{"a":1}', '{}'],
    ...['[1,"b"]', '["nowhere"]', '["nowhere","nowhere"]', '[["a"]]', "['nowhere']"],
  ],
  // None of these changes what any other request is answered.
  properties: [
    ...['', ' ', '\n\n', '# a comment\n', '! another\n', 'x', '=', '=x\n', '[]', '{"a":1}'],
    ...['a=\\u12\n', 'a=\\uZZZZ\n', '\\u=a\n', 'configBlackList=\\u12\n'],
    'electMasterMaxRetryCount=5\na=\\u12\n',
    ...['warpSpeed=9\n', 'ElectMasterMaxRetryCount=5\n'],
    ...['configBlackList=x\n', 'configStorePath=/x\n', 'rocketmqHome=/x\n', ' rocketmqHome : /x'],
    ...['configStorePath', 'ConfigStorePath=/x\n', 'warpSpeed=9\nrocketmqHome=/x\n'],
    'electMasterMaxRetryCount=5\nconfigBlackList=x\n',
    'configBlackList=x\nelectMasterMaxRetryCount=5\n',
    ...['electMasterMaxRetryCount=x\n', 'electMasterMaxRetryCount=\n', 'electMasterMaxRetryCount'],
    ...['electMasterMaxRetryCount=99999999999', 'notifyBrokerRoleChanged=no\n'],
    'warpSpeed=9\nnotifyBrokerRoleChanged=nope\n',
  ],
};

const names = (set: string, cluster = 'cluster-a') => ({ clusterName: cluster, brokerName: set });

/** Long enough for any run: who beats is alive until its connection is closed. */
export const ALIVE_MS = '36000000';

export const addressOf = (id: number | string, host = '10.0.0'): string => `${host}.${id}:10911`;

export function beat(
  set: string,
  id: number,
  fields: Readonly<Record<string, unknown>> = {},
): WireRequest {
  const extFields = {
    ...names(set),
    brokerAddr: addressOf(id),
    brokerId: String(id),
    epoch: '1',
    maxOffset: '100',
    confirmOffset: '50',
    heartbeatTimeoutMills: ALIVE_MS,
    ...fields,
  };
  return { code: RequestCode.BrokerHeartbeat, extFields };
}

export function nextId(set: string): WireRequest {
  return { code: RequestCode.GetNextBrokerId, extFields: names(set) };
}

export function apply(
  set: string,
  id: number | string,
  fields: Readonly<Record<string, unknown>> = {},
): WireRequest {
  const extFields = {
    ...names(set),
    appliedBrokerId: String(id),
    registerCheckCode: `${addressOf(id)};1700000000`,
    ...fields,
  };
  return { code: RequestCode.ApplyBrokerId, extFields };
}

export function register(
  set: string,
  id: number | string,
  fields: Readonly<Record<string, unknown>> = {},
): WireRequest {
  const extFields = {
    ...names(set),
    brokerId: String(id),
    brokerAddress: addressOf(id),
    ...fields,
  };
  return { code: RequestCode.RegisterBroker, extFields };
}

export function elect(
  set: string,
  id: number | string,
  fields: Readonly<Record<string, unknown>> = {},
): WireRequest {
  const extFields = { ...names(set), brokerId: String(id), designateElect: 'false', ...fields };
  return { code: RequestCode.ElectMaster, extFields };
}

export function alter(
  set: string,
  claim: { readonly master: number; readonly masterEpoch: number | string },
  proposed: { readonly ids: readonly number[]; readonly epoch: number } | string,
): WireRequest {
  return {
    code: RequestCode.AlterSyncStateSet,
    extFields: {
      brokerName: set,
      masterBrokerId: String(claim.master),
      masterEpoch: String(claim.masterEpoch),
    },
    body:
      typeof proposed === 'string'
        ? proposed
        : JSON.stringify({ syncStateSet: proposed.ids, syncStateSetEpoch: proposed.epoch }),
  };
}

export function replicaInfo(set: string): WireRequest {
  return { code: RequestCode.GetReplicaInfo, extFields: { brokerName: set } };
}

export function syncStateData(...sets: readonly string[]): WireRequest {
  return { code: RequestCode.GetSyncStateData, body: JSON.stringify(sets) };
}

export function clean(
  set: string,
  ids: string | null,
  fields: Readonly<Record<string, unknown>> = {},
): WireRequest {
  const extFields = {
    ...names(set),
    ...(ids !== null && { brokerControllerIdsToClean: ids }),
    isCleanLivingBroker: 'false',
    ...fields,
  };
  return { code: RequestCode.CleanBrokerData, extFields };
}

/** Changes properties, which are given as text. */
export function update(properties: string): WireRequest {
  return { code: RequestCode.UpdateControllerConfig, body: properties };
}

export const properties: WireRequest = { code: RequestCode.GetControllerConfig };

export const metadata: WireRequest = { code: RequestCode.GetMetadataInfo };

/** The request without one of its fields. */
export function without(request: WireRequest, field: string): WireRequest {
  const { [field]: _, ...extFields } = request.extFields ?? {};
  return { ...request, extFields };
}

/** The request with some fields set to something else. */
export function withFields(
  request: WireRequest,
  fields: Readonly<Record<string, unknown>>,
): WireRequest {
  return { ...request, extFields: { ...request.extFields, ...fields } };
}
