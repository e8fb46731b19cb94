/**
 * The vocabulary of the pure raft core: what goes in, what comes out.
 *
 * `Raft.step(input)` returns effects; the loop in `engine/` performs them strictly in order. The
 * core holds no entry bodies: its log is a list of terms, and an outgoing push names a range that
 * the loop fills from the store. So the core's memory does not grow with traffic.
 */
import type { LogIndex, Term } from '../lib/brand.js';

export type MemberId = string;
/** A learner is a member that replicates and never votes, asks for votes, or counts in a quorum. */
export type Role = 'leader' | 'follower' | 'candidate' | 'learner';

/** `configuration`: the body is a `Configuration` (`configuration.ts` encodes it). */
export type EntryKind = 'data' | 'configuration';

/** One log record. An empty body is a no-op (a leader's first entry, a read barrier). */
export interface Entry {
  readonly term: Term;
  readonly index: LogIndex;
  readonly kind: EntryKind;
  readonly body: Uint8Array;
}

/** One member of the group as the log knows it. The core never looks at the address. */
export interface GroupMember {
  readonly id: MemberId;
  /** `host:port` of its remoting port. */
  readonly address: string;
  readonly role: 'voter' | 'learner';
}

/**
 * Who belongs to the group, by order of id. The latest in the log is in force, committed or not
 * (thesis §4.1); before the first, the one that the member was started with.
 */
export type Configuration = readonly GroupMember[];

