/**
 * What clients ask for in a run, as data: drawn from the seed, replayed, and made smaller.
 *
 * Brokers live their own lives besides. These clients do what brokers would not: they read on any
 * member, ask for elections that nobody needs, propose SyncStateSets from stale knowledge, and
 * apply for ids that are taken.
 */
import { Prng } from '../lib/prng.js';
import type { SimOptions } from './swarm.js';

/** Where a request goes: to the member that the client takes for the leader, or to one by position. */
export type Destination = 'leader' | number;

export type ControllerOp =
  | { readonly kind: 'replica-info'; readonly set: number; readonly to: Destination }
  | { readonly kind: 'sync-state'; readonly set: number; readonly to: Destination }
  | {
      readonly kind: 'elect';
      readonly set: number;
      /** null: any; else the broker that asks or is designated. */
      readonly brokerId: number | null;
      readonly designate: boolean;
      readonly to: Destination;
    }
  /** From what this client last read: possibly long out of date. Bits say which replicas are in. */
  | {
      readonly kind: 'alter';
      readonly set: number;
      readonly replicaBits: number;
      readonly to: Destination;
    }
  | { readonly kind: 'next-id'; readonly set: number }
  | { readonly kind: 'apply-id'; readonly set: number; readonly id: number }
  | { readonly kind: 'register'; readonly set: number; readonly id: number };

export type KvOp =
  | { readonly kind: 'put'; readonly key: number; readonly value: number; readonly to: Destination }
  | { readonly kind: 'get'; readonly key: number; readonly to: Destination }
  /** Expects the value that this client last saw. */
  | { readonly kind: 'cas'; readonly key: number; readonly value: number; readonly to: Destination }
  | { readonly kind: 'delete'; readonly key: number }
  | { readonly kind: 'range'; readonly to: Destination }
  | {
      readonly kind: 'stale-get';
      readonly key: number;
      readonly to: Destination;
      readonly maxStalenessMs: number;
    };

export interface ScheduledOp {
  readonly atMs: number;
  readonly client: number;
  readonly op: ControllerOp | KvOp;
}

/** Operations of one run; a check of more would take longer than the run. */
const OPS_MAX = 1_000;

/** In order of time, all within the safety phase. */
export function drawWorkload(options: SimOptions): ScheduledOp[] {
  const chance = new Prng(options.seed ^ 0x0c1e_a5);
  const ops: ScheduledOp[] = [];
  let value = 0;
  for (let client = 0; client < options.clients; client += 1) {
    let atMs = 500;
    for (;;) {
      atMs += Math.max(1, Math.round(-Math.log(1 - chance.unit()) * options.thinkMs));
      if (atMs >= options.safetyMs || ops.length >= OPS_MAX) break;
      value += 1;
      const op =
        options.subject === 'kv'
          ? drawKvOp(options, chance, value)
          : drawControllerOp(options, chance);
      ops.push({ atMs, client, op });
    }
  }
  return ops.sort((a, b) => a.atMs - b.atMs || a.client - b.client);
}

function drawControllerOp(options: SimOptions, chance: Prng): ControllerOp {
  const set = chance.between(0, options.brokerSets - 1);
  const anyMember = (): Destination =>
    chance.chance(0.5) ? 'leader' : chance.between(0, options.members - 1);
  const mostlyLeader = towardsLeader(options, chance);
  const id = chance.between(1, options.replicas + 1);
  const draw = chance.unit();
  if (draw < 0.25) return { kind: 'replica-info', set, to: anyMember() };
  if (draw < 0.55) return { kind: 'sync-state', set, to: anyMember() };
  if (draw < 0.7) {
    const brokerId = chance.chance(0.3) ? null : id;
    return {
      kind: 'elect',
      set,
      brokerId,
      designate: brokerId !== null && chance.chance(0.4),
      to: mostlyLeader(),
    };
  }
  if (draw < 0.9)
    return { kind: 'alter', set, replicaBits: chance.between(0, 15), to: mostlyLeader() };
  if (draw < 0.94) return { kind: 'next-id', set };
  if (draw < 0.98) return { kind: 'apply-id', set, id };
  return { kind: 'register', set, id };
}

function drawKvOp(options: SimOptions, chance: Prng, value: number): KvOp {
  const key = chance.between(0, options.keys - 1);
  const anyMember = (): Destination =>
    chance.chance(0.3) ? 'leader' : chance.between(0, options.members - 1);
  const mostlyLeader = towardsLeader(options, chance);
  const draw = chance.unit();
  if (draw < 0.3) return { kind: 'put', key, value, to: mostlyLeader() };
  if (draw < 0.65) return { kind: 'get', key, to: anyMember() };
  if (draw < 0.85) return { kind: 'cas', key, value, to: mostlyLeader() };
  if (draw < 0.9) return { kind: 'delete', key };
  if (draw < 0.93) return { kind: 'range', to: anyMember() };
  return { kind: 'stale-get', key, to: anyMember(), maxStalenessMs: chance.between(10, 2_000) };
}

/**
 * Some writes go to a member that the client has no reason to take for the leader: while one leads
 * that was deposed without hearing of it, only they reach its successor.
 */
const towardsLeader = (options: SimOptions, chance: Prng) => (): Destination =>
  chance.chance(0.7) ? 'leader' : chance.between(0, options.members - 1);
