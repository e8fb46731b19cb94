/**
 * Warms a target until its figures are steady: what compiles while it runs is several times slower
 * before than after, on a JVM for minutes, on Node for seconds.
 *
 * Short windows of the workload's own load, until their rates say that it is done. Bounded: a machine
 * that is not quiet may never be steady, and the report then marks what was measured.
 */
import type { LoadResult } from '../load/generator.js';
import type { WarmUp } from '../measure/results.js';
import type { LoadPoint, WorkloadPoint } from '../workload/points.js';

/** When a warm-up is over. */
export interface SteadyRule {
  readonly windowsMax: number;
  isSteady(ratesPerSecond: readonly number[]): boolean;
}

/** What rates may differ by, as a part of the higher. */
const STEADY_WITHIN = 0.1;

/** Three in succession that are alike: a JVM's rates rise for long, with rests, in which two often are. */
export const onJvm: SteadyRule = {
  windowsMax: 10,
  isSteady(rates) {
    const last = rates.slice(-3);
    const most = Math.max(...last);
    return last.length === 3 && most - Math.min(...last) < STEADY_WITHIN * most;
  },
};

/** No more rise in two: Node compiles within seconds, and what differs afterwards is the machine. */
export const onNode: SteadyRule = {
  windowsMax: 6,
  isSteady(rates) {
    const before = Math.max(...rates.slice(0, -2));
    return rates.length > 2 && Math.max(...rates.slice(-2)) * (1 - STEADY_WITHIN) < before;
  },
};

const WINDOW_MS = 2_000;
/** Enough to have all paths of a controller busy, few enough for short queues. */
const OUTSTANDING = 64;
const SETS_FOR_BRING_UP = 64;
/** Every window registers its sets anew, and a controller that syncs each write needs minutes for a thousand. */
const SETS_MAX = 256;

/** @param window runs one and tells its rate; asked until `rule` is content, or `isOver`. */
export async function untilSteady(
  rule: SteadyRule,
  window: () => Promise<number>,
  isOver: () => boolean = () => false,
): Promise<WarmUp> {
  const ratesPerSecond: number[] = [];
  let steady = false;
  while (!steady && ratesPerSecond.length < rule.windowsMax && !isOver()) {
    ratesPerSecond.push(Math.round(await window()));
    steady = rule.isSteady(ratesPerSecond);
  }
  return { windowMs: WINDOW_MS, ratesPerSecond, steady };
}

/**
 * What warms a target for a workload: the same operations in a closed loop, because the rate of an
 * open one says nothing of the target. Whole lives of sets are warmed for by writes to a few of their own.
 */
export function warmUpPoint(point: WorkloadPoint): LoadPoint {
  const shared = { warmUpMs: 0, durationMs: WINDOW_MS, intervalMs: WINDOW_MS };
  if (point.kind !== 'load') {
    const { byDefault, connectionsPerWorker, heartbeatEveryMs, name, replicas, why } = point;
    return {
      ...{ name, why, replicas, heartbeatEveryMs, connectionsPerWorker, byDefault },
      ...shared,
      kind: 'load',
      requestTimeoutMs: point.requestTimeoutMs,
      connections: 'shared',
      sets: Math.min(point.sets, SETS_FOR_BRING_UP),
      windowMax: OUTSTANDING,
      readsFrom: 'leader',
      alsoProvedByLog: false,
      load: { mode: 'closed', outstanding: OUTSTANDING, mix: { alterSyncStateSet: 1 } },
    };
  }
  const { fault: _, ...rest } = point;
  const { load } = point;
  const sets = Math.min(point.sets, SETS_MAX);
  const mix = load.mode === 'timers' ? { getReplicaInfo: 2, getMetadataInfo: 1 } : load.mix;
  const wanted = load.mode === 'closed' ? load.outstanding : OUTSTANDING;
  const outstanding = Math.min(wanted, sets);
  return { ...rest, ...shared, sets, load: { mode: 'closed', outstanding, mix } };
}

/** @param load runs one trial's load, as the trial itself does; throws as it does. */
export function warm(
  rule: SteadyRule,
  workload: WorkloadPoint,
  load: (point: WorkloadPoint) => Promise<LoadResult>,
  signal: AbortSignal,
): Promise<WarmUp> {
  const point = warmUpPoint(workload);
  return untilSteady(
    rule,
    async () => {
      const { operations, measuredMs } = await load(point);
      const ok = operations.reduce((sum, operation) => sum + operation.ok, 0);
      return (ok * 1_000) / measuredMs;
    },
    () => signal.aborted,
  );
}

/** `warmed over 3 windows of 2 s: 640, 830, 850/s`. */
export function warmUpWords({ windowMs, ratesPerSecond, steady }: WarmUp): string {
  const rates = ratesPerSecond.map((rate) => rate.toLocaleString('en-US')).join(', ');
  const windows = `${ratesPerSecond.length} windows of ${windowMs / 1_000} s`;
  return `${steady ? 'warmed' : 'not steady'} over ${windows}: ${rates}/s`;
}
