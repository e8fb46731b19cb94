/**
 * Which configuration is in force, and which a change would make of it.
 *
 * Configurations are entries of the log. The latest one counts from the moment when it is appended;
 * when it is cut off, the one before it counts again.
 *
 * @source Ongaro thesis §4.1–4.4 (single-server changes)
 */
import { type LogIndex, logIndex } from '../lib/brand.js';
import {
  configurationOf,
  decodeConfiguration,
  encodeConfiguration,
  memberOf,
  votersOf,
} from './configuration.js';
import type {
  ChangeRefusal,
  Configuration,
  Entry,
  MembershipChange,
  SnapshotHead,
} from './types.js';

interface Placed {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

export class Membership {
  /** Oldest first, at least one: the first is the snapshot's, or what the member was started with. */
  #configurations: Placed[];

  constructor(base: Placed, later: readonly Placed[]) {
    this.#configurations = [base, ...later];
  }

  get current(): Configuration {
    return this.#last.configuration;
  }

  /** Of the entry that brought it; the snapshot's, or 0 for what the member was started with. */
  get currentIndex(): LogIndex {
    return this.#last.index;
  }

  get #last(): Placed {
    return this.#configurations.at(-1) as Placed;
  }

  /** The one that was in force after the entry at `index`, which is not before the snapshot's. */
  at(index: LogIndex): Configuration {
    const placed = this.#configurations.findLast((known) => known.index <= index);
    return (placed ?? (this.#configurations[0] as Placed)).configuration;
  }

  /** @returns whether there was a configuration among them. */
  append(entries: readonly Entry[]): boolean {
    let found = false;
    for (const { body, index, kind } of entries) {
      if (kind !== 'configuration') continue;
      this.#configurations.push({ index, configuration: decodeConfiguration(body) });
      found = true;
    }
    return found;
  }

  /** @returns whether the one in force was cut off. */
  truncate(after: LogIndex): boolean {
    const before = this.#configurations.length;
    while (this.#configurations.length > 1 && this.#last.index > after) this.#configurations.pop();
    return this.#configurations.length < before;
  }

  /** What the snapshot holds is told by the snapshot. */
  compact({ configuration, index }: SnapshotHead): void {
    const later = this.#configurations.filter((placed) => placed.index > index);
    this.#configurations = [{ index, configuration }, ...later];
  }

  /** The log is gone, and all configurations in it. */
  reset(): void {
    this.#configurations = [{ index: logIndex(0), configuration: [] }];
  }

  /** What is wrong with a change, as far as the configuration tells. */
  refusalOf(change: MembershipChange): ChangeRefusal | null {
    const member = memberOf(this.current, change.id);
    switch (change.kind) {
      case 'add-learner':
        return member === undefined ? null : 'already-member';
      case 'promote':
        if (member === undefined) return 'unknown-member';
        return member.role === 'voter' ? 'already-member' : null;
      case 'remove':
        if (member === undefined) return 'unknown-member';
        return member.role === 'voter' && votersOf(this.current).length === 1 ? 'last-voter' : null;
    }
  }

  /** The configuration that a change makes, as an entry's body. */
  encoded(change: MembershipChange): Uint8Array {
    const others = this.current.filter(({ id }) => id !== change.id);
    switch (change.kind) {
      case 'add-learner': {
        const { address, id } = change;
        return encodeConfiguration(configurationOf([...others, { id, address, role: 'learner' }]));
      }
      case 'promote': {
        const address = memberOf(this.current, change.id)?.address ?? '';
        const promoted = { id: change.id, address, role: 'voter' } as const;
        return encodeConfiguration(configurationOf([...others, promoted]));
      }
      case 'remove':
        return encodeConfiguration(others);
    }
  }
}
