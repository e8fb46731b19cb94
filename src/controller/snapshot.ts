/**
 * The whole state as bytes: equal states give equal bytes, and different states different ones.
 *
 * Names go in order of UTF-16 code units and ids ascending, whatever order they came in. Numbers
 * and strings are as `bytes.ts` says.
 */
import assert from 'node:assert/strict';
import { ByteReader, ByteWriter } from './bytes.js';
import {
  ascending,
  brokerNamesInOrder,
  type ControllerState,
  createState,
  type Registry,
  type Replica,
  type StateView,
  type SyncState,
} from './state.js';

const VERSION = 1;
const HAS_REGISTRY = 1;
const HAS_SYNC = 2;
const HAS_MASTER = 4;
const SLAB_BYTES = 64 * 1024;

export function encodeSnapshot(state: StateView): Uint8Array {
  const bytes = new ByteWriter(SLAB_BYTES);
  bytes.byte(VERSION);
  bytes.number(state.brokerSets.size);
  for (const brokerName of brokerNamesInOrder(state)) {
    const set = state.brokerSets.get(brokerName);
    assert(set !== undefined, 'the names came from the map');
    const { registry, sync } = set;
    bytes.text(brokerName);
    bytes.nullableText(set.clusterName);
    bytes.byte(
      (registry === null ? 0 : HAS_REGISTRY) +
        (sync === null ? 0 : HAS_SYNC) +
        (sync === null || sync.masterBrokerId === null ? 0 : HAS_MASTER),
    );
    if (registry !== null) writeRegistry(bytes, registry);
    if (sync !== null) writeSync(bytes, sync);
  }
  return bytes.take();
}

/** @throws {assert.AssertionError} for bytes that `encodeSnapshot` did not write; it always returns or throws. */
export function decodeSnapshot(snapshot: Uint8Array): ControllerState {
  const bytes = new ByteReader(snapshot);
  assert.equal(bytes.byte(), VERSION, 'snapshot of another version');
  const state = createState();
  for (let sets = bytes.count(); sets > 0; sets -= 1) {
    const brokerName = bytes.text();
    const clusterName = bytes.nullableText();
    const flags = bytes.byte();
    const registry = (flags & HAS_REGISTRY) === 0 ? null : readRegistry(bytes);
    const sync = (flags & HAS_SYNC) === 0 ? null : readSync(bytes, (flags & HAS_MASTER) !== 0);
    state.brokerSets.set(brokerName, { brokerName, clusterName, registry, sync });
  }
  assert(bytes.atEnd, 'bytes after the last broker set');
  return state;
}

export function statesEqual(one: StateView, other: StateView): boolean {
  return Buffer.compare(encodeSnapshot(one), encodeSnapshot(other)) === 0;
}

function writeRegistry(bytes: ByteWriter, { nextAssignBrokerId, replicas }: Registry): void {
  bytes.number(nextAssignBrokerId);
  bytes.number(replicas.size);
  for (const id of ascending(replicas.keys())) {
    const replica = replicas.get(id);
    assert(replica !== undefined, 'the ids came from the map');
    bytes.number(id);
    bytes.text(replica.address);
    bytes.text(replica.registerCheckCode);
  }
}

function readRegistry(bytes: ByteReader) {
  const nextAssignBrokerId = bytes.number();
  const replicas = new Map<number, Replica>();
  for (let left = bytes.count(); left > 0; left -= 1) {
    const id = bytes.number();
    const address = bytes.text();
    replicas.set(id, { address, registerCheckCode: bytes.text() });
  }
  return { nextAssignBrokerId, replicas };
}

function writeSync(bytes: ByteWriter, sync: SyncState): void {
  if (sync.masterBrokerId !== null) bytes.number(sync.masterBrokerId);
  bytes.number(sync.masterEpoch);
  bytes.number(sync.syncStateSetEpoch);
  bytes.numbers(sync.syncStateSet);
}

function readSync(bytes: ByteReader, hasMaster: boolean): SyncState {
  const masterBrokerId = hasMaster ? bytes.number() : null;
  const masterEpoch = bytes.number();
  const syncStateSetEpoch = bytes.number();
  return { masterBrokerId, masterEpoch, syncStateSetEpoch, syncStateSet: bytes.numbers() };
}
