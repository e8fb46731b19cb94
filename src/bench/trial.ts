/**
 * One trial: one workload, once, on one running target; with its fault, if it has one, and with
 * what every process used meanwhile.
 */
import {
  type LoadOptions,
  type LoadPool,
  type LoadProgress,
  type LoadResult,
  runLoad,
} from '../load/generator.js';
import { gapAfterMs } from '../load/recovery.js';
import { UsageSampler } from '../measure/process-usage.js';
import type { Fault, Trial, WarmUp } from '../measure/results.js';
import type { RunningTarget } from '../target/target.js';
import type { WorkloadPoint } from '../workload/points.js';
import type { TargetSpec } from './plan.js';
import { runReferenceLoad } from './reference-load.js';
import { readProof } from './targets.js';
import { warmUpWords } from './warm.js';

export interface TrialOptions {
  readonly workload: WorkloadPoint;
  readonly spec: TargetSpec;
  readonly target: RunningTarget;
  readonly round: number;
  readonly order: number;
  readonly seed: number;
  readonly pool: LoadPool;
  readonly signal: AbortSignal;
  /** What was done before it, if anything. */
  readonly warmUp: WarmUp | null;
  readonly onProgress: (progress: LoadProgress) => void;
}

/** The load that a target understands. */
export function makeLoad({ spec, ...options }: LoadOptions & { readonly spec: TargetSpec }) {
  if (spec.kind === 'reference') return runReferenceLoad({ ...options, store: spec.store });
  return runLoad(options);
}

const USAGE_SAMPLE_MS = 200;

export async function runTrial(options: TrialOptions): Promise<Trial> {
  const { workload, spec, target, round, order, seed, signal } = options;
  const startedAt = new Date().toISOString();
  const usage = new UsageSampler(
    [
      ...target
        .members()
        .flatMap(({ id, pid }) =>
          pid === null ? [] : [{ name: id, kind: 'controller' as const, pid }],
        ),
      { name: 'load', kind: 'load' as const, pid: process.pid },
    ],
    USAGE_SAMPLE_MS,
  );
  const faults = new FaultLog(target);
  let timer: NodeJS.Timeout | undefined;
  const planFault = (): void => {
    if (workload.kind !== 'load' || workload.fault === undefined) return;
    const { atMs, restartAfterMs } = workload.fault;
    timer = setTimeout(() => void faults.killLeader(restartAfterMs), atMs);
  };

  let result: LoadResult;
  try {
    const shared = {
      workload,
      spec,
      members: target.addresses,
      tls: target.tls,
      pool: options.pool,
      seed,
      signal,
      onProgress: options.onProgress,
      onMeasureStart: (startEpochMs: number) => {
        faults.measureFrom(startEpochMs);
        usage.start();
        planFault();
      },
    };
    result = await makeLoad(shared);
  } finally {
    clearTimeout(timer);
    faults.stop();
  }
  const processes = usage.stop();
  const seen = withGaps(faults.faults, result);
  const failover = seen.find(({ kind, gapMs }) => kind === 'kill-leader' && gapMs !== undefined);
  return {
    workload: workload.name,
    target: spec.name,
    round,
    order,
    seed,
    startedAt,
    status: signal.aborted ? 'partial' : faults.trouble === null ? result.status : 'invalid',
    reasons: [
      ...result.reasons,
      ...(faults.trouble === null ? [] : [faults.trouble]),
      ...unplannedReasons(seen),
      ...warmUpReasons(options.warmUp),
    ],
    load: result.load,
    sets: result.sets,
    replicas: result.replicas,
    measuredMs: result.measuredMs,
    operations: result.operations.map((operation) =>
      operation.kind === 'read' ? { ...operation, proof: readProof(spec) } : operation,
    ),
    intervals: result.intervals,
    lateness: result.lateness,
    generator: result.generator,
    processes,
    faults: seen,
    ...(options.warmUp !== null && { warmUp: options.warmUp }),
    figures: {
      ...result.figures,
      ...(failover?.gapMs !== undefined && { failoverMs: failover.gapMs }),
    },
  };
}

/** Notes what happens to the members during a trial, whoever did it. */
class FaultLog {
  readonly #target: RunningTarget;
  readonly #stopListening: () => void;
  readonly #expectedExits = new Set<string>();
  #startEpochMs = Number.NaN;
  #stopped = false;
  readonly faults: Fault[] = [];
  /** Why the planned fault did not happen; null when it did, or none was planned. */
  trouble: string | null = null;

  constructor(target: RunningTarget) {
    this.#target = target;
    this.#stopListening = target.onExit(({ member }) => {
      if (this.#expectedExits.delete(member.id)) return;
      this.#note({ kind: 'member-exit', member: member.id, planned: false });
    });
  }

  measureFrom(startEpochMs: number): void {
    this.#startEpochMs = startEpochMs;
  }

  async killLeader(restartAfterMs: number | undefined): Promise<void> {
    const leader = await this.#target.leader().catch((error: Error) => {
      this.trouble ??= `nobody was killed: ${error.message}`;
      return null;
    });
    if (leader === null || this.#stopped) return;
    this.#expectedExits.add(leader.id);
    this.#note({ kind: 'kill-leader', member: leader.id, planned: true });
    await this.#target.kill(leader.id, 'SIGKILL');
    if (restartAfterMs === undefined) return;
    setTimeout(() => {
      if (this.#stopped) return;
      void this.#target.restart(leader.id).then(
        () => this.#note({ kind: 'member-restart', member: leader.id, planned: true }),
        () => {
          // The next trial asks for all members, and says so when one is missing.
        },
      );
    }, restartAfterMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#stopListening();
  }

  #note(fault: Omit<Fault, 'atMs'>): void {
    const atMs = Date.now() - this.#startEpochMs;
    // Before the window a fault has no place on its time axis; the target is mended before the next trial.
    if (!this.#stopped && atMs >= 0) this.faults.push({ ...fault, atMs: Math.round(atMs) });
  }
}

function withGaps(faults: readonly Fault[], { acknowledged }: LoadResult): Fault[] {
  if (acknowledged === null) return [...faults];
  return faults.map((fault, at) => {
    if (fault.kind === 'member-restart') return fault;
    const gapMs = gapAfterMs(acknowledged, fault.atMs, faults[at + 1]?.atMs);
    return gapMs === undefined ? fault : { ...fault, gapMs };
  });
}

function warmUpReasons(warmUp: WarmUp | null): string[] {
  return warmUp === null ? [] : [`note: ${warmUpWords(warmUp)}`];
}

function unplannedReasons(faults: readonly Fault[]): string[] {
  return faults
    .filter(({ planned }) => !planned)
    .map(({ member, atMs }) => `note: ${member} exited at ${atMs} ms, not by this bench`);
}
