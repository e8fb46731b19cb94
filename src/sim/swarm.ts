/**
 * What one seed means: sizes, rates, rules, and which faults strike when.
 *
 * Every seed draws its own, so that ten thousand seeds are ten thousand kinds of day and not one
 * day ten thousand times (swarm testing). A fault kind is either out of a seed altogether or in it
 * with some weight: bugs hide behind faults that happen all the time.
 *
 * @source Groce et al., "Swarm Testing" (ISSTA 2012); TigerBeetle VOPR
 */
import { Prng } from '../lib/prng.js';
import type { ElectionRule } from '../raft/types.js';
import type { Durability } from '../storage/log-store.js';
import {
  type Fault,
  type FaultKind,
  type Outside,
  outsides,
  partitionModes,
  type ScheduledFault,
  type Target,
} from './faults.js';

export type Subject = 'controller' | 'kv';
export type BuildName = 'baseline' | 'optimized';

export interface SimOptions {
  readonly seed: number;
  readonly subject: Subject;
  readonly build: BuildName;
  readonly members: number;
  readonly durability: Durability;
  readonly electionRule: ElectionRule;
  readonly handoff: 'wake' | 'poll';
  /** `null`: no leases. */
  readonly lease: { readonly clockDriftMax: number } | null;
  readonly processReadEvent: boolean;
  readonly followerReads: boolean;
  readonly uncleanElections: boolean;
  readonly preferredLeader: boolean;
  /** The disks' format at the start; `upgrade` faults bring the next. */
  readonly formatVersion: 1 | 2;
  readonly segmentBytesMax: number;
  readonly snapshotEveryEntries: number;
  /** Bytes of entries under way to one follower. */
  readonly pushWindowBytesMax: number;
  readonly entriesKept: number;
  readonly brokerSets: number;
  readonly replicas: number;
  readonly clients: number;
  readonly keys: number;
  /** Between two operations of one client, on average. */
  readonly thinkMs: number;
  readonly delayMinMs: number;
  readonly delayMeanMs: number;
  readonly lossShare: number;
  readonly duplicationShare: number;
  readonly reorderingShare: number;
  readonly syncMs: number;
  /** Faults, then healing, then the time in which the core, and after it all, must come right. */
  readonly safetyMs: number;
  readonly livenessMs: number;
  /** What a minority is left with at first, while the others are healed; `nobody`: all are healed at once. */
  readonly outside: Outside | 'nobody';
  /** Whether the calm at the end lasts until every broker must have been heard again. */
  readonly longCalm: boolean;
  /** Kinds that may strike, with how often each does; relative to one another. */
  readonly faultWeights: Readonly<Partial<Record<FaultKind, number>>>;
  /** Between two faults, on average. */
  readonly faultGapMs: number;
}

/** What the command line or a mutant insists on. */
export type SimOverrides = Partial<Omit<SimOptions, 'seed'>>;

export function drawOptions(seed: number, overrides: SimOverrides = {}): SimOptions {
  const chance = new Prng(seed);
  const draw = new Draw(chance);
  const subject: Subject = draw.weighted({ controller: 6, kv: 4 });
  const durability: Durability = draw.weighted({ background: 3, group: 5, each: 2 });
  const drawn: SimOptions = {
    seed,
    subject,
    build: draw.weighted({ baseline: 1, optimized: 1 }),
    members: draw.one([
      [1, 1],
      [3, 14],
      [5, 5],
    ]),
    durability,
    electionRule: draw.weighted({ dledger: 6, 'pre-vote': 2, plain: 2 }),
    handoff: draw.weighted({ wake: 8, poll: 2 }),
    lease: chance.chance(0.25) ? { clockDriftMax: 0.1 } : null,
    processReadEvent: chance.chance(0.5),
    followerReads: chance.chance(0.8),
    uncleanElections: chance.chance(0.1),
    preferredLeader: chance.chance(0.15),
    formatVersion: chance.chance(0.2) ? 1 : 2,
    segmentBytesMax: draw.logUniform(600, 64 * 1024),
    snapshotEveryEntries: draw.logUniform(8, 2_000),
    pushWindowBytesMax: drawWindow(seed),
    entriesKept: draw.one([
      [0, 3],
      [4, 3],
      [32, 3],
      [10_000, 1],
    ]),
    brokerSets: chance.between(1, 4),
    replicas: chance.between(1, 3),
    clients: chance.between(1, 5),
    keys: chance.between(1, 3),
    thinkMs: draw.logUniform(8, 400),
    delayMinMs: draw.one([
      [0, 5],
      [1, 3],
      [10, 1],
    ]),
    delayMeanMs: draw.logUniform(0.2, 25),
    lossShare: chance.chance(0.4) ? draw.logUniform(0.001, 0.15) : 0,
    duplicationShare: chance.chance(0.4) ? draw.logUniform(0.001, 0.3) : 0,
    reorderingShare: chance.chance(0.4) ? draw.logUniform(0.001, 0.3) : 0,
    syncMs: draw.logUniform(0.05, 8),
    safetyMs: Math.round(draw.logUniform(2_000, 14_000)),
    livenessMs: 40_000,
    outside: 'nobody',
    longCalm: chance.chance(0.25),
    faultWeights: {},
    faultGapMs: draw.logUniform(120, 3_000),
  };
  const insisted = { ...drawn, ...overrides };
  const options = { ...insisted, outside: overrides.outside ?? drawOutside(seed, insisted) };
  return {
    ...options,
    faultWeights: overrides.faultWeights ?? drawWeights(draw, chance, options),
  };
}

