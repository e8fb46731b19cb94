/**
 * Warms a target until its figures are steady: a JVM compiles what it runs often, and is several
 * times slower before than after.
 *
 * Short windows of the workload's own load, until three in succession differ by less than a tenth: of
 * a rate that still rises two are often alike. Bounded: a machine that is not quiet may never be
 * steady, and the report then marks what was measured.
 */
import type { LoadResult } from '../load/generator.js';
import type { WarmUp } from '../measure/results.js';
import type { LoadPoint, WorkloadPoint } from '../workload/points.js';

/** The slowest of the last windows may differ from the fastest by this much of it. */
const STEADY_WITHIN = 0.1;
const WINDOWS_ALIKE = 3;
export const WINDOWS_MAX = 10;
const WINDOW_MS = 2_000;
/** Enough to have all paths of a controller busy, few enough for short queues. */
const OUTSTANDING = 64;
const SETS_FOR_BRING_UP = 64;
/** Every window registers its sets anew, and a controller that syncs each write needs minutes for a thousand. */
const SETS_MAX = 256;

/** @param window runs one and tells its rate; asked at most `WINDOWS_MAX` times, or until `isOver`. */
export async function untilSteady(
  window: () => Promise<number>,
  isOver: () => boolean = () => false,
): Promise<WarmUp> {
  const ratesPerSecond: number[] = [];
  let steady = false;
  while (!steady && ratesPerSecond.length < WINDOWS_MAX && !isOver()) {
    ratesPerSecond.push(Math.round(await window()));
    steady = isSteady(ratesPerSecond);
  }
  return { windowMs: WINDOW_MS, ratesPerSecond, steady };
}

function isSteady(rates: readonly number[]): boolean {
  const last = rates.slice(-WINDOWS_ALIKE);
  const most = Math.max(...last);
  return last.length === WINDOWS_ALIKE && most - Math.min(...last) < STEADY_WITHIN * most;
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
  workload: WorkloadPoint,
  load: (point: WorkloadPoint) => Promise<LoadResult>,
  signal: AbortSignal,
): Promise<WarmUp> {
  const point = warmUpPoint(workload);
  return untilSteady(
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
