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
  type SetWatcher,
  type StateView,
  type SyncState,
} from './state.js';

const VERSION = 1;
const HAS_REGISTRY = 1;
const HAS_SYNC = 2;
const HAS_MASTER = 4;
const SLAB_BYTES = 64 * 1024;
const EARLY_SLAB_BYTES = 512;
/** Three milliseconds of code that has never run, a tenth of one later. */
const SETS_PER_PART_MAX = 50;
const PART_BYTES = 128 * 1024;

export function encodeSnapshot(state: StateView): Uint8Array {
  const bytes = new ByteWriter(SLAB_BYTES);
  bytes.byte(VERSION);
  bytes.number(state.brokerSets.size);
  for (const brokerName of brokerNamesInOrder(state)) writeSet(bytes, state, brokerName);
  return bytes.take();
}

/** What `decodeSnapshot` reads, a part at a time; sets come in any order, because sorting would stop the world. */
export interface SnapshotParts {
  /** null at the end. */
  next(): Uint8Array | null;
  /** Called once, after the end or instead of it. */
  close(): void;
}

/**
 * Encodes the state as it is now, in parts of bounded size and time, while it goes on changing: a
 * set that is about to change is encoded before. A second snapshot must not begin before the first
 * is closed.
 */
export function beginSnapshot(state: ControllerState): SnapshotParts {
  assert(state.watcher === null, 'a snapshot is under way');
  const sets = state.brokerSets.size;
  // Nothing is copied: a map's iterator outlives its changes.
  const names = state.brokerSets.keys();
  /** Sets that the iterator must not encode (again): those behind it, those in `early`, and new ones. */
  const settled = new Set<string>();
  /** Encoded before their turn, because they were about to change. */
  const early: Uint8Array[] = [];
  const bytes = new ByteWriter(SLAB_BYTES);
  let hasBegun = false;
  let isThrough = false;
  const watcher: SetWatcher = {
    beforeChange(brokerName) {
      if (settled.has(brokerName)) return;
      settled.add(brokerName);
      if (!state.brokerSets.has(brokerName)) return;
      const set = new ByteWriter(EARLY_SLAB_BYTES);
      writeSet(set, state, brokerName);
      early.push(set.take());
    },
  };
  const nextUnsettled = (): string | null => {
    for (;;) {
      const { done, value } = names.next();
      isThrough = done === true;
      if (done === true) return null;
      if (!settled.has(value)) return value;
    }
  };
  state.watcher = watcher;
  return {
    next() {
      if (!hasBegun) {
        hasBegun = true;
        bytes.byte(VERSION);
        bytes.number(sets);
      }
      for (let left = SETS_PER_PART_MAX; left > 0 && bytes.byteLength < PART_BYTES; left -= 1) {
        const encoded = early.pop();
        if (encoded !== undefined) {
          bytes.raw(encoded);
          continue;
        }
        const brokerName = nextUnsettled();
        if (brokerName === null) break;
        settled.add(brokerName);
        writeSet(bytes, state, brokerName);
      }
      return isThrough && bytes.byteLength === 0 ? null : bytes.take();
    },
    close() {
      if (state.watcher === watcher) state.watcher = null;
    },
  };
}

function writeSet(bytes: ByteWriter, state: StateView, brokerName: string): void {
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
