/**
 * A member that was not told to have its log from the peers refuses damage: it starts nothing anew, and
 * says in which of its files, and where.
 *
 * Why: rebuilding is a decision of an operator, who knows whether the others are well. A log that is
 * dropped unasked on one member after the other takes acknowledged writes with it; and a refusal that does
 * not say where leaves the operator to guess.
 *
 * @source Alagappan et al., "Protocol-Aware Recovery for Consensus-Based Storage" (FAST 2018)
 */
import { join } from 'node:path';
import type { StoreError } from '../../storage/errors.js';
import { REBUILD_FILE } from '../../storage/rebuild-marker.js';
import { Violation } from './violation.js';

/** A start without leave to rebuild, and what came of it. */
export interface Start {
  readonly member: string;
  readonly directory: string;
  readonly filesBefore: readonly string[];
  readonly filesAfter: readonly string[];
  /** Why it refused; null: not for damage. */
  readonly damage: StoreError | null;
}

export function checkStart({ damage, directory, filesAfter, filesBefore, member }: Start): void {
  if (filesAfter.includes(REBUILD_FILE) && !filesBefore.includes(REBUILD_FILE)) {
    throw new Violation('damage-refused', `${member} dropped its log, and nobody told it to`);
  }
  if (damage === null) return;
  const places = filesAfter.map((name) => `${join(directory, name)}: at byte `);
  if (places.some((place) => damage.message.startsWith(place))) return;
  throw new Violation('damage-refused', `${member} does not say where: ${damage.message}`);
}
