/** Puts the parts of all workers together into what a trial's results hold. */
import { decode, mergeHistograms } from '../measure/histogram.js';
import type { Interval, Operation, Trial } from '../measure/results.js';
import type { WorkloadPoint } from '../workload/points.js';
import { entryNamed } from './catalog.js';
import { electionsOf } from './merge-elections.js';
import type { WorkerResult } from './messages.js';
import { type AcknowledgedMarks, joinMarks } from './recovery.js';
import { invalidReasons } from './validity.js';

/** What the load knows of a trial. */
export type LoadResult = Pick<
  Trial,
  | 'status'
  | 'reasons'
  | 'load'
  | 'sets'
  | 'replicas'
  | 'measuredMs'
  | 'operations'
  | 'intervals'
  | 'lateness'
  | 'generator'
  | 'figures'
> & {
  /** See `gapAfterMs`; null for a load that writes nothing. */
  readonly acknowledged: AcknowledgedMarks | null;
};

export function mergeResults(
  workload: WorkloadPoint,
  results: readonly WorkerResult[],
  controlLatenessP99Us: number,
): Omit<LoadResult, 'intervals'> {
  const total = (count: (result: WorkerResult) => number): number =>
    results.reduce((sum, result) => sum + count(result), 0);
  const most = (figure: (result: WorkerResult) => number): number =>
    Math.max(...results.map(figure));
  const measuredMs = most((result) => result.measuredMs);
  const late = sumCounts(results.map((result) => result.okAfterWindow));
  const operations = mergeOperations(results, late);
  const lateness = mergeHistograms(results.map(({ totals }) => totals.lateness));
  const asked = total((result) => result.asked);
  const sent = total((result) => result.sent);
  const inFlightAtEnd = total((result) => result.inFlightAtEnd);
  const eventLoopUtilization = Math.min(
    1,
    most((result) => result.eventLoopUtilization),
  );
  const cpuShares = results.map((result) => result.cpuShare).filter((share) => share !== null);
  const cpuShare = cpuShares.length === 0 ? null : Math.max(...cpuShares);
  const load = loadOf(workload);
  const reasons = invalidReasons({
    mode: load.mode,
    asked,
    ok: operations.reduce((sum, operation) => sum + operation.ok, 0),
    rejected: sumCounts(operations.map((operation) => operation.rejected)),
    failed: sumCounts(operations.map((operation) => operation.failed)),
    latenessP99Us: p99Us(lateness),
    controlLatenessP99Us,
    responseP99Us: p99Us(mergeHistograms(operations.map(({ responseTime }) => responseTime))),
    eventLoopUtilization,
    cpuShare,
    inFlightAtEnd,
    hasFault: workload.kind === 'load' && workload.fault !== undefined,
  });
  const wasStopped = results.some((result) => result.wasStopped);
  const complete = total((result) => result.setsComplete ?? 0);
  const isBringUp = workload.kind === 'bring-up';
  if (isBringUp && complete < workload.sets && !wasStopped) {
    const missing = `${workload.sets - complete} of ${workload.sets} broker sets`;
    reasons.push(`${missing} were not complete after ${Math.round(measuredMs)} ms`);
  }
  const elections = electionsOf(workload, results, p99Us(lateness) / 1_000);
  if (!wasStopped) reasons.push(...elections.reasons);
  const notes = reasons.length === 0 ? elections.notes : [];
  const marks = results.map((result) => result.acknowledged).filter((mark) => mark !== null);
  return {
    status: wasStopped ? 'partial' : reasons.length > 0 ? 'invalid' : 'valid',
    reasons: wasStopped ? ['stopped before its end'] : [...reasons, ...notes],
    load,
    sets: workload.sets,
    replicas: workload.replicas,
    measuredMs,
    operations,
    lateness,
    generator: {
      workers: results.length,
      eventLoopUtilization,
      cpuShare,
      controlLatenessP99Us,
      sent,
      asked,
      okAfterWindow: Object.values(late).reduce((sum, count) => sum + count, 0),
      unansweredAtEnd: inFlightAtEnd,
      onewayHeartbeatsPerSecond: (total((result) => result.beats) * 1_000) / measuredMs,
    },
    figures: {
      ...(isBringUp && complete === workload.sets && { bringUpMs: measuredMs }),
      ...elections.figures,
    },
    acknowledged: marks.length === 0 ? null : joinMarks(marks),
  };
}

/** The same interval of several workers, as one. */
export function mergeIntervals(parts: readonly Interval[]): Interval {
  return {
    startMs: Math.min(...parts.map(({ startMs }) => startMs)),
    lengthMs: Math.max(...parts.map(({ lengthMs }) => lengthMs)),
    operations: byName(parts.flatMap(({ operations }) => operations)).map(([name, same]) => ({
      name,
      ok: same.reduce((sum, { ok }) => sum + ok, 0),
      notOk: same.reduce((sum, { notOk }) => sum + notOk, 0),
      responseTime: mergeHistograms(same.map(({ responseTime }) => responseTime)),
    })),
  };
}

function mergeOperations(
  results: readonly WorkerResult[],
  late: Readonly<Record<string, number>>,
): Operation[] {
  const parts = results.flatMap(({ totals }) => totals.operations);
  return byName(parts).map(([name, same]): Operation => {
    const { code, kind } = entryNamed(name);
    return {
      name,
      code,
      kind,
      // Whoever knows the target knows what its reads prove.
      proof: 'none',
      ok: same.reduce((sum, { ok }) => sum + ok, 0) - (late[name] ?? 0),
      rejected: sumCounts(same.map(({ rejected }) => rejected)),
      failed: sumCounts(same.map(({ failed }) => failed)),
      responseTime: mergeHistograms(same.map(({ responseTime }) => responseTime)),
      serviceTime: mergeHistograms(same.map(({ serviceTime }) => serviceTime)),
    };
  });
}

function byName<Part extends { readonly name: string }>(
  parts: readonly Part[],
): [name: string, same: Part[]][] {
  const groups = new Map<string, Part[]>();
  for (const part of parts) {
    const group = groups.get(part.name);
    if (group === undefined) groups.set(part.name, [part]);
    else group.push(part);
  }
  return [...groups];
}

function sumCounts(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const part of parts) {
    for (const [key, count] of Object.entries(part)) sums[key] = (sums[key] ?? 0) + count;
  }
  return sums;
}

function loadOf(workload: WorkloadPoint): Trial['load'] {
  if (workload.kind !== 'load') return { mode: 'script' };
  const { load, sets, replicas } = workload;
  switch (load.mode) {
    case 'open':
      return { mode: 'open', askedPerSecond: load.ratePerSecond };
    case 'closed':
      return { mode: 'closed', outstanding: load.outstanding };
    case 'timers': {
      const perBroker = 1_000 / load.replicaInfoEveryMs + 1_000 / load.metadataInfoEveryMs;
      return { mode: 'open', askedPerSecond: sets * replicas * perBroker };
    }
  }
}

const p99Us = (encoded: string): number => decode(encoded).percentileUs(99);
