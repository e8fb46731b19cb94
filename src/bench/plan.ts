/**
 * What one bench run does, decided before anything starts: which targets live, in which order,
 * and which workloads each of them meets.
 *
 * Trials interleave: round 1 runs every target once, then round 2 does, so that a machine that
 * grows slower or faster over minutes touches all targets alike. Pure: options in, plan out.
 */
import type { Handoff } from '../engine/log-engine.js';
import type { TlsFiles } from '../server/config.js';
import type { Durability } from '../storage/log-store.js';
import { type JavaMode, javaModes } from '../target/java.js';
import { type ReferenceName, referenceNames } from '../target/reference.js';
import type { ReferencePaths } from '../target/start-reference.js';
import type { LoadPoint, MassFailoverPoint, WorkloadPoint } from '../workload/points.js';

interface AnyTarget {
  /** Unique in a run; names its column in the report. */
  readonly name: string;
  readonly title: string;
  readonly processReadEvent: boolean;
}

/** A target that we start with settings of our choice. */
export interface OwnTarget extends AnyTarget {
  readonly kind: 'build' | 'floor';
  /** `baseline`, `optimized`, a mixture such as `baseline+reads=optimized`, or `floor`. */
  readonly build: string;
  readonly durability: Durability;
  readonly handoff: Handoff;
  readonly electionProfile: 'fast' | 'dledger';
}

/** An upstream controller; what it syncs, and when it elects, is its mode's. */
export interface JavaTarget extends AnyTarget {
  readonly kind: 'java';
  readonly mode: JavaMode;
  readonly durability: Durability;
  readonly handoff: 'poll';
  readonly electionProfile: 'dledger';
}

/** Files by path: a plan is printed and kept, and a key must not be. Empty: none. */
export interface AddressTls extends Omit<TlsFiles, 'keyPassword'> {
  readonly verifyServer: boolean;
}

/** A controller that somebody else started. */
export interface AddressTarget extends AnyTarget {
  readonly kind: 'address';
  /** `host:port` of every member. */
  readonly addresses: readonly string[];
  /** Where what it takes to speak TLS is read from; null: it is spoken to plainly. */
  readonly tls: AddressTls | null;
  readonly durability: Durability | 'unknown';
  readonly handoff: 'unknown';
  readonly electionProfile: 'unknown';
}

/** A store of another kind that could hold the same metadata: a row to look at, never compared. */
export interface ReferenceTarget extends AnyTarget {
  readonly kind: 'reference';
  readonly store: ReferenceName;
  readonly paths: ReferencePaths;
  readonly durability: Durability;
  readonly handoff: 'unknown';
  readonly electionProfile: 'unknown';
}

/** How to come by one target. */
export type TargetSpec = OwnTarget | JavaTarget | AddressTarget | ReferenceTarget;

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
  /** Whether each target is warmed until its figures are steady: all of a run are, or none. */
  readonly warmsUntilSteady: boolean;
  /** Seconds, from warm-ups, windows and usual start-up times; for people, not for deadlines. */
  readonly expectedSeconds: number;
}

