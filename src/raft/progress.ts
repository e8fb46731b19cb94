/**
 * What the leader knows of one follower's log, and what is on its way there.
 *
 * Two states, each follower on its own: in `compare` the leader asks with one empty push where
 * the logs agree; in `stream` it sends pushes without waiting for acks, up to a window.
 *
 * A lost push is sent again from the last match, one push, without comparing anew: what followed
 * it waits at the follower. When even that brings nothing, the follower is gone or has lost what
 * it had, and comparing is both the cheapest question and the right one.
 *
 * @source dledger DLedgerEntryPusher.EntryDispatcher (0.3.1.2): COMPARE, APPEND, doCheckAppendResponse
 */
import { type LogIndex, logIndex } from '../lib/brand.js';
import type { MemberId } from './types.js';

export class Progress {
  readonly member: MemberId;
  /** The follower holds the leader's log up to here, durably. */
  match: LogIndex = logIndex(0);
  /** First entry of the next push. */
  next: LogIndex = logIndex(1);
  state: 'compare' | 'stream' | 'snapshot' = 'compare';
  /** Learners are sent everything and counted in nothing. */
  isVoter: boolean;
  /** In `snapshot`: which one is sent, and how much of it the follower has. */
  snapshotIndex: LogIndex = logIndex(0);
  snapshotOffset = 0;
  /** The highest commit index told to this follower. */
  commitSent: LogIndex = logIndex(0);
  /** When it last acknowledged anything of this term. */
  heardMs = 0;
  /** The highest heartbeat round it acknowledged, in the life of this process. */
  roundAcked = 0;

  readonly #inFlightMax: number;
  /** Last index and time of each unacknowledged push: two rings, oldest at `#head`. */
  readonly #lasts: Float64Array;
  readonly #sentMs: Float64Array;
  #head = 0;
  #inFlight = 0;
  /** The oldest push was sent a second time and is still unanswered. */
  #resent = false;
  /** What is in flight is all that its bytes leave room for. */
  #isFull = false;

  constructor(member: MemberId, inFlightMax: number, isVoter: boolean) {
    this.member = member;
    this.isVoter = isVoter;
    this.#inFlightMax = inFlightMax;
    this.#lasts = new Float64Array(inFlightMax);
    this.#sentMs = new Float64Array(inFlightMax);
  }

  get idle(): boolean {
    return this.#inFlight === 0;
  }

  /** A new leadership: nothing is known, and the end of the leader's log is the best guess. */
  reset(lastIndex: LogIndex, nowMs: number): void {
    this.match = logIndex(0);
    this.commitSent = logIndex(0);
    this.heardMs = nowMs;
    this.#compareFrom(lastIndex);
  }

  maySend(lastIndex: LogIndex): boolean {
    if (this.state === 'snapshot') return this.#inFlight === 0;
    if (this.state === 'compare' || this.#resent) {
      return this.#inFlight === 0 && (this.state === 'compare' || this.next <= lastIndex);
    }
    return !this.#isFull && this.#inFlight < this.#inFlightMax && this.next <= lastIndex;
  }

  /** A push that ends at `last` left; in `compare` it carried nothing. */
  sent(last: LogIndex, nowMs: number): void {
    const tail = (this.#head + this.#inFlight) % this.#inFlightMax;
    this.#lasts[tail] = last;
    this.#sentMs[tail] = nowMs;
    this.#inFlight += 1;
    if (this.state === 'stream') this.next = logIndex(last + 1);
  }

  /** Of what was thought sent, nothing from `first` on was: there was no room for its bytes. */
  unsent(first: LogIndex): void {
    if (this.state !== 'stream' || first >= this.next || first <= this.match) return;
    let begun = false;
    while (this.#inFlight > 0 && this.#lastAt(this.#inFlight - 1) >= first) {
      this.#inFlight -= 1;
      begun = true;
    }
    const before = this.#inFlight === 0 ? this.match : this.#lastAt(this.#inFlight - 1);
    // Of the push that was cut in two, the first part is on its way.
    if (begun && before < first - 1) {
      this.#lasts[(this.#head + this.#inFlight) % this.#inFlightMax] = first - 1;
      this.#inFlight += 1;
    }
    this.next = first;
    this.#isFull = this.#inFlight > 0;
  }

  #lastAt(position: number): number {
    return this.#lasts[(this.#head + position) % this.#inFlightMax] as number;
  }

  /** The follower needs entries that are gone: send this snapshot, from where it was left if it is the same. */
  needsSnapshot(index: LogIndex): void {
    if (this.state !== 'snapshot' || this.snapshotIndex !== index) this.snapshotOffset = 0;
    if (this.state !== 'snapshot') this.#forgetInFlight();
    this.state = 'snapshot';
    this.snapshotIndex = index;
  }

  /** The follower holds so much of the snapshot; what is next may be sent. */
  snapshotReceived(received: number): void {
    this.snapshotOffset = received;
    this.#forgetInFlight();
  }

  /** The follower's state is the snapshot's: its log goes on from there. */
  snapshotInstalled(index: LogIndex): void {
    if (index > this.match) this.match = index;
    this.state = 'stream';
    this.#resent = false;
    this.next = logIndex(this.match + 1);
    this.#forgetInFlight();
  }

  /** Acks are cumulative, and may come twice or late. */
  matched(index: LogIndex): void {
    if (this.state === 'snapshot') return;
    if (this.state === 'compare') {
      this.match = index > this.match ? index : this.match;
      this.state = 'stream';
      this.next = logIndex(this.match + 1);
      this.#forgetInFlight();
      this.#resent = false;
      return;
    }
    if (index <= this.match) return;
    this.match = index;
    this.#resent = false;
    this.#isFull = false;
    while (this.#inFlight > 0 && this.#lastAt(0) <= index) {
      this.#head = (this.#head + 1) % this.#inFlightMax;
      this.#inFlight -= 1;
    }
    if (this.next <= index) this.next = logIndex(index + 1);
  }

  /**
   * No match at `prevIndex`; the follower proposes to compare at `index`. A follower that lost
   * what it had acknowledged (a power cut under `background`) says so in this way too, therefore
   * `match` may fall; what is committed stays committed.
   */
  mismatched(prevIndex: LogIndex, index: LogIndex): void {
    if (this.state === 'snapshot') return;
    // While comparing there is one question at a time; any other answer is late.
    if (this.state === 'compare' && prevIndex !== this.next - 1) return;
    const candidate = Math.max(0, Math.min(index, prevIndex - 1, this.next - 1));
    if (candidate < this.match) this.match = logIndex(candidate);
    this.#compareFrom(logIndex(candidate));
  }

  overdue(nowMs: number, retransmitAfterMs: number): boolean {
    return this.#inFlight > 0 && nowMs - (this.#sentMs[this.#head] as number) >= retransmitAfterMs;
  }

  /** The oldest push is overdue: go back to the last match. */
  rewind(): void {
    if (this.state !== 'stream') {
      this.#forgetInFlight();
    } else if (this.#resent) {
      this.#compareFrom(this.match);
    } else {
      this.#forgetInFlight();
      this.#resent = true;
      this.next = logIndex(this.match + 1);
    }
  }

  #compareFrom(prevIndex: LogIndex): void {
    this.state = 'compare';
    this.next = logIndex(prevIndex + 1);
    this.#resent = false;
    this.#forgetInFlight();
  }

  #forgetInFlight(): void {
    this.#head = 0;
    this.#inFlight = 0;
    this.#isFull = false;
  }
}
