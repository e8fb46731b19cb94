/**
 * The configuration in force is the latest in the log, and changes come one at a time.
 *
 * Why: single-server changes are safe because any majority of one configuration meets any majority of
 * the next. Two changes on the way, a change before the leader knows of its predecessor's, or a
 * configuration that stays in force when its entry is cut off: each lets two majorities pass each other
 * by. That needs a second accident at the right moment; these rules are broken at the first.
 *
 * @source Ongaro thesis §4.1; raft-dev 2015, "bug in single-server membership changes"
 */
import assert from 'node:assert/strict';
import { decodeConfiguration } from '../../raft/configuration.js';
import type { Configuration, Entry } from '../../raft/types.js';
import { Violation } from './violation.js';

interface Placed {
  readonly index: number;
  readonly configuration: Configuration;
}

/** What a leader knows at the moment when it writes. */
export interface Leads {
  readonly committed: number;
  /** Whether anything that is committed is of its own term. */
  readonly inItsTerm: boolean;
}

export class Configurations {
  /** Of each member's store, oldest first; none: what the member was started with is in force. */
  readonly #placed = new Map<string, Placed[]>();

  /** @param base of the snapshot, if there is one. */
  started(member: string, base: Placed | null, entries: readonly Entry[]): void {
    const later = configurationsOf(entries).filter(({ index }) => index > (base?.index ?? 0));
    this.#placed.set(member, base === null ? later : [base, ...later]);
  }

  /** @param leads null: the member follows, and writes what it is told. */
  appended(member: string, entries: readonly Entry[], leads: Leads | null): void {
    const placed = this.#of(member);
    for (const next of configurationsOf(entries)) {
      const pending = placed.at(-1);
      placed.push(next);
      if (leads === null) continue;
      if (pending !== undefined && pending.index > leads.committed) {
        throw new Violation(
          'one-change-at-a-time',
          `${member} wrote configuration ${next.index} while ${pending.index} was not committed`,
        );
      }
      if (!leads.inItsTerm) {
        throw new Violation(
          'one-change-at-a-time',
          `${member} wrote configuration ${next.index} before anything of its own term was committed`,
        );
      }
    }
  }

  truncated(member: string, after: number): void {
    const placed = this.#of(member);
    while ((placed.at(-1)?.index ?? 0) > after) placed.pop();
  }

  /** @param isWhole whether nothing of the member's own log is left. */
  installed(member: string, base: Placed, isWhole: boolean): void {
    const later = isWhole ? [] : this.#of(member).filter(({ index }) => index > base.index);
    this.#placed.set(member, [base, ...later]);
  }

  /** Between two events, when what the core has decided is written. */
  inForce(member: string, configuration: Configuration): void {
    const latest = this.#of(member).at(-1);
    if (latest === undefined || textOf(latest.configuration) === textOf(configuration)) return;
    throw new Violation(
      'configuration-of-the-log',
      `${member} goes by {${textOf(configuration)}}, and the latest configuration in its log, ${latest.index}, is {${textOf(latest.configuration)}}`,
    );
  }

  /** What may be in force, for all that any log tells: each one's latest configuration, and the one before. */
  lately(initial: Configuration): readonly Configuration[] {
    return [...this.#placed.values()].flatMap((placed) =>
      [initial, ...placed.map(({ configuration }) => configuration)].slice(-2),
    );
  }

  #of(member: string): Placed[] {
    const placed = this.#placed.get(member);
    assert(placed !== undefined, `${member} has started`);
    return placed;
  }
}

const configurationsOf = (entries: readonly Entry[]): Placed[] =>
  entries
    .filter(({ kind }) => kind === 'configuration')
    .map(({ body, index }) => ({ index, configuration: decodeConfiguration(body) }));

const textOf = (configuration: Configuration): string =>
  configuration.map(({ id, role }) => (role === 'voter' ? id : `(${id})`)).join();
