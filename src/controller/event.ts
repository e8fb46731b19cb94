/**
 * The facts that the log carries, and their bytes.
 *
 * An entry holds the events of all requests that shared one append, one after another. An empty
 * entry holds none. Numbers and strings are as `bytes.ts` says; each event begins with a byte that
 * is upstream's event id.
 *
 * @source rocketmq EventType, EventMessage (5.x, 8fc57f1)
 */
import assert from 'node:assert/strict';
import { ByteReader, ByteWriter } from './bytes.js';

export interface SyncStateSetAltered {
  readonly kind: 'sync-state-set-altered';
  readonly brokerName: string;
  /** Strictly ascending. */
  readonly syncStateSet: readonly number[];
}

export interface BrokerIdApplied {
  readonly kind: 'broker-id-applied';
  readonly clusterName: string | null;
  readonly brokerName: string;
  readonly brokerId: number;
  readonly brokerAddress: string;
  readonly registerCheckCode: string;
}

export interface MasterElected {
  readonly kind: 'master-elected';
  readonly brokerName: string;
  /** null: the master is gone and nobody could follow it. */
  readonly masterBrokerId: number | null;
}

export interface BrokerDataCleaned {
  readonly kind: 'broker-data-cleaned';
  readonly brokerName: string;
  /** Strictly ascending. Empty: the whole broker set. */
  readonly brokerIds: readonly number[];
}

export interface BrokerAddressUpdated {
  readonly kind: 'broker-address-updated';
  readonly brokerName: string;
  readonly brokerId: number;
  readonly brokerAddress: string;
}

export type ControllerEvent =
  | SyncStateSetAltered
  | BrokerIdApplied
  | MasterElected
  | BrokerDataCleaned
  | BrokerAddressUpdated;

const Tag = {
  SyncStateSetAltered: 1,
  BrokerIdApplied: 2,
  MasterElected: 3,
  BrokerDataCleaned: 5,
  BrokerAddressUpdated: 6,
} as const;

/** Entry bodies are cut from slabs of this size, or larger ones for larger events. */
const SLAB_BYTES = 64 * 1024;

/** Gathers the events of many requests into entry bodies. */
export class EventWriter {
  readonly #bytes: ByteWriter;

  constructor(slabBytes: number = SLAB_BYTES) {
    this.#bytes = new ByteWriter(slabBytes);
  }

  /** Of the body begun, in bytes: the caller ends it with `take` when it is large enough. */
  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  append(event: ControllerEvent): void {
    const bytes = this.#bytes;
    switch (event.kind) {
      case 'sync-state-set-altered':
        bytes.byte(Tag.SyncStateSetAltered);
        bytes.text(event.brokerName);
        bytes.numbers(event.syncStateSet);
        return;
      case 'broker-id-applied':
        bytes.byte(Tag.BrokerIdApplied);
        bytes.text(event.brokerName);
        bytes.nullableText(event.clusterName);
        bytes.number(event.brokerId);
        bytes.text(event.brokerAddress);
        bytes.text(event.registerCheckCode);
        return;
      case 'master-elected':
        bytes.byte(Tag.MasterElected);
        bytes.text(event.brokerName);
        bytes.byte(event.masterBrokerId === null ? 0 : 1);
        if (event.masterBrokerId !== null) bytes.number(event.masterBrokerId);
        return;
      case 'broker-data-cleaned':
        bytes.byte(Tag.BrokerDataCleaned);
        bytes.text(event.brokerName);
        bytes.numbers(event.brokerIds);
        return;
      case 'broker-address-updated':
        bytes.byte(Tag.BrokerAddressUpdated);
        bytes.text(event.brokerName);
        bytes.number(event.brokerId);
        bytes.text(event.brokerAddress);
        return;
    }
  }

  /** @returns the body of everything appended since the last call; it is never written to again. */
  take(): Uint8Array {
    return this.#bytes.take();
  }
}

/** One body of its own for a few events. Hot paths keep an `EventWriter` instead. */
export function encodeEvents(events: readonly ControllerEvent[]): Uint8Array {
  const writer = new EventWriter(256);
  for (const event of events) writer.append(event);
  return writer.take();
}

/**
 * Calls `visit` with each event of an entry's body, in order.
 *
 * @throws {assert.AssertionError} for bytes that no `EventWriter` wrote; it always returns or throws.
 */
export function decodeEvents(body: Uint8Array, visit: (event: ControllerEvent) => void): void {
  const bytes = new ByteReader(body);
  while (!bytes.atEnd) visit(readEvent(bytes));
}

function readEvent(bytes: ByteReader): ControllerEvent {
  const tag = bytes.byte();
  const brokerName = bytes.text();
  switch (tag) {
    case Tag.SyncStateSetAltered:
      return { kind: 'sync-state-set-altered', brokerName, syncStateSet: bytes.numbers() };
    case Tag.BrokerIdApplied: {
      const clusterName = bytes.nullableText();
      const brokerId = bytes.number();
      const brokerAddress = bytes.text();
      const registerCheckCode = bytes.text();
      return {
        kind: 'broker-id-applied',
        clusterName,
        brokerName,
        brokerId,
        brokerAddress,
        registerCheckCode,
      };
    }
    case Tag.MasterElected: {
      const elected = bytes.byte();
      assert(elected <= 1, 'neither elected nor not');
      const masterBrokerId = elected === 1 ? bytes.number() : null;
      return { kind: 'master-elected', brokerName, masterBrokerId };
    }
    case Tag.BrokerDataCleaned:
      return { kind: 'broker-data-cleaned', brokerName, brokerIds: bytes.numbers() };
    case Tag.BrokerAddressUpdated: {
      const brokerId = bytes.number();
      return {
        kind: 'broker-address-updated',
        brokerName,
        brokerId,
        brokerAddress: bytes.text(),
      };
    }
    default:
      assert.fail(`no event has tag ${tag}`);
  }
}
