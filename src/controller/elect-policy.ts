/**
 * Who becomes master: the living replica that lost least.
 *
 * The SyncStateSet is asked first; all replicas only where unclean election is allowed. The old
 * master keeps its place while it lives, unless an operator prefers another.
 *
 * @source rocketmq DefaultElectPolicy (5.x, 8fc57f1); its 32-bit comparisons are not copied, see
 *   docs/compatibility.md
 */
import type { BrokerLiveInfo, LivenessView } from './liveness.js';

export interface Candidates {
  readonly clusterName: string | null;
  readonly brokerName: string;
  readonly syncStateSet: readonly number[];
  /** null where unclean election is off. */
  readonly allReplicas: readonly number[] | null;
  readonly oldMaster: number | null;
  /** The operator's choice: this one or nobody. */
  readonly preferred: number | null;
}

/** @returns the id to elect, or null when nobody may be. Equal candidates: the lowest id listed first. */
export function elect(candidates: Candidates, liveness: LivenessView): number | null {
  const { syncStateSet, allReplicas } = candidates;
  const elected = electAmong(syncStateSet, candidates, liveness);
  if (elected !== null || allReplicas === null) return elected;
  return electAmong(allReplicas, candidates, liveness);
}

function electAmong(
  ids: readonly number[],
  { clusterName, brokerName, oldMaster, preferred }: Candidates,
  liveness: LivenessView,
): number | null {
  const living = ids.filter((id) => liveness.isAlive(clusterName, brokerName, id));
  const wanted = preferred ?? oldMaster;
  if (wanted !== null && living.includes(wanted)) return wanted;
  if (preferred !== null) return null;

  let best: number | null = null;
  let bestInfo: BrokerLiveInfo | null = null;
  for (const id of living) {
    const info = liveness.info(clusterName, brokerName, id);
    if (best === null || ranksBefore(info, bestInfo)) {
      best = id;
      bestInfo = info;
    }
  }
  return best;
}

/** Higher epoch, then more data, then lower priority number. A broker of which nothing is known comes last. */
function ranksBefore(one: BrokerLiveInfo | null, other: BrokerLiveInfo | null): boolean {
  if (one === null) return false;
  if (other === null) return true;
  if (one.epoch !== other.epoch) return one.epoch > other.epoch;
  // Only < and > compare a number and a bigint by value.
  if (one.maxOffset > other.maxOffset) return true;
  if (one.maxOffset < other.maxOffset) return false;
  return one.electionPriority < other.electionPriority;
}
