/**
 * What one bench run does, decided before anything starts: which targets live, in which order,
 * and which workloads each of them meets.
 *
 * Trials interleave: round 1 runs every target once, then round 2 does, so that a machine that
 * grows slower or faster over minutes touches all targets alike. Pure: options in, plan out.
 */
import type { Handoff } from '../engine/log-engine.js';
import type { Durability } from '../storage/log-store.js';
import { type JavaMode, javaModes } from '../target/java.js';
import type { MassFailoverPoint, WorkloadPoint } from '../workload/points.js';

/** How to start one target. `name` is unique in a run and names its column in the report. */
export interface TargetSpec {
  readonly name: string;
  readonly title: string;
  readonly kind: 'build' | 'floor' | 'java';
  /** `baseline`, `optimized`, a mixture such as `baseline+reads=optimized`, `floor`, or a Java peer. */
  readonly build: string;
  readonly durability: Durability;
  readonly handoff: Handoff;
  readonly electionProfile: 'fast' | 'dledger';
  readonly processReadEvent: boolean;
}

/** One start of one target, and the workloads that it meets, in order. */
export interface Session {
  readonly target: TargetSpec;
  /** From 1. */
  readonly round: number;
  readonly workloads: readonly WorkloadPoint[];
}

export interface Plan {
  readonly sessions: readonly Session[];
  readonly targets: readonly TargetSpec[];
  readonly workloads: readonly WorkloadPoint[];
  /** Seconds, from warm-ups, windows and usual start-up times; for people, not for deadlines. */
  readonly expectedSeconds: number;
}

export interface PlanOptions {
  /** Names of builds, Java peers, or `floor`. The first one is the reference of all ratios. */
  readonly targets: readonly string[];
  readonly trials: number;
  /** The first is met by every workload, the others by the workloads that say so. */
  readonly durabilities: readonly Durability[];
  readonly handoff: Handoff;
  readonly electionProfile: 'fast' | 'dledger';
  /** All workloads to run, with sweeps unfolded, in order. */
  readonly workloads: readonly WorkloadPoint[];
  /** Whether the baseline is also measured with `processReadEvent`, for proved reads. */
  readonly provedBaseline: boolean;
}

const SECONDS_TO_START = 2;
/** Three JVMs, and until their compilers are done. */
const SECONDS_TO_START_JAVA = 30;
const SECONDS_TO_PREPARE = 0.8;
const SECONDS_TO_BRING_UP = 3.5;
const SECONDS_TO_LOSE_MASTERS = 4;
/** Of the legacy build and of upstream, for silent brokers. */
const SCAN_MS = 5_000;

export function makePlan(options: PlanOptions): Plan {
  const [mainDurability, ...furtherDurabilities] = options.durabilities;
  if (mainDurability === undefined) throw new Error('a plan needs a durability');

  const specs: { readonly spec: TargetSpec; readonly workloads: readonly WorkloadPoint[] }[] = [];
  const add = (spec: TargetSpec, workloads: readonly WorkloadPoint[]): void => {
    if (workloads.length > 0) specs.push({ spec, workloads });
  };

  for (const build of options.targets) {
    const spec = targetSpec(build, mainDurability, options);
    add(spec, build === 'floor' ? options.workloads.filter(onlyWrites) : options.workloads);
  }
  if (options.provedBaseline) {
    for (const build of options.targets.filter((name) => name === 'baseline')) {
      const spec = targetSpec(build, mainDurability, options);
      add(
        {
          ...spec,
          name: `${build}@processReadEvent`,
          title: `${spec.title}, reads proved by a log entry`,
          processReadEvent: true,
        },
        options.workloads.filter((point) => point.kind === 'load' && point.alsoProvedByLog),
      );
    }
  }
  for (const durability of furtherDurabilities) {
    // What a Java peer syncs is its mode's, and not ours to choose.
    for (const build of options.targets.filter((name) => javaModeOf(name) === null)) {
      const spec = targetSpec(build, durability, options);
      add(
        { ...spec, name: `${build}@${durability}` },
        options.workloads.filter((point) => onlyWrites(point) && outstanding(point) > 1),
      );
    }
  }

  const sessions: Session[] = [];
  for (let round = 1; round <= options.trials; round += 1) {
    for (const { spec, workloads } of specs) {
      // The floor is a line to look at, not a side of a comparison: once is enough beside the main one.
      if (spec.kind === 'floor' && spec.durability !== mainDurability && round > 1) continue;
      // A sweep has many points already; one pass shows the curve.
      const met = workloads.filter(({ sweepOf }) => sweepOf === undefined || round === 1);
      // Sets of their own first: brokers that others left behind would die meanwhile, and be elected
      // for. A killed leader changes the cluster, so that workload comes last.
      const ordered = [
        ...met.filter(({ kind }) => kind !== 'load'),
        ...met.filter((workload) => workload.kind === 'load' && !hasFault(workload)),
        ...met.filter(hasFault),
      ];
      if (ordered.length > 0) sessions.push({ target: spec, round, workloads: ordered });
    }
  }
  return {
    sessions,
    targets: specs.map(({ spec }) => spec),
    workloads: options.workloads,
    expectedSeconds: sessions.reduce((sum, session) => sum + sessionSeconds(session), 0),
  };
}

