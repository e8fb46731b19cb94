/**
 * Made-up results of realistic shape, seeded: what the tests of analysis and report work on.
 *
 * The figures are of the right order for a two-core machine, and are evidence of nothing.
 */
import hdr from 'hdr-histogram-js';
import { Prng } from '../lib/prng.js';
import type { Fault, Operation, Results, Target, Trial } from '../measure/results.js';

export interface SampleOptions {
  readonly seed?: number;
  readonly rounds?: number;
  /** Relative noise of a trial's speed, for example 0.04. */
  readonly noise?: number;
}

interface Speed {
  /** Operations per second that this target can do. */
  readonly writes: number;
  readonly provedReads: number;
  readonly heartbeats: number;
  /** One write, alone. */
  readonly writeMicros: number;
  readonly failoverMs: number;
  readonly bringUpMs: number;
}

const speeds: Readonly<Record<string, Speed>> = {
  baseline: speed(860, 990, 60_000, 1_250, 7_800, 21_000),
  optimized: speed(43_500, 66_000, 112_000, 480, 910, 2_100),
  floor: speed(131_000, 0, 146_000, 290, 0, 0),
  'baseline@group': speed(640, 720, 60_000, 1_600, 7_900, 24_000),
  'optimized@group': speed(27_800, 65_000, 111_000, 690, 930, 2_600),
  'floor@group': speed(98_000, 0, 146_000, 410, 0, 0),
  'baseline@poll': speed(600, 800, 42_000, 1_900, 8_100, 24_000),
};

function speed(
  writes: number,
  provedReads: number,
  heartbeats: number,
  writeMicros: number,
  failoverMs: number,
  bringUpMs: number,
): Speed {
  return { writes, provedReads, heartbeats, writeMicros, failoverMs, bringUpMs };
}

interface WorkloadPlan {
  readonly name: string;
  readonly why: string;
  readonly sweepOf?: string;
  readonly load: Trial['load'];
  readonly measuredMs: number;
  readonly targets: readonly string[];
  readonly operations: (target: string, speed: Speed) => readonly OperationPlan[];
  readonly figures?: (speed: Speed) => Record<string, number>;
  readonly kill?: boolean;
}

interface OperationPlan {
  readonly name: string;
  readonly code: number;
  readonly kind: Operation['kind'];
  readonly proof: Operation['proof'];
  readonly perSecond: number;
  /** Median response time. */
  readonly micros: number;
  readonly rejectedShare?: number;
}

const background = ['baseline', 'optimized', 'floor'];
const group = ['baseline@group', 'optimized@group', 'floor@group'];
const builds = ['baseline', 'optimized'];
const closed = (outstanding: number): Trial['load'] => ({ mode: 'closed', outstanding });
const open = (askedPerSecond: number): Trial['load'] => ({ mode: 'open', askedPerSecond });
const isOptimized = (target: string): boolean => target.startsWith('optimized');

const alter = (perSecond: number, micros: number): OperationPlan => ({
  name: 'alterSyncStateSet',
  code: 1001,
  kind: 'write',
  proof: 'none',
  perSecond,
  micros,
  rejectedShare: 0.001,
});
const read = (
  name: string,
  code: number,
  proof: Operation['proof'],
  perSecond: number,
  micros: number,
): OperationPlan => ({ name, code, kind: 'read', proof, perSecond, micros });
const beat = (perSecond: number, micros: number): OperationPlan => ({
  name: 'heartbeat',
  code: 904,
  kind: 'heartbeat',
  proof: 'none',
  perSecond,
  micros,
});

/** Little's law: with `outstanding` in flight, each waits for all of them. */
const waiting = (outstanding: number, perSecond: number): number => (outstanding * 1e6) / perSecond;
/** Milliseconds of work turn into seconds of queue as the asked rate nears what can be done. */
const queued = (asked: number, can: number, base: number): number =>
  asked >= can ? 800_000 : base / (1 - asked / can);

function reads(target: string, perSecond: number, micros: number): OperationPlan[] {
  const proof = isOptimized(target) ? 'read-index' : 'unproved';
  return [
    read('getReplicaInfo', 1004, proof, perSecond * 0.7, micros),
    read('getSyncStateData', 1006, proof, perSecond * 0.3, micros * 1.2),
  ];
}

const sweepRates = [500, 1_000, 5_000, 20_000, 40_000, 60_000];