/** What a snapshot stands for: the state after the entry `index` of `term`, and who was a member then. */
export interface SnapshotHead {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
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

/** What a member finds in its store when it starts. */
export interface Restored {
  readonly hardState: HardState;
  /** The log begins after it; null: at 1. Its state is the state machine's state already. */
  readonly snapshot: (SnapshotHead & { readonly totalBytes: number }) | null;
  /** The store may keep entries from before the snapshot's end, for followers that lag a little. */
  readonly firstIndex: LogIndex;
  /** Terms of the entries held, oldest first. */
  readonly runs: readonly TermRun[];
  /** The snapshot's index when the log is empty. */
  readonly lastIndex: LogIndex;
  /**
   * Damage made this member drop entries that it may have acknowledged, up to this index: until it
   * knows more to be committed, it gives no vote and asks for none. Default 0.
   */
  readonly mustCatchUpTo?: LogIndex;
  /** The configurations among the entries held, oldest first. */
  readonly configurations: readonly {
    readonly index: LogIndex;
    readonly configuration: Configuration;
  }[];
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

/**
 * Who may raise the term, and when.
 * - `dledger`: vote rounds in the term the group has; the term rises when its votes are spent.
 * - `pre-vote`: asks first whether an election could be won (thesis §9.6), then raises the term.
 * - `plain`: raises the term for every election (thesis §3.4).
 */
export type ElectionRule = 'dledger' | 'pre-vote' | 'plain';

export interface LeaseOptions {
  /** 0.1: no two clocks of the group differ by more than 10 % in speed. */
  readonly clockDriftMax: number;
  /** Monotonic milliseconds that run on while the process is stopped, unlike ticks. */
  readonly nowMs: () => number;
}

export interface RaftOptions {
  readonly self: MemberId;
  /** In force until the log or a snapshot holds another; need not list a member that joins later. */
  readonly configuration: Configuration;
  readonly timing: ElectionTiming;
  /** Default `dledger`. All members of a group should have the same; safety does not depend on it. */
  readonly electionRule?: ElectionRule;
  /** A leader that is not this member hands over to it when it is in step. Default null: nobody. */
  readonly preferredLeader?: MemberId | null;
  /**
   * Lease reads: a leader heard by a quorum within the election timeout, less the drift, answers
   * reads at once. Members then refuse votes while they hear a leader, and for that long after
   * they start. Default null: off.
   */
  readonly lease?: LeaseOptions | null;
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
  | 'term-below-log'
  /** The voter hears a leader, and leases or pre-votes protect it. */
  | 'leader-alive';

/** One change of the group at a time; each is one log entry. */
export type MembershipChange =
  | { readonly kind: 'add-learner'; readonly id: MemberId; readonly address: string }
  /** A learner that is caught up becomes a voter. */
  | { readonly kind: 'promote'; readonly id: MemberId }
  /** Voter or learner. A leader that removes itself steps down once that is committed. */
  | { readonly kind: 'remove'; readonly id: MemberId };

export type ChangeRefusal =
  | 'not-leader'
  /** An earlier change is not committed yet, or this leader has not committed in its term yet. */
  | 'pending'
  | 'already-member'
  | 'unknown-member'
  /** The learner lags too far behind to become a voter. */
  | 'not-caught-up'
  /** A group keeps at least one voter. */
  | 'last-voter';

export type TransferRefusal =
  | 'not-leader'
  | 'pending'
  | 'unknown-member'
  /** Learners do not lead. */
  | 'not-a-voter'
  /** The target did not catch up, or did not take over, within an election timeout. */
  | 'timed-out'
  /** Somebody else took over. */
  | 'lost';

interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
  /** The sender's term. */
  readonly term: Term;
}

export type Message =
  | (Envelope & {
      readonly kind: 'vote';
      readonly lastIndex: LogIndex;
      readonly lastTerm: Term;
      /**
       * `ask`: a question only, in the term to come; nobody's state changes (rule `pre-vote`).
       * `transfer`: asked for by the leader itself, so a living leader is no reason to refuse.
       */
      readonly purpose: 'elect' | 'ask' | 'transfer';
    })
  | (Envelope & {
      readonly kind: 'vote-result';
      /** The term of the request that this answers. */
      readonly votedTerm: Term;
      readonly purpose: 'elect' | 'ask' | 'transfer';
      readonly result: VoteResult;
    })
  /** The leader hands over: the receiver, which is in step, asks for votes at once. */
  | (Envelope & { readonly kind: 'take-over' })
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
  /**
   * A part of the leader's snapshot, for a follower that needs entries which the leader has
   * compacted away. One part is in flight at a time; the ack names the next.
   */
  | (Envelope & {
      readonly kind: 'snapshot';
      readonly head: SnapshotHead;
      /** Of the whole snapshot. */
      readonly totalBytes: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    })
  | (Envelope & {
      readonly kind: 'snapshot-ack';
      /** Of the snapshot that it speaks of. */
      readonly index: LogIndex;
      /** The follower holds the snapshot's first so many bytes; all of them mean that it is installed. */
      readonly received: number;
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
  /** A look at what time has made due. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'receive'; readonly message: Message }
  /** Leader only: append these bodies as entries of the current term. Refused as a whole or taken as a whole. */
  | { readonly kind: 'propose'; readonly bodies: readonly Uint8Array[] }
  /** Leader only, like `propose`: answered by `proposed` or `change-refused`. */
  | { readonly kind: 'change-members'; readonly change: MembershipChange }
  /** Leader only: answered by `transfer-ended`, at once or later. */
  | { readonly kind: 'transfer'; readonly to: MemberId }
  /**
   * `full`: the store refuses appends for now. A leader steps down, nobody campaigns, pushed
   * entries are dropped unacknowledged. `writable` ends that.
   */
  | { readonly kind: 'storage'; readonly state: 'full' | 'writable' }
  /** The store's snapshot is now this one, of applied entries; the log may begin after it. */
  | {
      readonly kind: 'compacted';
      readonly head: SnapshotHead;
      readonly totalBytes: number;
      /** Of the entries that the store still holds; `head.index + 1` when it holds none. */
      readonly firstIndex: LogIndex;
    }
  /**
   * Follower: the store holds so many bytes of the leader's snapshot, of which not all are here yet.
   * 0: it had no room and has forgotten them; the leader is to begin anew, later.
   */
  | { readonly kind: 'snapshot-received'; readonly index: LogIndex; readonly received: number }
  /**
   * Follower: the snapshot is whole, durable, and is the state machine's state now. The store has
   * kept the log after `head.index` if it held that entry, else it has dropped all of it.
   */
  | {
      readonly kind: 'snapshot-installed';
      readonly head: SnapshotHead;
      readonly totalBytes: number;
    }
  /** The store holds everything up to `index`, whose entry has `term`, as durably as its policy asks. */
  | { readonly kind: 'persisted'; readonly index: LogIndex; readonly term: Term }
  /** Leader: of the pushes to this member, nothing from `first` on was sent; acknowledgements make room for it. */
  | { readonly kind: 'unsent'; readonly to: MemberId; readonly first: LogIndex }
  /** Prove an index for a read, on any member, learners too. `read` ids are the caller's, unique in its life, rising. */
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
  /** Send the part of the store's snapshot that begins at `offset`. Lossy: may be dropped. */
  | {
      readonly kind: 'send-snapshot';
      readonly to: MemberId;
      readonly term: Term;
      readonly head: SnapshotHead;
      readonly totalBytes: number;
      readonly offset: number;
    }
  /**
   * Follower: write this part, which begins where the store's received parts of this snapshot end
   * (offset 0 begins anew). Answer with `snapshot-received`, or, after the last, install it and
   * answer with `snapshot-installed`.
   */
  | {
      readonly kind: 'receive-snapshot';
      readonly head: SnapshotHead;
      readonly totalBytes: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  /** This configuration is in force now; it came from the entry at `index` (0: from the options). */
  | {
      readonly kind: 'configuration';
      readonly configuration: Configuration;
      readonly index: LogIndex;
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
  /** `full`: the store has no room. `transferring`: leadership is being handed over. */
  | {
      readonly kind: 'proposal-refused';
      readonly why: 'not-leader' | 'busy' | 'full' | 'transferring';
    }
  | { readonly kind: 'change-refused'; readonly why: ChangeRefusal }
  /** null: the target leads. */
  | { readonly kind: 'transfer-ended'; readonly why: TransferRefusal | null }
  /** The read may be answered once everything up to `index` is applied. */
  | { readonly kind: 'read-ready'; readonly read: number; readonly index: LogIndex }
  | { readonly kind: 'read-refused'; readonly read: number; readonly why: 'not-leader' | 'busy' };
