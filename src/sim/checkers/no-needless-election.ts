/**
 * No master that lives and beats loses its office unless somebody asked for that.
 *
 * Why: each change of a master stops a broker set's writes for a while. A scan that takes the living
 * for dead leaves every other promise intact and makes a cluster useless.
 *
 * Only what has no other explanation is called needless: no fault for so long that every living
 * broker must have been heard again, no election asked for, and a broker that was up all the time.
 *
 * @source rocketmq threads 8380 (an election when only a slave died), 9717 and 10416 (a reversed time
 *   test), 10875 and 10885 (an inverted predicate)
 */
import type { StateView } from '../../controller/state.js';
import { Violation } from './violation.js';

/** A heartbeat's timeout, a scan, and the elections that it begins. */
export const HEARD_AGAIN_WITHIN_MS = 18_000;
/** An election that was asked for may come so much later: requests give up after 5 s, brokers try again. */
const ASKED_WITHIN_MS = 10_000;

export interface Circumstances {
  readonly nowMs: number;
  /** When the last fault ended. */
  readonly calmSinceMs: number;
  /** Since when a broker has been up and beating; Infinity when it is not. */
  steadySinceMs(brokerName: string, brokerId: number): number;
  /** When somebody last asked for an election of this set. */
  electionAskedMs(brokerName: string): number;
}

export class NoNeedlessElection {
  readonly #last = new Map<string, { readonly master: number | null; readonly epoch: number }>();

  /** Called once for each index, in order, with the state after it. */
  applied(index: number, state: StateView, circumstances: Circumstances): void {
    for (const { brokerName, sync } of state.brokerSets.values()) {
      if (sync === null) continue;
      const { masterBrokerId: master, masterEpoch: epoch } = sync;
      const last = this.#last.get(brokerName);
      if (last?.epoch === epoch && last.master === master) continue;
      this.#last.set(brokerName, { master, epoch });
      if (last === undefined || last.master === null) continue;
      if (isExcused(brokerName, last.master, circumstances)) continue;
      throw new Violation(
        'no-needless-election',
        `after entry ${index} ${brokerName} has master ${master} of epoch ${epoch}, although ${last.master} ` +
          `lives and beats, nobody asked, and nothing has gone wrong for ${Math.round(circumstances.nowMs - circumstances.calmSinceMs)} ms`,
      );
    }
  }
}

function isExcused(
  brokerName: string,
  master: number,
  { calmSinceMs, electionAskedMs, nowMs, steadySinceMs }: Circumstances,
): boolean {
  const steadyFor = nowMs - Math.max(calmSinceMs, steadySinceMs(brokerName, master));
  return steadyFor < HEARD_AGAIN_WITHIN_MS || nowMs - electionAskedMs(brokerName) < ASKED_WITHIN_MS;
}
