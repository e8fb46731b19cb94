/**
 * What members write and apply, kept for those that judge it: log matching, leader completeness and
 * state-machine safety.
 *
 * Each entry's chained hash stands for the whole log up to it, so that one comparison of numbers says
 * whether two logs agree.
 */
import type { LogIndex } from '../lib/brand.js';
import type { Entry } from '../raft/types.js';
import { checkLeader } from './checkers/leader-completeness.js';
import { LogMatching } from './checkers/log-matching.js';
import {
  checkIsInLog,
  checkIsKnown,
  checkIsSame,
  checkOrder,
  checkSnapshot,
} from './checkers/state-machine-safety.js';

export interface Written {
  readonly term: number;
  /** Of the entry and of all before it. */
  readonly chain: number;
}

export interface Applied extends Written {
  readonly by: string;
  /** The term of whoever applied it first: it was committed in this term or in an earlier one. */
  readonly committedBy: number;
}

export class ReplicatedLog {
  /** What each member's store holds; entry n at n - 1. */
  readonly #logs = new Map<string, Written[]>();
  readonly #matching = new LogMatching();
  /** Chains of what was applied first at each index. */
  readonly #applied: Applied[] = [];
  #lastApplied = new Map<string, number>();

  /** The highest index that any member applied. */
  get appliedMax(): number {
    return this.#applied.length;
  }

  /** A process begins with this log; what comes before it is in its snapshot, and was applied. */
  started(member: string, snapshotIndex: number, entries: readonly Entry[]): void {
    const before = (entries[0]?.index ?? snapshotIndex + 1) - 1;
    const log = this.#logAfter(before);
    for (const entry of entries) log.push(this.#chained(log, entry));
    this.#logs.set(member, log);
    this.#lastApplied.set(member, snapshotIndex);
  }

  /** A snapshot took the place of the state, and of the log unless that leads to it. */
  installed(member: string, index: number): void {
    if (!this.holds(member, index)) this.#logs.set(member, this.#logAfter(index));
    this.#lastApplied.set(member, index);
  }

  #logAfter(index: number): Written[] {
    if (index === 0) return [];
    const log = new Array<Written>(index);
    const applied = checkSnapshot(index, this.#applied[index - 1]);
    log[index - 1] = { term: applied.term, chain: applied.chain };
    return log;
  }

  appended(member: string, entries: readonly Entry[]): void {
    const log = this.#log(member);
    for (const entry of entries) {
      const written = this.#chained(log, entry);
      this.#matching.appended(member, log.length, entry.index, entry.term, written.chain);
      log.push(written);
    }
  }

  truncated(member: string, after: LogIndex): void {
    const log = this.#log(member);
    log.length = Math.min(log.length, after);
  }

  /** @param memberTerm the term that the member is in. */
  applied(member: string, entry: Entry, memberTerm: number): void {
    const last = this.#lastApplied.get(member) ?? 0;
    checkOrder(member, entry.index, last);
    this.#lastApplied.set(member, entry.index);
    const written = checkIsInLog(member, entry, this.#log(member)[entry.index - 1]);
    const known = this.#applied[entry.index - 1];
    if (known === undefined) this.learn(member, entry.index, memberTerm);
    else checkIsSame(member, entry, written, known);
  }

  /** A member became leader: what was committed in its term or before must be in its log. */
  led(member: string, term: number): void {
    checkLeader(member, term, this.#log(member), this.#applied);
  }

  /** Whether a member's log has what was applied at `index`. */
  holds(member: string, index: number): boolean {
    const applied = this.#applied[index - 1];
    return applied !== undefined && this.#logs.get(member)?.[index - 1]?.chain === applied.chain;
  }

  /** Whether it holds that entry, or a snapshot after it. */
  follows(member: string, index: number): boolean {
    const log = this.#logs.get(member) ?? [];
    return log[index - 1] === undefined ? log.length > index : this.holds(member, index);
  }

  /** Of an entry that a member's store holds, or held in a snapshot's last place; null: of none. */
  termAt(member: string, index: number): number | null {
    return this.#logs.get(member)?.[index - 1]?.term ?? null;
  }

  chainAt(index: number): number | null {
    return this.#applied[index - 1]?.chain ?? null;
  }

  /** No-ops and configurations are not given to the state machine: they come with the next that is. */
  learn(member: string, index: number, memberTerm: number): void {
    const log = this.#log(member);
    for (let at = this.#applied.length; at < index; at += 1) {
      const written = checkIsKnown(member, index, at + 1, log[at]);
      this.#applied.push({ ...written, by: member, committedBy: memberTerm });
    }
  }

  #log(member: string): Written[] {
    let log = this.#logs.get(member);
    if (log === undefined) {
      log = [];
      this.#logs.set(member, log);
    }
    return log;
  }

  #chained(log: readonly Written[], { body, term }: Entry): Written {
    let hash = log.at(-1)?.chain ?? 7;
    hash = mix(hash, term);
    for (let i = 0; i < body.length; i += 1) hash = mix(hash, body[i] as number);
    return { term, chain: hash };
  }
}

/** 53 bits would be better and slower; a run has a few thousand entries. */
function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
