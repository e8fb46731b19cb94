/** The operations that a load performs, as results name them. */
import { RequestCode } from '../lib/codes.js';
import type { Operation } from '../measure/results.js';

export interface CatalogEntry {
  readonly name: string;
  readonly code: number;
  readonly kind: Operation['kind'];
}

export const catalog: readonly CatalogEntry[] = [
  { name: 'alterSyncStateSet', code: RequestCode.AlterSyncStateSet, kind: 'write' },
  { name: 'applyBrokerId', code: RequestCode.ApplyBrokerId, kind: 'write' },
  { name: 'registerBroker', code: RequestCode.RegisterBroker, kind: 'write' },
  { name: 'electMaster', code: RequestCode.ElectMaster, kind: 'write' },
  { name: 'getReplicaInfo', code: RequestCode.GetReplicaInfo, kind: 'read' },
  { name: 'getSyncStateData', code: RequestCode.GetSyncStateData, kind: 'read' },
  { name: 'getNextBrokerId', code: RequestCode.GetNextBrokerId, kind: 'read' },
  { name: 'getMetadataInfo', code: RequestCode.GetMetadataInfo, kind: 'local' },
  { name: 'heartbeat', code: RequestCode.BrokerHeartbeat, kind: 'heartbeat' },
];

const byName = new Map(catalog.map((entry) => [entry.name, entry]));
const byCode = new Map(catalog.map((entry) => [entry.code, entry]));

export function entryNamed(name: string): CatalogEntry {
  const entry = byName.get(name);
  if (entry === undefined) throw new Error(`no operation is called ${name}`);
  return entry;
}

export function entryOfCode(code: number): CatalogEntry {
  const entry = byCode.get(code);
  if (entry === undefined) throw new Error(`no operation has request code ${code}`);
  return entry;
}