/** From chance of its own, as who stays outside. */
function drawWindow(seed: number): number {
  const draw = new Draw(new Prng(seed ^ 0x00b1_7e55));
  const narrow = Math.round(draw.logUniform(32, 4_096));
  return draw.one([
    [8 * 1024 * 1024, 2],
    [narrow, 1],
  ]);
}

/** From chance of its own: what strikes before is the same whatever comes after. */
function drawOutside(seed: number, { electionRule, members }: SimOptions): Outside | 'nobody' {
  const chance = new Prng(seed ^ 0x00c0_4e01);
  if (members < 3 || chance.chance(0.4)) return 'nobody';
  const how = chance.pick(outsides);
  // By the paper's rule a member that hears nobody asks for votes in ever higher terms, and is heard.
  return electionRule === 'plain' && how === 'deaf' ? 'isolated' : how;
}

/** Kinds that a group of `members` cannot bear, or that break a promise nobody made, are left out. */
function drawWeights(
  draw: Draw,
  chance: Prng,
  options: SimOptions,
): Readonly<Partial<Record<FaultKind, number>>> {
  const weights: Partial<Record<FaultKind, number>> = {};
  for (const kind of faultKinds) {
    const isIn = chance.chance(0.45);
    const weight = draw.logUniform(0.2, 5);
    if (isIn && mayStrike(kind, options)) weights[kind] = weight;
  }
  return weights;
}

const faultKinds: readonly FaultKind[] = [
  'kill',
  'power-loss',
  'power-loss-all',
  'pause',
  'slow',
  'replace',
  'upgrade',
  'partition',
  'clog',
  'congestion',
  'loss',
  'duplication',
  'reordering',
  'delay',
  'disk-slow',
  'disk-full',
  'sync-failure',
  'corruption',
  'bad-read',
  'drift',
  'clock-jump',
  'transfer',
  'add-learner',
  'promote',
  'remove',
  'two-changes',
  'broker-kill',
  'broker-silence',
];
/** What a coverage table has rows for. */
export const allFaultKinds = [...faultKinds, 'outside-core'] as const;

function mayStrike(kind: FaultKind, options: SimOptions): boolean {
  const { durability, formatVersion, members, subject } = options;
  switch (kind) {
    case 'power-loss':
    case 'power-loss-all':
    case 'sync-failure':
      // Acknowledged from the page cache: what a power cut takes was never promised to stay.
      return durability !== 'background';
    case 'replace':
    case 'corruption':
    case 'bad-read':
      return members >= 3 && durability !== 'background';
    case 'upgrade':
      return formatVersion === 1;
    case 'add-learner':
    case 'promote':
    case 'remove':
    case 'two-changes':
      return formatVersion === 2;
    case 'broker-kill':
    case 'broker-silence':
      return subject === 'controller';
    default:
      return true;
  }
}