export interface PlanOptions {
  /** Names of builds, Java peers, reference stores, or `floor`. */
  readonly targets: readonly string[];
  /** Controllers that run already; met after the others in each round. */
  readonly running?: readonly AddressTarget[];
  /** Where the programs of reference stores are. */
  readonly paths?: ReferencePaths;
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
/** Three JVMs. */
const SECONDS_TO_START_JAVA = 10;
/** A thousand sets at the speed of an upstream controller that has just started. */
const SECONDS_TO_PREPARE_JAVA = 15;
/** A thousand sets whose brokers beat meanwhile, then lose their masters: a beat is an entry in JRaft mode. */
const SECONDS_FOR_FLEET_JAVA: Readonly<Record<JavaMode, number>> = { dledger: 45, jraft: 360 };
const SECONDS_TO_WARM = 8;
const SECONDS_TO_WARM_JAVA = 10;
const SECONDS_TO_PREPARE = 0.8;
const SECONDS_TO_BRING_UP = 3.5;
const SECONDS_TO_BRING_UP_JAVA: Readonly<Record<JavaMode, number>> = { dledger: 45, jraft: 180 };

/**
 * Windows beside a Java peer, for all targets of the run alike. DLedger's requests wait for more
 * than a second with 1,024 outstanding: a shorter window would see the start of its queue only.
 */
const JAVA_WINDOW_MS_MIN = 5_000;
/** Its elections take 6 to 9 s on a quiet machine, and may need another round of votes. */
const JAVA_FAULT_WINDOW_MS_MIN = 25_000;
/** It needs 35 to 50 s for the fleet that our builds bring up in 4. */
const JAVA_GIVE_UP_MS_MIN = 180_000;
const SECONDS_TO_LOSE_MASTERS = 4;
/** Of the legacy build and of upstream, for silent brokers. */
const SCAN_MS = 5_000;

export function makePlan(options: PlanOptions): Plan {
  const [mainDurability, ...furtherDurabilities] = options.durabilities;
  if (mainDurability === undefined) throw new Error('a plan needs a durability');
  const { running = [] } = options;
  const javaModesMet = options.targets.flatMap((name) => javaModeOf(name) ?? []);
  const workloads =
    javaModesMet.length === 0 ? options.workloads : options.workloads.map(atJavaSpeed);

  const specs: { readonly spec: TargetSpec; readonly workloads: readonly WorkloadPoint[] }[] = [];
  const add = (spec: TargetSpec, met: readonly WorkloadPoint[]): void => {
    if (met.length > 0) specs.push({ spec, workloads: met });
  };

  for (const name of options.targets) {
    const spec = targetSpec(name, mainDurability, options);
    add(
      spec,
      workloads.filter((point) => canMeet(spec, point)),
    );
  }
  if (options.provedBaseline && options.targets.includes('baseline')) {
    const spec = ownTarget('baseline', mainDurability, options);
    add(
      {
        ...spec,
        name: 'baseline@processReadEvent',
        title: `${spec.title}, reads proved by a log entry`,
        processReadEvent: true,
      },
      workloads.filter((point) => point.kind === 'load' && point.alsoProvedByLog),
    );
  }
  const javaClasses = javaModesMet.map(durabilityOfMode);
  for (const durability of new Set([...furtherDurabilities, ...javaClasses])) {
    if (durability === mainDurability) continue;
    // A peer's class is its own: our builds meet there what it meets, so that equal is compared with equal.
    const isPeers = javaClasses.includes(durability);
    for (const name of options.targets.filter(isOurs)) {
      const spec = ownTarget(name, durability, options);
      add(
        { ...spec, name: `${name}@${durability}` },
        workloads.filter((point) =>
          isPeers ? canMeet(spec, point) : onlyWrites(point) && outstanding(point) > 1,
        ),
      );
    }
  }
  for (const spec of running)
    add(
      spec,
      workloads.filter((point) => canMeet(spec, point)),
    );

  const sessions: Session[] = [];
  for (let round = 1; round <= options.trials; round += 1) {
    for (const { spec, workloads: all } of specs) {
      // The floor is a line to look at, not a side of a comparison: once is enough beside the main one.
      if (spec.kind === 'floor' && spec.durability !== mainDurability && round > 1) continue;
      // A sweep has many points already; one pass shows the curve.
      const met = all.filter(({ sweepOf }) => sweepOf === undefined || round === 1);
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
  const targets = specs.map(({ spec }) => spec);
  const warmsUntilSteady = targets.some(mayRunOnJvm);
  return {
    sessions,
    targets,
    workloads,
    warmsUntilSteady,
    expectedSeconds: sessions.reduce(
      (sum, session) => sum + sessionSeconds(session, warmsUntilSteady),
      0,
    ),
  };
}

/** What is several times slower before its compilers are done, for minutes. */
export function mayRunOnJvm(spec: TargetSpec): boolean {
  if (spec.kind === 'reference') return spec.store === 'zookeeper';
  return spec.kind === 'java' || spec.kind === 'address';
}

/** The mode of a Java peer that a target's name asks for; null for anything else. */
export function javaModeOf(target: string): JavaMode | null {
  const mode = javaModes.find((known) => target === `java-${known}`);
  return mode ?? null;
}

/** The reference store that a target's name asks for; null for anything else. */
export function referenceOf(target: string): ReferenceName | null {
  return referenceNames.find((known) => target === known) ?? null;
}

/** Whether a workload is offered to a target at all. */
export function canMeet(spec: TargetSpec, point: WorkloadPoint): boolean {
  switch (spec.kind) {
    case 'floor':
      return onlyWrites(point);
    case 'reference':
      return onlyWrites(point) || onlyReads(point);
    case 'address':
      // Whoever started it may not want its leader killed.
      return !hasFault(point);
    default:
      return true;
  }
}

/** DLedger acknowledges from the page cache; JRaft syncs each batch before it does. */
const durabilityOfMode = (mode: JavaMode): Durability =>
  mode === 'dledger' ? 'background' : 'group';

const isOurs = (name: string): boolean => javaModeOf(name) === null && referenceOf(name) === null;

/** A workload with windows long enough for an upstream controller; the same for everybody. */
function atJavaSpeed(point: WorkloadPoint): WorkloadPoint {
  if (point.kind !== 'load') {
    return { ...point, giveUpAfterMs: Math.max(point.giveUpAfterMs, JAVA_GIVE_UP_MS_MIN) };
  }
  const leastMs = point.fault === undefined ? JAVA_WINDOW_MS_MIN : JAVA_FAULT_WINDOW_MS_MIN;
  return { ...point, durationMs: Math.max(point.durationMs, leastMs) };
}

function targetSpec(name: string, durability: Durability, options: PlanOptions): TargetSpec {
  const mode = javaModeOf(name);
  if (mode !== null) {
    return {
      name,
      title: titles[name] ?? name,
      kind: 'java',
      mode,
      durability: durabilityOfMode(mode),
      handoff: 'poll',
      electionProfile: 'dledger',
      processReadEvent: false,
    };
  }
  const store = referenceOf(name);
  if (store === null) return ownTarget(name, durability, options);
  return {
    name,
    title: titles[name] ?? name,
    kind: 'reference',
    store,
    paths: options.paths ?? {},
    durability: 'group',
    handoff: 'unknown',
    electionProfile: 'unknown',
    processReadEvent: false,
  };
}

function ownTarget(build: string, durability: Durability, options: PlanOptions): OwnTarget {
  const isFloor = build === 'floor';
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
  'java-dledger':
    'the upstream Java controller in DLedger mode: acknowledges from the page cache, flushed every 10 ms',
  'java-jraft':
    'the upstream Java controller in JRaft mode: each batch synced before it is acknowledged, every read and heartbeat a log entry',
  zookeeper:
    'a general store, for reference: a node per broker set, changed if its version is as read; each batch synced; reads after a sync, which asks no quorum',
  etcd: 'a general store, for reference: a key per broker set, changed if its revision is as read; each batch synced; reads linearizable',
  floor: 'the least work that still replicates: no raft, no state machine',
};

function sessionSeconds({ target, workloads }: Session, warms: boolean): number {
  const mode = target.kind === 'java' ? target.mode : null;
  const toStart = mode ? SECONDS_TO_START_JAVA + SECONDS_TO_PREPARE_JAVA : SECONDS_TO_START;
  const toWarm = !warms ? 0 : mode ? SECONDS_TO_WARM_JAVA : SECONDS_TO_WARM;
  return workloads.reduce(
    (sum, workload) => sum + toWarm + workloadSeconds(workload, mode),
    toStart,
  );
}

function workloadSeconds(workload: WorkloadPoint, mode: JavaMode | null): number {
  const thousands = workload.sets / 1_000;
  switch (workload.kind) {
    case 'bring-up':
      return mode ? thousands * SECONDS_TO_BRING_UP_JAVA[mode] : SECONDS_TO_BRING_UP;
    case 'mass-failover':
      return failoverSeconds(workload) + (mode ? thousands * SECONDS_FOR_FLEET_JAVA[mode] : 0);
    case 'load':
      return SECONDS_TO_PREPARE + (workload.warmUpMs + workload.durationMs) / 1_000;
  }
}

/** Until all are connected and ready; silence is noticed after its time, or by upstream's next scan. */
function failoverSeconds(workload: MassFailoverPoint): number {
  const { loss, heartbeatTimeoutMs, warmUpMs, settleMs } = workload;
  const noticedMs = loss === 'closed' ? 0 : heartbeatTimeoutMs + SCAN_MS / 2;
  return SECONDS_TO_LOSE_MASTERS + (warmUpMs + noticedMs + settleMs) / 1_000;
}

/** Closed-loop writes: all that the floor can do, and, where many share a flush, what one costs. */
function onlyWrites(point: WorkloadPoint): point is LoadPoint {
  return isClosedLoopOf(point, ['alterSyncStateSet']);
}

/** Closed-loop reads of a broker set. */
function onlyReads(point: WorkloadPoint): point is LoadPoint {
  return isClosedLoopOf(point, ['getReplicaInfo', 'getSyncStateData']);
}

function isClosedLoopOf(point: WorkloadPoint, names: readonly string[]): boolean {
  if (point.kind !== 'load' || point.load.mode !== 'closed') return false;
  return Object.keys(point.load.mix).every((name) => names.includes(name));
}

function outstanding(point: WorkloadPoint): number {
  return point.kind === 'load' && point.load.mode === 'closed' ? point.load.outstanding : 0;
}

/** A workload that takes a member away. */
export function hasFault(workload: WorkloadPoint): boolean {
  return workload.kind === 'load' && workload.fault !== undefined;
}
