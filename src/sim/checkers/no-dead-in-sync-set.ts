/**
 * Nobody enters a SyncStateSet whom no controller can have heard of late.
 *
 * Why: the master waits for all in the set before it acknowledges a message, and the next master is
 * chosen among them. A replica that nobody hears stops the set's writes, and may be promoted.
 *
 * Whom a controller takes for living is its own affair within a heartbeat's timeout; a replica that
 * has not beaten for far longer, or never, cannot be living for anybody.
 *
 * @source rocketmq ReplicasInfoManager.alterSyncStateSet
 */
import type { StateView } from '../../controller/state.js';
import { Violation } from './violation.js';

/** A heartbeat's timeout of 10 s, and an entry that hung in a log until the group was healed. */
const HEARD_WITHIN_MS = 30_000;

interface Facts {
  readonly masterEpoch: number;
  readonly syncStateSet: readonly number[];
}

export class NoDeadInSyncSet {
  readonly #last = new Map<string, Facts>();

  /**
   * Called once for each index, in order, with the state after it.
   *
   * @param lastBeatMs when a replica last beat; -Infinity when it never did.
   */
  applied(
    index: number,
    { brokerSets }: StateView,
    nowMs: number,
    lastBeatMs: (brokerName: string, brokerId: number) => number,
  ): void {
    for (const { brokerName, sync } of brokerSets.values()) {
      if (sync === null) continue;
      const { masterEpoch, syncStateSet } = sync;
      const last = this.#last.get(brokerName);
      if (last?.syncStateSet === syncStateSet) continue;
      this.#last.set(brokerName, { masterEpoch, syncStateSet });
      // An election's set is its master, who may be chosen before it has beaten for the first time.
      if (last?.masterEpoch !== masterEpoch) continue;
      for (const id of syncStateSet) {
        if (last.syncStateSet.includes(id)) continue;
        const silentForMs = nowMs - lastBeatMs(brokerName, id);
        if (silentForMs <= HEARD_WITHIN_MS) continue;
        throw new Violation(
          'no-dead-in-sync-set',
          `entry ${index} put replica ${id} of ${brokerName} into the SyncStateSet; ` +
            (silentForMs === Number.POSITIVE_INFINITY
              ? 'it never beat'
              : `it last beat ${Math.round(silentForMs)} ms before`),
        );
      }
    }
  }
}