/** The faults of a seed, in order of time, all within the safety phase. */
export function drawSchedule(options: SimOptions): ScheduledFault[] {
  const chance = new Prng(options.seed ^ 0x0fa0_17);
  const draw = new Draw(chance);
  const later = new Prng(options.seed ^ 0x1a7e_0001);
  const schedule: ScheduledFault[] = [];
  const kinds = Object.keys(options.faultWeights);
  if (kinds.length === 0) return schedule;
  let atMs = 1_000;
  for (;;) {
    atMs += Math.round(-Math.log(1 - chance.unit()) * options.faultGapMs);
    if (atMs >= options.safetyMs) return schedule;
    const kind = draw.weighted(options.faultWeights as Record<string, number>) as FaultKind;
    schedule.push({ atMs, fault: drawFault(kind, options, draw, chance, later) });
  }
}

/** @param later for what a fault got after others had been drawn: they stay as they were. */
function drawFault(
  kind: FaultKind,
  options: SimOptions,
  draw: Draw,
  chance: Prng,
  later: Prng,
): Fault {
  const target = (): Target =>
    chance.chance(0.45)
      ? 'leader'
      : chance.chance(0.3)
        ? 'follower'
        : chance.between(0, options.members - 1);
  const forMs = Math.round(draw.logUniform(30, 6_000));
  const survives = draw.weighted({ nothing: 1, torn: 2 });
  const share = draw.logUniform(0.02, 0.6);
  const broker = chance.between(0, options.brokerSets * options.replicas - 1);
  switch (kind) {
    case 'kill':
    case 'pause':
    case 'disk-full':
    case 'sync-failure':
      return { kind, target: target(), forMs };
    case 'power-loss':
      return { kind, target: target(), survives, forMs };
    case 'power-loss-all':
      return { kind, survives, forMs };
    case 'slow':
      return { kind, target: target(), delayMs: Math.round(draw.logUniform(1, 150)), forMs };
    case 'replace':
    case 'upgrade':
    case 'remove':
      return { kind, target: target() };
    case 'partition':
      return { kind, mode: chance.pick(partitionModes), symmetric: chance.chance(0.6), forMs };
    case 'clog':
      return { kind, forMs };
    case 'congestion': {
      const lateMs = Math.round(draw.logUniform(50, 1_000));
      return { kind, target: target(), lateMs, forMs: lateMs + forMs };
    }
    case 'loss':
    case 'duplication':
    case 'reordering':
      return { kind, share, forMs };
    case 'delay':
      return { kind, meanMs: Math.round(draw.logUniform(5, 400)), forMs };
    case 'disk-slow':
      return { kind, target: target(), syncMs: Math.round(draw.logUniform(10, 1_500)), forMs };
    case 'corruption':
      return {
        kind,
        target: target(),
        how: chance.pick(['bit-flip', 'misdirected-write', 'zeroed-sector'] as const),
        atRest: later.chance(0.5),
        forMs,
      };
    case 'bad-read':
      return { kind, target: target(), how: chance.pick(['bit-flip', 'misdirected'] as const) };
    case 'drift':
      return {
        kind,
        target: target(),
        // Within what leases are told to bear.
        rate: 1 + (chance.unit() - 0.5) * 0.09,
        forMs: forMs * 4,
      };
    case 'clock-jump':
      return { kind, target: target(), broker, byMs: chance.between(-100_000, 100_000) };
    case 'transfer':
      return { kind, to: chance.between(0, options.members - 1) };
    case 'add-learner':
    case 'promote':
    case 'two-changes':
      return { kind };
    case 'broker-kill':
    case 'broker-silence':
      return { kind, broker, forMs: forMs * 3 };
  }
}

/** Draws with a shape. */
class Draw {
  readonly #chance: Prng;

  constructor(chance: Prng) {
    this.#chance = chance;
  }

  /** One of the values, each with its weight. */
  one<Value>(choices: readonly (readonly [Value, number])[]): Value {
    let left = this.#chance.unit() * choices.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [value, weight] of choices) {
      left -= weight;
      if (left < 0) return value;
    }
    return (choices.at(-1) as readonly [Value, number])[0];
  }

  weighted<Key extends string>(weights: Readonly<Record<Key, number>>): Key {
    return this.one(Object.entries(weights) as [Key, number][]);
  }

  /** As many between 1 and 10 as between 10 and 100. */
  logUniform(min: number, max: number): number {
    const value = Math.exp(Math.log(min) + this.#chance.unit() * (Math.log(max) - Math.log(min)));
    return max - min > 100 ? Math.round(value) : value;
  }
}
