/**
 * Bodies of the controller's requests and responses.
 *
 * Written as strict JSON with quoted map keys, which every upstream version reads. Read as 5.4.0
 * does, bare integer keys and single quotes included. A body that upstream fails on is a
 * `BodyError`, which the server answers with code 1.
 *
 * @source rocketmq SyncStateSet, ElectMasterResponseBody, BrokerReplicasInfo, BrokerMemberGroup (5.4.0)
 */

import { jsonString } from '../lib/json-text.js';
import { BodyError } from './errors.js';
import { parseJavaInt, parseJavaLong } from './java-numbers.js';
import { type Json, LenientJsonError, parseLenientJson } from './lenient-json.js';

export interface SyncStateSet {
  /** Broker ids, ascending, each once. */
  readonly syncStateSet: readonly number[];
  readonly syncStateSetEpoch: number;
}

export interface BrokerMemberGroup {
  readonly cluster: string | null;
  readonly brokerName: string | null;
  readonly brokerAddrs: ReadonlyMap<number, string>;
}

export interface ElectMasterBody {
  /** null when the old master stays (code 2011). */
  readonly brokerMemberGroup: BrokerMemberGroup | null;
  readonly syncStateSet: readonly number[];
}

export interface ReplicaIdentity {
  readonly brokerName: string;
  readonly brokerId: number;
  readonly brokerAddress: string;
  readonly alive: boolean;
}

export interface ReplicasInfo {
  readonly masterBrokerId: number | null;
  readonly masterAddress: string | null;
  readonly masterEpoch: number;
  readonly syncStateSetEpoch: number;
  readonly inSyncReplicas: readonly ReplicaIdentity[];
  readonly notInSyncReplicas: readonly ReplicaIdentity[];
}

/** Body of 1008, and of the responses of 1001, 1003 and 1004. */
export function encodeSyncStateSet(ids: readonly number[], syncStateSetEpoch: number): string {
  return `{"syncStateSet":${idList(ids)},"syncStateSetEpoch":${syncStateSetEpoch}}`;
}

/**
 * Body of 1001 and of many responses.
 *
 * @returns null for no body and for JSON `null`
 * @throws {BodyError} when the set is missing or holds anything but integers
 */
export function decodeSyncStateSet(body: Buffer | null): SyncStateSet | null {
  if (body === null) return null;
  const usual = usualSyncStateSet(body);
  if (usual !== null) return usual;
  const json = parseBody('syncStateSet body', body);
  if (json === null) return null;
  const bean = asObject('syncStateSet body', json);
  return {
    syncStateSet: asIds('syncStateSet', bean.syncStateSet),
    syncStateSetEpoch: asInt('syncStateSetEpoch', bean.syncStateSetEpoch),
  };
}

const SET_START = Buffer.from('{"syncStateSet":[');
const SET_END = Buffer.from('],"syncStateSetEpoch":');
const COMMA = 0x2c;
const CLOSING_BRACE = 0x7d;
const DIGITS_MAX = 9;

/**
 * Reads a set exactly as known clients write it, ids ascending, many times as fast as JSON can be
 * parsed: every write that matters has this body. null: not so usual, or not a set at all.
 */
function usualSyncStateSet(body: Buffer): SyncStateSet | null {
  if (!holdsAt(body, 0, SET_START)) return null;
  const ids: number[] = [];
  let last = -1;
  let at = SET_START.length;
  for (;;) {
    const end = digitsEnd(body, at);
    const id = integerAt(body, at, end);
    if (id <= last) return null;
    ids.push(id);
    last = id;
    at = end + 1;
    if (body[end] === COMMA) continue;
    if (!holdsAt(body, end, SET_END)) return null;
    at = end + SET_END.length;
    break;
  }
  const end = digitsEnd(body, at);
  const syncStateSetEpoch = integerAt(body, at, end);
  if (syncStateSetEpoch < 0 || body[end] !== CLOSING_BRACE || end + 1 !== body.length) return null;
  return { syncStateSet: ids, syncStateSetEpoch };
}

function holdsAt(body: Buffer, at: number, expected: Buffer): boolean {
  for (let i = 0; i < expected.length; i += 1) if (body[at + i] !== expected[i]) return false;
  return true;
}

function digitsEnd(body: Buffer, start: number): number {
  let end = start;
  while (isDigit(body[end])) end += 1;
  return end;
}