const plans: readonly WorkloadPlan[] = [
  {
    name: 'bring-up',
    why: 'How long until every broker set has a master and its full SyncStateSet, from cold?',
    load: { mode: 'script' },
    measuredMs: 24_000,
    targets: builds,
    operations: (_, { writeMicros }) => [
      { ...alter(120, writeMicros * 20), name: 'registerBroker', code: 1003 },
      { ...alter(90, writeMicros * 24), name: 'applyBrokerId', code: 1013 },
      beat(300, 900),
    ],
    figures: ({ bringUpMs }) => ({ bringUpMs }),
  },
  {
    name: 'mass-failover-closed',
    why: 'How long is a fleet without masters when all of them die at once?',
    load: { mode: 'script' },
    measuredMs: 2_600,
    targets: builds,
    operations: (target, { writeMicros }) => [...reads(target, 400, writeMicros * 2).slice(0, 1)],
    figures: ({ bringUpMs }) => ({
      lastElectedMs: bringUpMs / 10,
      medianElectedMs: bringUpMs / 18,
      firstElectedMs: bringUpMs / 120,
      electionsPerSecond: 1e7 / bringUpMs,
    }),
  },
  {
    name: 'steady-state',
    why: 'What does an ordinary day cost: heartbeats, and brokers that poll who leads?',
    load: open(2_000),
    measuredMs: 8_000,
    targets: builds,
    operations: (target) => [
      beat(1_000, isOptimized(target) ? 420 : 900),
      ...reads(target, 1_000, isOptimized(target) ? 450 : 700),
    ],
  },
  {
    name: 'isr-churn',
    why: 'How many SyncStateSet changes can the log carry at high concurrency?',
    load: closed(1_024),
    measuredMs: 8_000,
    targets: [...background, ...group, 'baseline@poll'],
    operations: (_, { writes }) => [alter(writes, waiting(1_024, writes))],
  },
  {
    name: 'heartbeats',
    why: 'How many brokers can stay alive in the eyes of one controller?',
    load: closed(1_024),
    measuredMs: 8_000,
    targets: background,
    operations: (_, { heartbeats }) => [beat(heartbeats, waiting(1_024, heartbeats))],
  },
  {
    name: 'read-heavy',
    why: 'How fast are the reads that brokers and name servers poll?',
    load: closed(1_024),
    measuredMs: 8_000,
    targets: builds,
    operations: (target, { provedReads }) => {
      const perSecond = isOptimized(target) ? provedReads : 36_500;
      return reads(target, perSecond, waiting(1_024, perSecond));
    },
  },
  {
    name: 'read-heavy-proved',
    why: 'The same reads where the legacy build must prove them, by an entry of the log each.',
    load: closed(1_024),
    measuredMs: 8_000,
    targets: ['baseline'],
    operations: (_, { provedReads }) => [
      read('getReplicaInfo', 1004, 'log', provedReads, waiting(1_024, provedReads)),
    ],
  },
  {
    name: 'mixed',
    why: 'Do heartbeats and reads suffer from writes that wait for a quorum?',
    load: open(1_500),
    measuredMs: 8_000,
    targets: builds,
    operations: (target, { writes, writeMicros }) => [
      alter(400, queued(400, writes, writeMicros)),
      beat(600, isOptimized(target) ? 500 : 2_800),
      ...reads(target, 500, isOptimized(target) ? 700 : 3_600),
    ],
  },
  {
    name: 'leader-kill',
    why: 'How long can nobody write when the active controller is killed?',
    load: open(500),
    measuredMs: 14_000,
    targets: builds,
    operations: (_, { writeMicros }) => [alter(500, writeMicros * 1.3)],
    figures: ({ failoverMs }) => ({ failoverMs }),
    kill: true,
  },
  {
    name: 'single-write',
    why: 'What does one write cost when nothing else runs?',
    load: closed(1),
    measuredMs: 4_000,
    targets: [...background, ...group, 'baseline@poll'],
    operations: (_, { writeMicros }) => [alter(1e6 / writeMicros, writeMicros)],
  },
  ...sweepRates.map(
    (rate): WorkloadPlan => ({
      name: `saturation-${rate}`,
      why: 'At which rate does it stop keeping up?',
      sweepOf: 'saturation',
      load: open(rate),
      measuredMs: 4_000,
      targets: background.filter((target) => rate < 5_000 || target !== 'baseline'),
      operations: (_, { writes, writeMicros }) => [
        alter(Math.min(rate, writes), queued(rate, writes, writeMicros)),
      ],
    }),
  ),
];

