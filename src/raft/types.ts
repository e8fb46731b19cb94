/**
 * The vocabulary of the pure raft core: what goes in, what comes out.
 *
 * `Raft.step(input)` returns effects; the loop in `engine/` performs them strictly in order. The
 * core holds no entry bodies: its log is a list of terms, and an outgoing push names a range that
 * the loop fills from the store. So the core's memory does not grow with traffic.
 */
import type { LogIndex, Term } from '../lib/brand.js';

export type MemberId = string;
export type Role = 'leader' | 'follower' | 'candidate';

/** One log record. An empty body is a no-op (a leader's first entry, a read barrier). */
export interface Entry {
  readonly term: Term;
  readonly index: LogIndex;
  readonly body: Uint8Array;
}

/** What must survive a crash before anything that relies on it is sent. */
export interface HardState {
  readonly term: Term;
  readonly votedFor: MemberId | null;
}

/** A run of consecutive entries with one term, from `first` to the next run's `first` - 1. */
export interface TermRun {
  readonly first: LogIndex;
  readonly term: Term;
}

/**
 * Election timing in milliseconds. `heartbeatMs × leaderLostAfter` without a word from the leader
 * makes a follower a candidate; the vote interval is drawn uniformly.
 */
export interface ElectionTiming {
  readonly heartbeatMs: number;
  readonly leaderLostAfter: number;
  readonly voteIntervalMinMs: number;
  readonly voteIntervalMaxMs: number;
  /** How long a candidate collects votes before it judges the round. */
  readonly voteCollectMs: number;
}

/** @source dledger DLedgerConfig (0.3.1.2): 2 s × 3, 300–1000 ms. */
export const dledgerTiming: ElectionTiming = {
  heartbeatMs: 2_000,
  leaderLostAfter: 3,
  voteIntervalMinMs: 300,
  voteIntervalMaxMs: 1_000,
  voteCollectMs: 2_000,
};

/** Elects well within a second on one machine. */
export const fastTiming: ElectionTiming = {
  heartbeatMs: 100,
  leaderLostAfter: 3,
  voteIntervalMinMs: 20,
  voteIntervalMaxMs: 100,
  voteCollectMs: 150,
};

export interface RaftOptions {
  readonly self: MemberId;
  /** All voting members, `self` included. */
  readonly members: readonly MemberId[];
  readonly timing: ElectionTiming;
  /** Pushes in flight to one follower before the core waits for its acks. */
  readonly pushesInFlightMax: number;
  /** Entries carried by one push. */
  readonly entriesPerPushMax: number;
  /** A push unacknowledged for so long is sent again. */
  readonly retransmitAfterMs: number;
  /** Proposed but uncommitted entries; more are refused as busy. */
  readonly uncommittedMax: number;
  /** Reads waiting for a ReadIndex round; more are refused as busy. */
  readonly readsWaitingMax: number;
  /** Out-of-order pushes that a follower keeps; more are dropped and sent again by the leader. */
  readonly outOfOrderMax: number;
}

export type VoteResult =
  | 'accept'
  | 'unknown-member'
  /** The voter's log is newer. Judged before terms, so a stale candidate cannot raise anyone's term. */
  | 'log-behind'
  | 'expired-term'
  | 'already-voted'
  | 'already-has-leader'
  /** The voter's term was lower; it raises its own and will vote next time. */
  | 'term-not-ready'
  /** The candidate's term is below the term of the voter's last entry. */
  | 'term-below-log';

interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
  /** The sender's term. */
  readonly term: Term;
}