/** The mode of a Java peer that a target's name asks for; null for anything else. */
export function javaModeOf(target: string): JavaMode | null {
  const mode = javaModes.find((known) => target === `java-${known}`);
  return mode ?? null;
}

function targetSpec(build: string, durability: Durability, options: PlanOptions): TargetSpec {
  const isFloor = build === 'floor';
  const javaMode = javaModeOf(build);
  if (javaMode !== null) {
    return {
      name: build,
      title: titles[build] ?? build,
      kind: 'java',
      build,
      // DLedger acknowledges from the page cache; JRaft syncs each batch before it does.
      durability: javaMode === 'dledger' ? 'background' : 'group',
      handoff: 'poll',
      electionProfile: 'dledger',
      processReadEvent: false,
    };
  }
  return {
    name: build,
    title: titles[build] ?? `the mixture ${build}`,
    kind: isFloor ? 'floor' : 'build',
    build,
    durability,
    handoff: isFloor ? 'wake' : options.handoff,
    electionProfile: options.electionProfile,
    processReadEvent: false,
  };
}

const titles: Readonly<Record<string, string>> = {
  baseline: 'the legacy controller: one request at a time',
  optimized: 'the optimised controller: a lane per broker set, shared commits, ReadIndex',
  'java-dledger': 'the upstream Java controller in DLedger mode',
  'java-jraft': 'the upstream Java controller in JRaft mode: every read and heartbeat a log entry',
  floor: 'the least work that still replicates: no raft, no state machine',
};

function sessionSeconds({ target, workloads }: Session): number {
  const toStart = target.kind === 'java' ? SECONDS_TO_START_JAVA : SECONDS_TO_START;
  return workloads.reduce((sum, workload) => sum + workloadSeconds(workload), toStart);
}

function workloadSeconds(workload: WorkloadPoint): number {
  if (workload.kind === 'bring-up') return SECONDS_TO_BRING_UP;
  if (workload.kind === 'mass-failover') return failoverSeconds(workload);
  return SECONDS_TO_PREPARE + (workload.warmUpMs + workload.durationMs) / 1_000;
}

/** Until all are connected and ready; silence is noticed after its time, or by upstream's next scan. */
function failoverSeconds(workload: MassFailoverPoint): number {
  const { loss, heartbeatTimeoutMs, warmUpMs, settleMs } = workload;
  const noticedMs = loss === 'closed' ? 0 : heartbeatTimeoutMs + SCAN_MS / 2;
  return SECONDS_TO_LOSE_MASTERS + (warmUpMs + noticedMs + settleMs) / 1_000;
}

/** Closed-loop writes: all that the floor can do, and, where many share a flush, what one costs. */
function onlyWrites(point: WorkloadPoint): boolean {
  if (point.kind !== 'load' || point.load.mode !== 'closed') return false;
  return Object.keys(point.load.mix).every((name) => name === 'alterSyncStateSet');
}

function outstanding(point: WorkloadPoint): number {
  return point.kind === 'load' && point.load.mode === 'closed' ? point.load.outstanding : 0;
}

function hasFault(workload: WorkloadPoint): boolean {
  return workload.kind === 'load' && workload.fault !== undefined;
}
