/**
 * Who plays which part in a report: the reference, its challenger, the floor, and the others.
 *
 * Decided once, from the targets of the run, so that every table and chart agrees on order and colour.
 */
import type { Durability } from '../analyze/comparison.js';
import {
  baseName,
  durabilitiesOf,
  isCompared,
  pickReference,
  targetsOf,
} from '../analyze/targets.js';
import type { Results, Target } from '../measure/results.js';
import * as palette from './palette.js';

export interface Cast {
  readonly durability: Durability;
  readonly reference: Target | undefined;
  /** The first target of another base name: who the verdict is about. */
  readonly challenger: Target | undefined;
  readonly floor: Target | undefined;
  readonly others: readonly Target[];
  /** Reference, challenger, others, floor. */
  readonly all: readonly Target[];
}

/** One cast per durability, the main one first. */
export function castsOf(results: Results, base: string | null): Cast[] {
  /** In every class the same one challenges, where it is there. */
  let usual: string | undefined;
  return durabilitiesOf(results).map((durability) => {
    const targets = targetsOf(results, durability);
    const measured = targets.filter(isCompared);
    const name = pickReference(
      measured.map((target) => target.name),
      base ?? undefined,
    );
    const reference = measured.find((target) => target.name === name);
    const rivals = measured.filter((target) => baseName(target.name) !== base);
    const challenger = rivals.find((target) => baseName(target.name) === usual) ?? rivals[0];
    usual ??= challenger && baseName(challenger.name);
    const floor = targets.find(({ kind }) => kind === 'floor');
    const others = targets.filter(
      (target) => target !== reference && target !== challenger && target !== floor,
    );
    const all = [reference, challenger, ...others, floor].filter((each) => each !== undefined);
    return { durability, reference, challenger, floor, others, all };
  });
}

export interface Series {
  readonly name: string;
  readonly colour: palette.Colour;
  readonly isFloor: boolean;
  readonly target: Target;
}

/** Variants of one build (`optimized`, `optimized@group`) share its accent. */
export function seriesOf(results: Results, casts: readonly Cast[]): Series[] {
  const leads = casts[0];
  const taken = new Map<string, palette.Colour>();
  const take = (target: Target | undefined, colour: palette.Colour): void => {
    if (target !== undefined && !taken.has(baseName(target.name))) {
      taken.set(baseName(target.name), colour);
    }
  };
  take(leads?.reference, palette.reference);
  take(leads?.challenger, palette.challenger);
  for (const { floor } of casts) take(floor, palette.floor);
  let next = 0;
  for (const target of results.targets) {
    const colour = palette.others[next % palette.others.length];
    if (colour === undefined || taken.has(baseName(target.name))) continue;
    take(target, colour);
    next += 1;
  }
  return results.targets.map((target) => ({
    name: target.name,
    colour: taken.get(baseName(target.name)) ?? palette.muted,
    isFloor: target.kind === 'floor',
    target,
  }));
}
