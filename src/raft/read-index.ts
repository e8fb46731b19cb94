/**
 * ReadIndex (Ongaro thesis §6.4): prove leadership once for many reads, without a log entry.
 *
 * A read may be answered at `index` after a quorum has acknowledged a heartbeat round that started
 * *after* the read arrived. One round confirms every read that was waiting for it, so the cost of
 * proof falls as load rises. Rounds are numbered for the life of the process and never reused: a
 * late acknowledgement of an old round can confirm nothing new, even when its sender has long
 * moved on to another leader.
 *
 * @source etcd-io/raft pull 397: acknowledgements of a first try confirmed the second
 */
import assert from 'node:assert/strict';
import type { LogIndex } from '../lib/brand.js';
import type { MemberId } from './types.js';

/** A read that this leader must prove. */
export interface WaitingRead {
  /** The id its asker gave it. */
  readonly read: number;
  /** The member that asked, or null for one of our own. */
  readonly asker: MemberId | null;
  readonly index: LogIndex;
  /** The first round that proves it. */
  readonly round: number;
}

export class LeaderReads {
  readonly #waitingMax: number;
  /** In order of arrival, so with rising rounds. */
  #waiting: WaitingRead[] = [];
  /** Arrived before the leader committed an entry of its own term: no index can be given yet. */
  #early: { readonly read: number; readonly asker: MemberId | null }[] = [];
  #roundSent = 0;
  #roundConfirmed = 0;

  constructor(waitingMax: number) {
    assert(waitingMax > 0);
    this.#waitingMax = waitingMax;
  }

  get roundSent(): number {
    return this.#roundSent;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Reads wait that no round under way can prove. While one is under way, the rest share the next. */
  get needsRound(): boolean {
    const oldest = this.#waiting[0];
    return oldest !== undefined && oldest.round > this.#roundSent;
  }

  /**
   * @param commitIndex the leader's, when the read arrived: the read must not see less. null when
   *   the leader has not yet committed an entry of its own term, because it may lag until then.
   */
  add(
    read: number,
    {
      asker,
      commitIndex,
    }: { readonly asker: MemberId | null; readonly commitIndex: LogIndex | null },
  ): 'waits' | 'busy' {
    if (this.#waiting.length + this.#early.length >= this.#waitingMax) return 'busy';
    if (commitIndex === null) this.#early.push({ read, asker });
    else this.#waiting.push({ read, asker, index: commitIndex, round: this.#roundSent + 1 });
    return 'waits';
  }

  /** The leader has committed an entry of its own term: early reads get their index. */
  admitEarly(commitIndex: LogIndex): void {
    if (this.#early.length === 0) return;
    const round = this.#roundSent + 1;
    for (const { read, asker } of this.#early) {
      this.#waiting.push({ read, asker, index: commitIndex, round });
    }
    this.#early = [];
  }

  /** Every heartbeat of the leader is a round, whether or not a read asked for it. */
  startRound(): number {
    this.#roundSent += 1;
    return this.#roundSent;
  }

  /** A quorum has acknowledged `round`. @returns the reads that this proves. */
  confirm(round: number): readonly WaitingRead[] {
    assert(round <= this.#roundSent, 'a round was confirmed that was never sent');
    if (round <= this.#roundConfirmed) return [];
    this.#roundConfirmed = round;
    const unproved = this.#waiting.findIndex((waiting) => waiting.round > round);
    return this.#waiting.splice(0, unproved === -1 ? this.#waiting.length : unproved);
  }

  /** Leadership is lost: no waiting read can be proved any more. */
  giveUp(): readonly { readonly read: number; readonly asker: MemberId | null }[] {
    const lost = [...this.#waiting, ...this.#early];
    this.#waiting = [];
    this.#early = [];
    return lost;
  }
}

/**
 * A follower's reads that the leader was asked for.
 *
 * On the wire they carry ids of their own, which begin at a random point: after a restart the
 * caller's ids begin anew, and an answer meant for the earlier life, with its older index, must not
 * be taken for an answer in this one.
 */
export class ForwardedReads {
  readonly #waitingMax: number;
  readonly #waiting = new Map<number, { readonly read: number; readonly askedMs: number }>();
  #lastId: number;

  /** @param start a draw from 0 to 2³² - 1, different from life to life. */
  constructor(waitingMax: number, start: number) {
    this.#waitingMax = waitingMax;
    this.#lastId = (start % 2 ** 22) * 2 ** 30;
  }

  /** @returns the id to ask the leader with, or 'busy'. */
  add(read: number, nowMs: number): number | 'busy' {
    if (this.#waiting.size >= this.#waitingMax) return 'busy';
    this.#lastId += 1;
    this.#waiting.set(this.#lastId, { read, askedMs: nowMs });
    return this.#lastId;
  }

  /** @returns the caller's read id, or undefined when nobody waits for this answer any more. */
  take(id: number): number | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting?.read;
  }

  /** Those asked at or before `askedMs`, oldest first: question or answer was lost. */
  expire(askedMs: number): readonly number[] {
    const expired: number[] = [];
    for (const [id, waiting] of this.#waiting) {
      if (waiting.askedMs > askedMs) break;
      expired.push(waiting.read);
      this.#waiting.delete(id);
    }
    return expired;
  }

  giveUp(): readonly number[] {
    const lost = [...this.#waiting.values()].map((waiting) => waiting.read);
    this.#waiting.clear();
    return lost;
  }
}
