/**
 * Which brokers were heard from, and when: this member's own knowledge, never replicated.
 *
 * Every broker beats to every controller. Entries of one broker set lie together, so a beat costs
 * one lookup and a short scan.
 *
 * @source rocketmq DefaultBrokerHeartbeatManager (5.x, 8fc57f1)
 */
import type { BrokerLiveInfo, LivenessView } from '../controller/liveness.js';

/** What liveness needs of a connection: its identity, and to close it when its broker is silent. */
export interface BeatSource {
  close(reason: string): void;
}

export interface Heartbeat {
  readonly clusterName: string | null;
  readonly brokerName: string | null;
  readonly brokerId: number;
  readonly brokerAddress: string | null;
  /** How long this broker counts as alive without another beat; null: the default of 10 s. */
  readonly timeoutMs: number | null;
  readonly epoch: number | null;
  readonly maxOffset: number | bigint | null;
  readonly confirmOffset: number | bigint | null;
  readonly electionPriority: number | null;
}

export interface BrokerEntry extends BrokerLiveInfo {
  readonly clusterName: string | null;
  readonly brokerName: string;
  readonly brokerId: number;
  readonly brokerAddress: string | null;
  /** The connection of the first beat. Later beats do not change it, as upstream. */
  readonly source: BeatSource;
  timeoutMs: number;
  lastUpdateMs: number;
  epoch: number;
  maxOffset: number | bigint;
  confirmOffset: number | bigint;
  electionPriority: number;
}

/** @source rocketmq DefaultBrokerHeartbeatManager.DEFAULT_BROKER_CHANNEL_EXPIRED_TIME */
export const HEARTBEAT_TIMEOUT_DEFAULT_MS = 10_000;
const LOWEST_PRIORITY = 2_147_483_647;

export class HeartbeatTable implements LivenessView {
  readonly #nowMs: () => number;
  readonly #entriesMax: number;
  readonly #sets = new Map<string, BrokerEntry[]>();
  #size = 0;

  /** @param options.entriesMax brokers remembered; the beat of one more is ignored. */
  constructor(options: { readonly nowMs: () => number; readonly entriesMax: number }) {
    this.#nowMs = options.nowMs;
    this.#entriesMax = options.entriesMax;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns the entry when this beat created it, null when it was known (or the table is full). */
  beat(beat: Heartbeat, source: BeatSource): BrokerEntry | null {
    const name = beat.brokerName ?? '';
    const set = this.#sets.get(name);
    const known = set === undefined ? undefined : find(set, beat.clusterName, beat.brokerId);
    if (known !== undefined) {
      refresh(known, beat, this.#nowMs());
      return null;
    }
    if (this.#size >= this.#entriesMax) return null;
    const entry: BrokerEntry = {
      clusterName: beat.clusterName,
      brokerName: name,
      brokerId: beat.brokerId,
      brokerAddress: beat.brokerAddress,
      source,
      timeoutMs: beat.timeoutMs ?? HEARTBEAT_TIMEOUT_DEFAULT_MS,
      lastUpdateMs: this.#nowMs(),
      epoch: beat.epoch ?? -1,
      maxOffset: beat.maxOffset ?? -1,
      // As upstream: the first beat's confirmOffset is not stored.
      confirmOffset: -1,
      electionPriority: beat.electionPriority ?? LOWEST_PRIORITY,
    };
    if (set === undefined) this.#sets.set(name, [entry]);
    else set.push(entry);
    this.#size += 1;
    return entry;
  }

  isAlive(clusterName: string | null, brokerName: string, brokerId: number): boolean {
    const entry = this.#find(clusterName, brokerName, brokerId);
    return entry !== undefined && entry.lastUpdateMs + entry.timeoutMs >= this.#nowMs();
  }

  info(clusterName: string | null, brokerName: string, brokerId: number): BrokerLiveInfo | null {
    return this.#find(clusterName, brokerName, brokerId) ?? null;
  }

  /** Alive brokers per cluster and set, for the metrics. */
  *alive(): Generator<BrokerEntry> {
    const now = this.#nowMs();
    for (const entry of this.entries()) {
      if (entry.lastUpdateMs + entry.timeoutMs >= now) yield entry;
    }
  }

  *entries(): Generator<BrokerEntry> {
    for (const set of this.#sets.values()) yield* set;
  }

  /** @returns whether it was still there. */
  remove(entry: BrokerEntry): boolean {
    const set = this.#sets.get(entry.brokerName);
    const at = set?.indexOf(entry) ?? -1;
    if (set === undefined || at === -1) return false;
    set.splice(at, 1);
    if (set.length === 0) this.#sets.delete(entry.brokerName);
    this.#size -= 1;
    return true;
  }

  #find(clusterName: string | null, brokerName: string, brokerId: number): BrokerEntry | undefined {
    const set = this.#sets.get(brokerName);
    return set === undefined ? undefined : find(set, clusterName, brokerId);
  }
}

function find(
  set: readonly BrokerEntry[],
  clusterName: string | null,
  brokerId: number,
): BrokerEntry | undefined {
  for (const entry of set) {
    if (entry.brokerId === brokerId && entry.clusterName === clusterName) return entry;
  }
  return undefined;
}

/** Epoch and offsets never go backwards; address and connection never change. */
function refresh(entry: BrokerEntry, beat: Heartbeat, nowMs: number): void {
  entry.lastUpdateMs = nowMs;
  entry.timeoutMs = beat.timeoutMs ?? HEARTBEAT_TIMEOUT_DEFAULT_MS;
  entry.electionPriority = beat.electionPriority ?? LOWEST_PRIORITY;
  const epoch = beat.epoch ?? -1;
  const maxOffset = beat.maxOffset ?? -1;
  if (epoch > entry.epoch || (epoch === entry.epoch && maxOffset > entry.maxOffset)) {
    entry.epoch = epoch;
    entry.maxOffset = maxOffset;
    entry.confirmOffset = beat.confirmOffset ?? -1;
  }
}