/** A whole run: every workload of the default bench, on every target that it would run on. */
export function sampleResults(options: SampleOptions = {}): Results {
  const { seed = 1, rounds = 3, noise = 0.04 } = options;
  const chance = new Prng(seed);
  const trials: Trial[] = [];
  for (const plan of plans) {
    for (let round = 1; round <= rounds; round += 1) {
      for (const target of plan.targets) {
        trials.push(sampleTrial(plan, { target, round, order: trials.length + 1, chance, noise }));
      }
    }
  }
  return {
    schemaVersion: 1,
    run: {
      id: '2026-11-22T10-15-00Z-1a2b3c4',
      startedAt: '2026-11-22T10:15:00.000Z',
      endedAt: '2026-11-22T10:19:41.000Z',
      commit: '1a2b3c4d5e6f',
      dirty: false,
      version: '0.1.0',
      command: 'quorumark bench',
      seed,
      partial: false,
    },
    targets: Object.keys(speeds).map(sampleTarget),
    workloads: plans.map(({ name, why, sweepOf }) => ({
      name,
      why,
      ...(sweepOf === undefined ? {} : { sweepOf }),
    })),
    trials,
  };
}

/** Two targets that are the same thing: whatever differs between them is noise. */
export function sampleAgainstItself(options: SampleOptions = {}): Results {
  const results = sampleResults(options);
  const { noise = 0.04, seed = 1, rounds = 3 } = options;
  const chance = new Prng(seed).fork();
  const trials = plans
    .filter((plan) => plan.sweepOf === undefined && plan.targets.includes('baseline'))
    .flatMap((plan) =>
      Array.from({ length: rounds }, (_, index) => index + 1).flatMap((round) =>
        builds.map((target) => ({
          ...sampleTrial(plan, { target: 'baseline', round, order: 1, chance, noise }),
          target,
        })),
      ),
    )
    .map((trial, index) => ({ ...trial, order: index + 1 }));
  return {
    ...results,
    targets: builds.map(sampleTarget),
    workloads: results.workloads.filter(({ sweepOf }) => sweepOf === undefined),
    trials,
  };
}

function sampleTarget(name: string): Target {
  const isFloor = name.startsWith('floor');
  return {
    name,
    kind: isFloor ? 'floor' : 'build',
    title: isFloor
      ? 'The least work that still replicates to two followers by quorum'
      : isOptimized(name)
        ? 'Many requests in flight, reads by ReadIndex on any member'
        : 'The legacy controller: one queue, one request at a time',
    members: 3,
    durability: name.endsWith('@group') ? 'group' : 'background',
    handoff: name.endsWith('@poll') ? 'poll' : 'wake',
    electionProfile: isOptimized(name) ? 'default' : 'dledger',
    version: '0.1.0',
  };
}

interface TrialPlace {
  readonly target: string;
  readonly round: number;
  readonly order: number;
  readonly chance: Prng;
  readonly noise: number;
}

function sampleTrial(plan: WorkloadPlan, place: TrialPlace): Trial {
  const { target, round, order, chance, noise } = place;
  const factor = 1 + noise * (2 * chance.unit() - 1);
  const own = speeds[target];
  if (own === undefined) throw new Error(`no speed for ${target}`);
  const isOpen = plan.load.mode === 'open';
  const operations = plan.operations(target, own).map((each) => ({
    ...each,
    perSecond: isOpen ? each.perSecond : each.perSecond * factor,
    micros: each.micros / factor,
  }));
  const figures = Object.fromEntries(
    Object.entries(plan.figures?.(own) ?? {}).map(([name, value]) => [name, value / factor]),
  );
  const faults: Fault[] = plan.kill
    ? [
        {
          kind: 'kill-leader',
          member: 'n0',
          atMs: 3_000,
          gapMs: own.failoverMs / factor,
          planned: true,
        },
      ]
    : [];
  const { measuredMs } = plan;
  const sent = operations.reduce((sum, { perSecond }) => sum + perSecond, 0) * (measuredMs / 1e3);
  const asked = plan.load.mode === 'open' ? plan.load.askedPerSecond * (measuredMs / 1e3) : sent;
  return {
    workload: plan.name,
    target,
    round,
    order,
    seed: order,
    startedAt: new Date(Date.UTC(2026, 10, 22, 10, 15, order)).toISOString(),
    status: 'valid',
    reasons: [],
    load: plan.load,
    sets: 1_000,
    replicas: 3,
    measuredMs,
    operations: operations.map((each) => sampleOperation(each, { measuredMs, faults, chance })),
    intervals: sampleIntervals(operations, { measuredMs, faults, chance }),
    lateness: encode([{ micros: 300, count: Math.ceil(sent), spread: 0.5 }], chance),
    generator: {
      workers: 1,
      eventLoopUtilization: 0.2 + 0.4 * chance.unit(),
      cpuShare: null,
      controlLatenessP99Us: 200,
      okAfterWindow: 0,
      unansweredAtEnd: 0,
      onewayHeartbeatsPerSecond: 0,
      sent: Math.round(Math.min(sent, asked)),
      asked: Math.round(asked),
    },
    processes: sampleProcesses(own, { measuredMs, chance }),
    faults,
    figures,
  };
}