const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** -1 for no digits, a leading zero, or more digits than surely fit an int32. */
function integerAt(body: Buffer, start: number, end: number): number {
  const digits = end - start;
  if (digits === 0 || digits > DIGITS_MAX || (digits > 1 && body[start] === 0x30)) return -1;
  let value = 0;
  for (let i = start; i < end; i += 1) value = value * 10 + ((body[i] as number) - 0x30);
  return value;
}

/** Body of 1006. */
export function encodeStringList(texts: readonly string[]): string {
  return `[${texts.map(jsonString).join(',')}]`;
}

/**
 * @returns null for no body, for JSON `null` and for an empty string, as upstream
 * @throws {BodyError} unless every element is a string
 */
export function decodeStringList(body: Buffer | null): readonly string[] | null {
  if (body === null) return null;
  const json = parseBody('list body', body);
  if (json === null || json === '') return null;
  return asArray('list body', json).map((text) => asText('list element', text));
}

/** Body of 1002's response. */
export function encodeElectMasterBody({
  brokerMemberGroup,
  syncStateSet,
}: ElectMasterBody): string {
  const group =
    brokerMemberGroup === null ? '' : `"brokerMemberGroup":${memberGroup(brokerMemberGroup)},`;
  return `{${group}"syncStateSet":${idList(syncStateSet)}}`;
}

/** @throws {BodyError} */
export function decodeElectMasterBody(body: Buffer | null): ElectMasterBody | null {
  if (body === null) return null;
  const bean = asObject('elect body', parseBody('elect body', body));
  const group = bean.brokerMemberGroup ?? null;
  return {
    brokerMemberGroup: group === null ? null : asMemberGroup(group),
    syncStateSet: asIds('syncStateSet', bean.syncStateSet),
  };
}

/** @throws {BodyError} */
export function decodeBrokerMemberGroup(body: Buffer): BrokerMemberGroup {
  return asMemberGroup(parseBody('brokerMemberGroup', body));
}

/** Body of 1006's response: what is known of each named broker set. */
export function encodeReplicasInfo(table: ReadonlyMap<string, ReplicasInfo>): string {
  const sets: string[] = [];
  for (const [brokerName, info] of table) sets.push(`${jsonString(brokerName)}:${replicas(info)}`);
  return `{"replicasInfoTable":{${sets.join(',')}}}`;
}

/** @throws {BodyError} */
export function decodeReplicasInfo(body: Buffer): ReadonlyMap<string, ReplicasInfo> {
  const bean = asObject('replicasInfo body', parseBody('replicasInfo body', body));
  const table = asObject('replicasInfoTable', bean.replicasInfoTable);
  return new Map(Object.entries(table).map(([name, info]) => [name, asReplicasInfo(info)]));
}

function idList(ids: readonly number[]): string {
  for (let i = 1; i < ids.length; i += 1) {
    if ((ids[i - 1] as number) >= (ids[i] as number)) return idList(ascendingSet(ids));
  }
  let list = '';
  for (const id of ids) list += list === '' ? id : `,${id}`;
  return `[${list}]`;
}

function ascendingSet(ids: readonly number[]): readonly number[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}

function memberGroup({ brokerAddrs, brokerName, cluster }: BrokerMemberGroup): string {
  const addresses = [...brokerAddrs].map(([id, address]) => `"${id}":${jsonString(address)}`);
  const members = [`"brokerAddrs":{${addresses.join(',')}}`];
  if (brokerName !== null) members.push(`"brokerName":${jsonString(brokerName)}`);
  if (cluster !== null) members.push(`"cluster":${jsonString(cluster)}`);
  return `{${members.join(',')}}`;
}

function replicas(info: ReplicasInfo): string {
  const master =
    (info.masterAddress === null ? '' : `"masterAddress":${jsonString(info.masterAddress)},`) +
    (info.masterBrokerId === null ? '' : `"masterBrokerId":${info.masterBrokerId},`);
  const inSync = info.inSyncReplicas.map(identity).join(',');
  const notInSync = info.notInSyncReplicas.map(identity).join(',');
  return (
    `{"inSyncReplicas":[${inSync}],${master}"masterEpoch":${info.masterEpoch},` +
    `"notInSyncReplicas":[${notInSync}],"syncStateSetEpoch":${info.syncStateSetEpoch}}`
  );
}

