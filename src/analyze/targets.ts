/**
 * Which targets belong together: only those of equal durability are ever compared.
 *
 * A target's name may carry a variant after an `@` (`baseline@group`); what stands before it is the
 * base name, which the variants of one build share.
 */
import type { Results, Target } from '../measure/results.js';
import type { Durability } from './comparison.js';

/** A floor and a reference store are lines to look at, not sides of a comparison. */
export const isCompared = ({ kind }: Target): boolean => kind !== 'floor' && kind !== 'reference';

export const baseName = (target: string): string => target.split('@')[0] ?? target;

/** In the order in which the run lists its targets, so that the main one comes first. */
export function durabilitiesOf(results: Results): Durability[] {
  return [...new Set(results.targets.map((target) => target.durability))];
}

export function targetsOf(results: Results, durability: Durability): Target[] {
  return results.targets.filter((target) => target.durability === durability);
}

/** The wished-for base name when a target has it, else that of the first build, else none. */
export function referenceBase(results: Results, wished = 'baseline'): string | undefined {
  const comparable = results.targets.filter(isCompared);
  const found =
    comparable.find((target) => baseName(target.name) === wished) ??
    comparable.find((target) => target.kind === 'build') ??
    comparable[0];
  return found === undefined ? undefined : baseName(found.name);
}

/**
 * The one to compare with among `candidates`: of the reference's base name, the plainest name first,
 * so that `baseline` is preferred to `baseline@poll`.
 */
export function pickReference(
  candidates: readonly string[],
  base: string | undefined,
): string | undefined {
  return candidates
    .filter((name) => baseName(name) === base)
    .reduce<string | undefined>(
      (best, name) => (best === undefined || name.length < best.length ? name : best),
      undefined,
    );
}