interface Window {
  readonly measuredMs: number;
  readonly faults: readonly Fault[];
  readonly chance: Prng;
}

function sampleOperation(plan: OperationPlan, { measuredMs, faults, chance }: Window): Operation {
  const ok = Math.max(0, Math.round((plan.perSecond * measuredMs) / 1_000));
  const rejected = Math.round(ok * (plan.rejectedShare ?? 0));
  const gapMs = faults[0]?.gapMs ?? 0;
  const late = Math.min(ok, Math.round((plan.perSecond * gapMs) / 1_000));
  const parts = [
    { micros: plan.micros, count: ok - late, spread: 0.35 },
    { micros: gapMs * 500, count: late, spread: 0.4 },
  ];
  return {
    name: plan.name,
    code: plan.code,
    kind: plan.kind,
    proof: plan.proof,
    ok,
    rejected: rejected === 0 ? {} : { '2001': rejected },
    failed: late === 0 ? {} : { CONNECTION_LOST: 16 },
    responseTime: encode(parts, chance),
    serviceTime: encode([{ micros: plan.micros * 0.9, count: ok, spread: 0.35 }], chance),
  };
}

function sampleIntervals(
  plans: readonly OperationPlan[],
  { measuredMs, faults, chance }: Window,
): Trial['intervals'] {
  const lengthMs = 500;
  return Array.from({ length: Math.ceil(measuredMs / lengthMs) }, (_, index) => {
    const startMs = index * lengthMs;
    const [fault] = faults;
    const from = fault?.atMs ?? Number.POSITIVE_INFINITY;
    const until = from + (fault?.gapMs ?? 0);
    const dead = Math.max(0, Math.min(startMs + lengthMs, until) - Math.max(startMs, from));
    const isFirstAfter = until > startMs && until <= startMs + lengthMs;
    return {
      startMs,
      lengthMs,
      operations: plans.map(({ name, perSecond, micros }) => {
        const alive = (perSecond * (lengthMs - dead)) / 1_000;
        const ok = Math.round(alive * (0.94 + 0.12 * chance.unit()));
        const slow = isFirstAfter ? (until - from) * 500 : micros;
        return {
          name,
          ok,
          notOk: dead > 0 ? 4 : 0,
          responseTime: encode([{ micros: slow, count: ok, spread: 0.3 }], chance, 60),
        };
      }),
    };
  });
}

function sampleProcesses(
  { writes }: Speed,
  { measuredMs, chance }: { readonly measuredMs: number; readonly chance: Prng },
): Trial['processes'] {
  const busy = writes > 10_000 ? 0.42 : 0.08;
  const shares = { n0: busy * 1.4, n1: busy, n2: busy, load: busy * 1.3 };
  return Object.entries(shares).map(([name, share]) => {
    const cores = share * (0.9 + 0.2 * chance.unit());
    const rssPeakBytes = Math.round(
      (name === 'load' ? 210 : 96) * 2 ** 20 * (1 + chance.unit() / 5),
    );
    return {
      name,
      kind: name === 'load' ? 'load' : 'controller',
      cpuSeconds: (cores * measuredMs) / 1_000,
      rssPeakBytes,
      samples: [
        { atMs: 0, cpuCores: cores, rssBytes: Math.round(rssPeakBytes * 0.9) },
        { atMs: measuredMs / 2, cpuCores: cores, rssBytes: rssPeakBytes },
      ],
    };
  });
}

interface Part {
  readonly micros: number;
  readonly count: number;
  /** Standard deviation of the logarithm. */
  readonly spread: number;
}

/** A log-normal body from few draws, each counted often: cheap, and smooth enough to look at. */
function encode(parts: readonly Part[], chance: Prng, drawsMax = 700): string {
  const histogram = hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 120_000_000,
    numberOfSignificantValueDigits: 3,
  });
  for (const { micros, count, spread } of parts) {
    const draws = Math.min(count, drawsMax);
    let left = count;
    for (let i = 0; i < draws; i += 1) {
      const share = Math.floor(left / (draws - i));
      left -= share;
      const deviation =
        Math.sqrt(-2 * Math.log(1 - chance.unit())) * Math.cos(2 * Math.PI * chance.unit());
      const value = Math.round(micros * Math.exp(spread * deviation));
      histogram.recordValueWithCount(Math.min(Math.max(value, 1), 119_000_000), Math.max(share, 0));
    }
  }
  return hdr.encodeIntoCompressedBase64(histogram);
}