export type Message =
  | (Envelope & { readonly kind: 'vote'; readonly lastIndex: LogIndex; readonly lastTerm: Term })
  | (Envelope & {
      readonly kind: 'vote-result';
      /** The term of the request that this answers. */
      readonly votedTerm: Term;
      readonly result: VoteResult;
    })
  | (Envelope & {
      readonly kind: 'heartbeat';
      readonly commitIndex: LogIndex;
      /** Grows with every heartbeat the leader sends in its life; confirms ReadIndex rounds. Never reused. */
      readonly round: number;
    })
  | (Envelope & { readonly kind: 'heartbeat-ack'; readonly round: number })
  | (Envelope & {
      readonly kind: 'push';
      readonly prevIndex: LogIndex;
      readonly prevTerm: Term;
      readonly commitIndex: LogIndex;
      /** Contiguous from prevIndex + 1; empty to compare only. */
      readonly entries: readonly Entry[];
    })
  | (Envelope & {
      readonly kind: 'push-ack';
      /** `matched`: the follower holds, as durably as its policy asks, the leader's log up to `index`. */
      readonly result: 'matched';
      readonly index: LogIndex;
    })
  | (Envelope & {
      readonly kind: 'push-ack';
      /** `mismatch`: no match at `prevIndex`; the leader may go on at `index` (fast back-up by term). */
      readonly result: 'mismatch';
      readonly prevIndex: LogIndex;
      readonly index: LogIndex;
    })
  /** A follower asks the leader for an index that no earlier write exceeds. */
  | (Envelope & { readonly kind: 'read-index'; readonly read: number })
  | (Envelope & {
      readonly kind: 'read-index-result';
      readonly read: number;
      /** null: this member cannot prove it (not leader, or too many reads wait). */
      readonly index: LogIndex | null;
    });

export type Input =
  /** Time passed. The loop caps `elapsedMs`, so that a member that slept does not blame the leader for it. */
  | { readonly kind: 'tick'; readonly elapsedMs: number }
  | { readonly kind: 'receive'; readonly message: Message }
  /** Leader only: append these bodies as entries of the current term. Refused as a whole or taken as a whole. */
  | { readonly kind: 'propose'; readonly bodies: readonly Uint8Array[] }
  /** The store holds everything up to `index`, whose entry has `term`, as durably as its policy asks. */
  | { readonly kind: 'persisted'; readonly index: LogIndex; readonly term: Term }
  /** Prove an index for a read, on any member. `read` ids are the caller's, unique in its life, rising. */
  | { readonly kind: 'read'; readonly read: number };

export type Effect =
  /** Must be durable before any later effect is performed. */
  | { readonly kind: 'save-hard-state'; readonly state: HardState }
  /** Cut the log after `index`, before later appends. Entries cut were never committed. */
  | { readonly kind: 'truncate'; readonly after: LogIndex }
  /** Write to the log; answer with `persisted` when as durable as the policy asks. */
  | { readonly kind: 'append'; readonly entries: readonly Entry[] }
  | { readonly kind: 'send'; readonly message: Message }
  /** Send entries `first`..`last` (none when last < first) as one or more pushes. Lossy: may be dropped. */
  | {
      readonly kind: 'send-push';
      readonly to: MemberId;
      readonly term: Term;
      readonly prevIndex: LogIndex;
      readonly prevTerm: Term;
      readonly commitIndex: LogIndex;
      readonly first: LogIndex;
      readonly last: LogIndex;
    }
  /** Everything up to `index` is committed. Rises only. */
  | { readonly kind: 'commit'; readonly index: LogIndex }
  /** Role, term or known leader changed. */
  | {
      readonly kind: 'role';
      readonly role: Role;
      readonly term: Term;
      readonly leader: MemberId | null;
    }
  /** The proposal was taken as entries first..last (answers `propose`, before its `append`). */
  | {
      readonly kind: 'proposed';
      readonly first: LogIndex;
      readonly last: LogIndex;
      readonly term: Term;
    }
  | { readonly kind: 'proposal-refused'; readonly why: 'not-leader' | 'busy' }
  /** The read may be answered once everything up to `index` is applied. */
  | { readonly kind: 'read-ready'; readonly read: number; readonly index: LogIndex }
  | { readonly kind: 'read-refused'; readonly read: number; readonly why: 'not-leader' | 'busy' };