function identity({ alive, brokerAddress, brokerId, brokerName }: ReplicaIdentity): string {
  return (
    `{"alive":${alive},"brokerAddress":${jsonString(brokerAddress)},` +
    `"brokerId":${brokerId},"brokerName":${jsonString(brokerName)}}`
  );
}

/** Strict first: it is the usual case and many times faster. */
function parseBody(what: string, body: Buffer): Json {
  const text = body.toString();
  try {
    return JSON.parse(text) as Json;
  } catch {
    // Not strict JSON; Java may still read it.
  }
  try {
    return parseLenientJson(text, { numbers: 'value' });
  } catch (error) {
    if (!(error instanceof LenientJsonError)) throw error;
    throw new BodyError(`${what} is not JSON: ${error.message}`, { cause: error });
  }
}

type FieldName =
  | keyof SyncStateSet
  | keyof ElectMasterBody
  | keyof BrokerMemberGroup
  | keyof ReplicasInfo
  | keyof ReplicaIdentity
  | 'replicasInfoTable';
type JsonObject = Readonly<Partial<Record<FieldName, Json>>>;

function asObject(what: string, json: Json | undefined): JsonObject {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject;
  throw new BodyError(`${what} is not an object`);
}

function asArray(what: string, json: Json | undefined): readonly Json[] {
  if (Array.isArray(json)) return json as readonly Json[];
  throw new BodyError(`${what} is not an array`);
}

function asText(what: string, json: Json | undefined): string {
  if (typeof json === 'string') return json;
  throw new BodyError(`${what} is not a string`);
}

function asTextOrNull(what: string, json: Json | undefined): string | null {
  return json === undefined || json === null ? null : asText(what, json);
}

function asIds(what: string, json: Json | undefined): readonly number[] {
  return ascendingSet(asArray(what, json).map((id) => asLong(`${what} element`, id)));
}

/** A long as a number or as text; beyond 2^53 it is refused, not rounded. */
function asLong(what: string, json: Json | undefined): number {
  if (typeof json === 'number' && Number.isSafeInteger(json)) return json;
  const value = typeof json === 'string' ? parseJavaLong(json) : null;
  if (value === null) throw new BodyError(`${what} is not an integer within 2^53`);
  return value;
}

/** Absent and null read as 0, Java's default for an int. */
function asInt(what: string, json: Json | undefined): number {
  if (json === undefined || json === null) return 0;
  const isNumber = typeof json === 'number' || typeof json === 'string';
  const value = isNumber ? parseJavaInt(String(json)) : null;
  if (value === null) throw new BodyError(`${what} is not an int32`);
  return value;
}

function asMemberGroup(json: Json): BrokerMemberGroup {
  const bean = asObject('brokerMemberGroup', json);
  const addresses = asObject('brokerAddrs', bean.brokerAddrs ?? {});
  return {
    cluster: asTextOrNull('cluster', bean.cluster),
    brokerName: asTextOrNull('brokerName', bean.brokerName),
    brokerAddrs: new Map(
      Object.entries(addresses).map(([id, address]) => [
        asLong('brokerAddrs key', id),
        asText('brokerAddrs value', address),
      ]),
    ),
  };
}

function asReplicasInfo(json: Json | undefined): ReplicasInfo {
  const bean = asObject('replicasInfo', json);
  const masterBrokerId = bean.masterBrokerId ?? null;
  return {
    masterBrokerId: masterBrokerId === null ? null : asLong('masterBrokerId', masterBrokerId),
    masterAddress: asTextOrNull('masterAddress', bean.masterAddress),
    masterEpoch: asInt('masterEpoch', bean.masterEpoch),
    syncStateSetEpoch: asInt('syncStateSetEpoch', bean.syncStateSetEpoch),
    inSyncReplicas: asArray('inSyncReplicas', bean.inSyncReplicas).map(asIdentity),
    notInSyncReplicas: asArray('notInSyncReplicas', bean.notInSyncReplicas).map(asIdentity),
  };
}

function asIdentity(json: Json): ReplicaIdentity {
  const bean = asObject('replica', json);
  return {
    brokerName: asText('brokerName', bean.brokerName),
    brokerId: asLong('brokerId', bean.brokerId),
    brokerAddress: asText('brokerAddress', bean.brokerAddress),
    alive: bean.alive === true,
  };
}
