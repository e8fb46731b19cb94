/**
 * What a client is told: everything of a response that the state machine knows.
 *
 * The JSON here has its keys in alphabetical order, map keys quoted and ids ascending, so that
 * two members, or two builds, answer with the same bytes. The texts are concatenated: the reply
 * to 1001 and 1004 is built for every request.
 *
 * @source rocketmq SyncStateSet, ElectMasterResponseBody, BrokerMemberGroup (5.x, 8fc57f1)
 */
import { ResponseCode } from '../lib/codes.js';
import { jsonString } from '../lib/json-text.js';
import { ascending, type KnownBrokerSet } from './state.js';

export type Field = readonly [name: string, value: string];

export interface Reply {
  readonly code: ResponseCode;
  readonly remark: string | null;
  /** null: the response has no `extFields` key at all; empty: `extFields` is `{}`. */
  readonly fields: readonly Field[] | null;
  /** JSON text. */
  readonly body: string | null;
}

export function success(fields: readonly Field[] | null, body: string | null): Reply {
  return { code: ResponseCode.Success, remark: null, fields, body };
}

export function refusal(
  code: ResponseCode,
  remark: string,
  fields: readonly Field[] | null = null,
): Reply {
  return { code, remark, fields, body: null };
}

/**
 * Where upstream's handler throws. It would go on with `, ` and its top stack frame, which differs
 * by version and JVM, so no client can rely on it.
 */
export function crash(exception: string): Reply {
  const remark = `java.util.concurrent.ExecutionException: java.lang.${exception}`;
  return refusal(ResponseCode.SystemError, remark);
}

export const nullPointer: Reply = crash('NullPointerException');

/** 1006 without a name to look up. */
export const notSetAnyResponseCode: Reply = refusal(
  ResponseCode.SystemError,
  'not set any response code',
);

/** The fields that most replies echo; a name that the request left out is left out again. */
export function echoNames(clusterName: string | null, brokerName: string): Field[] {
  const names: Field[] = clusterName === null ? [] : [['clusterName', clusterName]];
  names.push(['brokerName', brokerName]);
  return names;
}

/** @param address null when the master was never registered, or was cleaned: the key is left out. */
export function masterFields(
  masterBrokerId: number,
  address: string | null,
  masterEpoch: number,
  syncStateSetEpoch: number,
): Field[] {
  const fields: Field[] = [['masterBrokerId', String(masterBrokerId)]];
  if (address !== null) fields.push(['masterAddress', address]);
  fields.push(['masterEpoch', String(masterEpoch)]);
  fields.push(['syncStateSetEpoch', String(syncStateSetEpoch)]);
  return fields;
}

export function syncStateSetJson(syncStateSet: readonly number[], epoch: number): string {
  return `{"syncStateSet":${idsJson(syncStateSet)},"syncStateSetEpoch":${epoch}}`;
}

/** Body of a 1002 that left things as they were. */
export function stillMasterJson(syncStateSet: readonly number[]): string {
  return `{"syncStateSet":${idsJson(syncStateSet)}}`;
}

/** Body of a 1002 that elected. */
export function electedJson(set: KnownBrokerSet, syncStateSet: readonly number[]): string {
  const { brokerName, clusterName, registry } = set;
  const addresses = ascending(registry.replicas.keys()).map(
    (id) => `"${id}":${jsonString(registry.replicas.get(id)?.address ?? '')}`,
  );
  const cluster = clusterName === null ? '' : `,"cluster":${jsonString(clusterName)}`;
  return (
    `{"brokerMemberGroup":{"brokerAddrs":{${addresses.join(',')}},` +
    `"brokerName":${jsonString(brokerName)}${cluster}},"syncStateSet":${idsJson(syncStateSet)}}`
  );
}

function idsJson(ids: readonly number[]): string {
  if (ids.length === 0) return '[]';
  let json = `[${ids[0]}`;
  for (let i = 1; i < ids.length; i += 1) json += `,${ids[i]}`;
  return `${json}]`;
}
