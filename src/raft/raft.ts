/**
 * One member of a raft group, as a pure function with memory: `step(input)` returns effects.
 *
 * Elections follow DLedger (`election.ts`), replication follows the papers: each follower is
 * compared once and then streamed to, and what a quorum holds durably is committed when it is of
 * the current term. The leader's own copy counts as one of them, when its disk says so, no sooner.
 *
 * Time is what ticks add up to, chance is the generator it was given, bodies are never looked at.
 * Whoever owns the instance performs the effects in order.
 *
 * @source Ongaro thesis §3 (rules), §6.4 (ReadIndex), §10.2.1 (parallel disk write);
 *   dledger 0.3.1.2 DLedgerLeaderElector, DLedgerEntryPusher; docs/decisions/002 for the deviation
 */
import assert from 'node:assert/strict';
import { type LogIndex, logIndex, type Term, term } from '../lib/brand.js';
import type { Prng } from '../lib/prng.js';
import { votersOf } from './configuration.js';
import { Election, judgeVote } from './election.js';
import { Handover } from './handover.js';
import { Lease } from './lease.js';
import { TermLog } from './log.js';
import { Membership } from './membership.js';
import { Progress } from './progress.js';
import { type Push, PushBuffer } from './push-buffer.js';
import { quorumSize, reachedByQuorum } from './quorum.js';
import { ForwardedReads, LeaderReads } from './read-index.js';
import type {
  ChangeRefusal,
  Configuration,
  Effect,
  ElectionRule,
  Entry,
  EntryKind,
  Input,
  MemberId,
  MembershipChange,
  Message,
  RaftOptions,
  Restored,
  Role,
  SnapshotHead,
  TransferRefusal,
  VoteResult,
} from './types.js';

type Received<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

const noOp = new Uint8Array(0);
/** A beat that has not come by then is missing; from then on followers look so often, in heartbeats. */
const MISSING_AFTER_BEATS = 1.2;
const CLOSER_LOOK_BEATS = 0.4;

export class Raft {
  readonly #options: RaftOptions;
  readonly #self: MemberId;
  readonly #log: TermLog;
  readonly #rule: ElectionRule;
  readonly #election: Election;
  readonly #membership: Membership;
  /** Everybody else in the group, learners too. */
  #peers: readonly Progress[] = [];
  #peerById: ReadonlyMap<MemberId, Progress> = new Map();
  #isVoter = false;
  readonly #leaderLostAfterMs: number;
  /** For medians; its length is the number of voters. */
  #scratch: number[] = [];
  #snapshot: (SnapshotHead & { readonly totalBytes: number }) | null;
  /** Drops entries that may have been acknowledged: no votes until more than this is committed. */
  #mustCatchUpTo: LogIndex;
  #isStorageFull = false;
  /** When the disk last finished something, while something waits for it. */
  #diskSeenMs = 0;
  /** The disk stopped while we led: not again before it has caught up. */
  #isDiskStalled = false;
  /** Messages that contradict what we know, from a peer with a bug or from a forger. */
  protocolViolations = 0;

  #nowMs = 0;
  #effects: Effect[] = [];

  #term: Term;
  #votedFor: MemberId | null;
  #role: Role = 'candidate';
  #leader: MemberId | null = null;
  #commitIndex: LogIndex = logIndex(0);
  /** Our log is durable up to here. */
  #persisted: LogIndex;
  /** Votes are never asked for in this term: 0, or the term that an earlier life asked them in. */
  readonly #termOfEarlierLife: Term;

  /** Follower: when the leader last gave a sign of life. Its birth counts as one, for leases. */
  #leaderSeenMs = 0;
  /** Follower: our log is the leader's log up to here. A leader's log only grows, so good for the term. */
  #matched: LogIndex = logIndex(0);
  /** Follower: more than this is committed since then, and no push has brought any of it. */
  #behind: { readonly matched: LogIndex; readonly sinceMs: number } | null = null;
  /** Follower: what the leader was last told. */
  #acked: LogIndex = logIndex(0);
  readonly #early: PushBuffer;
  readonly #forwarded: ForwardedReads;
  /** Follower: the snapshot that is coming in, from whom, and how much of it is here. */
  #receiving: {
    readonly from: MemberId;
    readonly index: LogIndex;
    readonly totalBytes: number;
    received: number;
    /** The loop is writing or installing what came last. */
    isBusy: boolean;
  } | null = null;
  /** Candidate: what the round under way is for. */
  #purpose: 'elect' | 'ask' | 'transfer' = 'elect';

  /** Leader: when it last sent heartbeats. */
  #lastBeatMs = 0;
  readonly #reads: LeaderReads;
  readonly #lease: Lease | null;
  readonly #handover: Handover;

  /**
   * @param chance seeded differently in every life of a member: it tells answers to the reads of
   *   one life from those of another.
   * @throws {AssertionError} when the group does not list `self`, or the restored state contradicts itself.
   */
  constructor(options: RaftOptions, restored: Restored, chance: Prng) {
    const { self, timing } = options;
    assert(options.pushesInFlightMax > 0 && options.entriesPerPushMax > 0);
    this.#options = options;
    this.#self = self;
    this.#leaderLostAfterMs = timing.heartbeatMs * timing.leaderLostAfter;

    const { firstIndex, snapshot } = restored;
    this.#snapshot = snapshot;
    const firstRun = restored.runs[0];
    const start =
      snapshot === null
        ? null
        : firstIndex > snapshot.index || firstRun === undefined
          ? { first: snapshot.index, term: snapshot.term }
          : { first: firstIndex, term: firstRun.term };
    this.#log = new TermLog(restored.runs, restored.lastIndex, start);
    this.#mustCatchUpTo = restored.mustCatchUpTo ?? logIndex(0);
    // A snapshot holds what was committed.
    this.#commitIndex = snapshot?.index ?? logIndex(0);
    this.#persisted = restored.lastIndex;
    this.#term = restored.hardState.term;
    this.#votedFor = restored.hardState.votedFor;
    assert(
      this.#log.lastTerm <= this.#term,
      `the log has entries of term ${this.#log.lastTerm}, the vote file knows ${this.#term}`,
    );
    this.#termOfEarlierLife = this.#votedFor === self ? this.#term : term(0);

    this.#membership = new Membership(
      snapshot === null
        ? { index: logIndex(0), configuration: options.configuration }
        : { index: snapshot.index, configuration: snapshot.configuration },
      restored.configurations.filter(({ index }) => index > (snapshot?.index ?? 0)),
    );
    this.#rule = options.electionRule ?? 'dledger';
    this.#election = new Election(0, timing, chance, this.#rule);
    const { lease = null } = options;
    this.#lease = lease === null ? null : new Lease(lease, this.#leaderLostAfterMs);
    this.#handover = new Handover(this.#leaderLostAfterMs);
    this.#reads = new LeaderReads(options.readsWaitingMax);
    this.#forwarded = new ForwardedReads(options.readsWaitingMax, chance.uint32());
    this.#early = new PushBuffer(options.outOfOrderMax);
    this.#useConfiguration();
    this.#role = this.#isVoter ? 'candidate' : 'learner';
  }

  /** Who belongs to the group, as far as this member's log says. */
  get configuration(): Configuration {
    return this.#membership.current;
  }

  /** Leader: a member that was heard lately is being sent the snapshot. */
  get isSendingSnapshot(): boolean {
    const { heartbeatMs, leaderLostAfter } = this.#options.timing;
    const heardSinceMs = this.#nowMs - heartbeatMs * leaderLostAfter;
    return (
      this.#role === 'leader' &&
      this.#peers.some(({ heardMs, state }) => state === 'snapshot' && heardMs >= heardSinceMs)
    );
  }

  /** Leader: up to where this member is known to hold the log, durably. */
  matchOf(member: MemberId): LogIndex {
    return this.#peerById.get(member)?.match ?? logIndex(0);
  }

  /** What a snapshot after the committed entry at `index` says of itself. */
  headAt(index: LogIndex): SnapshotHead {
    return { index, term: this.#log.termAt(index), configuration: this.#membership.at(index) };
  }

  /** A change of the group is in the log and not committed yet. */
  get isChanging(): boolean {
    return this.#membership.currentIndex > this.#commitIndex;
  }

  get role(): Role {
    return this.#role;
  }

  get term(): Term {
    return this.#term;
  }

  get leader(): MemberId | null {
    return this.#leader;
  }

  get commitIndex(): LogIndex {
    return this.#commitIndex;
  }

  get lastIndex(): LogIndex {
    return this.#log.lastIndex;
  }

  /** Until then a leader's commit index may lag behind what an earlier leader committed. */
  get hasCommittedInTerm(): boolean {
    return this.#commitIndex > 0 && this.#log.termAt(this.#commitIndex) === this.#term;
  }

  get canServeReads(): boolean {
    return this.#role === 'leader' && this.hasCommittedInTerm;
  }

  /**
   * @param elapsedMs passed since the step before. The loop caps it, so that a member that slept does
   *   not blame the leader for its own absence.
   * @returns what must be done, in this order; the array is the caller's to keep.
   */
  step(input: Input, elapsedMs = 0): Effect[] {
    assert(elapsedMs >= 0, 'time does not go back');
    this.#nowMs += elapsedMs;
    switch (input.kind) {
      case 'tick':
        this.#tick();
        break;
      case 'receive':
        this.#receive(input.message);
        break;
      case 'propose':
        this.#propose(input.bodies);
        break;
      case 'persisted':
        this.#onPersisted(input.index, input.term);
        break;
      case 'unsent':
        this.#peerById.get(input.to)?.unsent(input.first);
        break;
      case 'read':
        this.#onRead(input.read);
        break;
      case 'change-members':
        this.#changeMembers(input.change);
        break;
      case 'transfer':
        this.#transfer(input.to);
        break;
      case 'storage':
        this.#onStorage(input.state);
        break;
      case 'compacted':
        this.#onCompacted(input);
        break;
      case 'snapshot-received':
        this.#onSnapshotReceived(input.index, input.received);
        break;
      case 'snapshot-installed':
        this.#onSnapshotInstalled(input.head, input.totalBytes);
        break;
    }
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  // Time

  /**
   * For how long ticks can bring nothing, if nothing else is told meanwhile; 0 or less: not at all.
   * Limits that may be noticed a little late (a lost quorum, a hand-over) are left out.
   */
  get quietForMs(): number {
    switch (this.#role) {
      case 'leader':
        return this.#hasUnfinished
          ? 0
          : this.#lastBeatMs + this.#options.timing.heartbeatMs - this.#nowMs;
      case 'candidate':
        return this.#election.dueMs - this.#nowMs;
      default: {
        if (this.#leader === null) return Number.POSITIVE_INFINITY;
        const silentMs = this.#nowMs - this.#leaderSeenMs;
        // Once a beat is missing, whether this member or the leader was absent takes a closer look.
        const { heartbeatMs } = this.#options.timing;
        const isMissing = silentMs > heartbeatMs * MISSING_AFTER_BEATS;
        const lookMs = isMissing ? heartbeatMs * CLOSER_LOOK_BEATS : heartbeatMs;
        return Math.min(lookMs, this.#leaderLostAfterMs - silentMs);
      }
    }
  }

  /** Leader: something may have to be sent again, or told, before the next heartbeat. */
  get #hasUnfinished(): boolean {
    if (this.#log.lastIndex > this.#persisted || this.#reads.hasWaiting) return true;
    return this.#peers.some((peer) => !peer.idle || peer.commitSent < this.#commitIndex);
  }

  #tick(): void {
    switch (this.#role) {
      case 'leader':
        this.#tickLeader();
        break;
      case 'follower':
        this.#tickFollower();
        break;
      case 'candidate':
        this.#tickCandidate();
        break;
      case 'learner':
        this.#tickFollower();
        break;
    }
    const ended = this.#handover.expired(this.#nowMs);
    if (ended) this.#effects.push({ kind: 'transfer-ended', why: 'timed-out' });
  }

  #tickLeader(): void {
    if (!this.#heardFromQuorum() || this.#hasDeadDisk()) {
      this.#becomeCandidate();
      return;
    }
    this.#preferOther();
    const { retransmitAfterMs, timing } = this.#options;
    let commitUntold = false;
    for (const peer of this.#peers) {
      if (peer.overdue(this.#nowMs, retransmitAfterMs)) {
        peer.rewind();
        this.#replicate(peer);
      }
      // Under load the next push carries the commit index; when there is none, a heartbeat does.
      if (peer.idle && peer.commitSent < this.#commitIndex) commitUntold = true;
    }
    const sinceBeatMs = this.#nowMs - this.#lastBeatMs;
    const readOverdue = this.#reads.hasWaiting && sinceBeatMs >= retransmitAfterMs;
    if (commitUntold || readOverdue || sinceBeatMs >= timing.heartbeatMs) this.#beat();
  }

  /** Heartbeats from a leader whose disk is dead keep everybody waiting for writes that never end. */
  #hasDeadDisk(): boolean {
    const waits = this.#log.lastIndex > this.#persisted;
    this.#isDiskStalled = waits && this.#nowMs - this.#diskSeenMs > this.#leaderLostAfterMs;
    return this.#isDiskStalled;
  }

  #heardFromQuorum(): boolean {
    let heard = this.#isVoter ? 1 : 0;
    for (const peer of this.#peers) {
      if (peer.isVoter && this.#nowMs - peer.heardMs <= this.#leaderLostAfterMs) heard += 1;
    }
    return heard >= quorumSize(this.#scratch.length);
  }

  #tickFollower(): void {
    for (const read of this.#forwarded.expire(this.#nowMs - this.#leaderLostAfterMs)) {
      this.#effects.push({ kind: 'read-refused', read, why: 'not-leader' });
    }
    // The term stays: nobody says that its votes are spent. The next tick asks.
    if (this.#leader !== null && !this.#hearsLeader) this.#becomeCandidate();
  }

  get #hearsLeader(): boolean {
    return this.#nowMs - this.#leaderSeenMs <= this.#leaderLostAfterMs;
  }

  /** Whether this member may lead: it holds what it promised, and can write. */
  get #mayCampaign(): boolean {
    return (
      this.#isVoter &&
      !this.#isStorageFull &&
      !this.#isDiskStalled &&
      this.#receiving?.isBusy !== true &&
      // Just started, an earlier life may have promised a leader not to.
      (this.#lease === null || !this.#hearsLeader || this.#leaderSeenMs > 0) &&
      this.#commitIndex >= this.#mustCatchUpTo
    );
  }

  #tickCandidate(): void {
    const due = this.#election.due(this.#nowMs);
    if (due === 'judge') this.#judgeVotes();
    else if (due === 'ask' && this.#mayCampaign) this.#campaign();
  }

  // Elections

  #campaign(): void {
    if (this.#rule !== 'pre-vote') {
      this.#askForVotes('elect');
      return;
    }
    // Somebody is ahead of us: go there, without asking for anything in that term.
    if (this.#election.knownTerm > this.#term) {
      this.#raiseTerm(this.#election.knownTerm);
      this.#announceRole();
    }
    this.#purpose = 'ask';
    const asked = term(this.#term + 1);
    this.#election.begin(asked, this.#nowMs);
    this.#sendVotes(asked);
    if (this.#election.answer(this.#self, 'accept', this.#term)) this.#judgeVotes();
  }

  #askForVotes(purpose: 'elect' | 'transfer', isTold = false): void {
    this.#purpose = purpose;
    const mustRaise =
      isTold ||
      this.#election.mustRaiseTerm ||
      this.#rule !== 'dledger' ||
      // An earlier life may have led in this term and lost entries of it: see docs/decisions/002.
      this.#term === this.#termOfEarlierLife;
    if (mustRaise) {
      this.#term = this.#election.termAfter(this.#term);
      this.#votedFor = null;
    }
    const own = this.#judgeVote(this.#self, this.#term, this.#log.lastIndex, this.#log.lastTerm);
    const vote = own === 'accept' && this.#votedFor !== this.#self;
    if (vote) this.#votedFor = this.#self;
    if (mustRaise || vote) this.#saveHardState();
    if (mustRaise) {
      this.#forgetTerm();
      this.#announceRole();
    }

    this.#election.begin(this.#term, this.#nowMs);
    this.#sendVotes(this.#term);
    if (this.#election.answer(this.#self, own, this.#term)) this.#judgeVotes();
  }

  #sendVotes(asked: Term): void {
    for (const peer of this.#peers) {
      if (!peer.isVoter) continue;
      this.#send({
        kind: 'vote',
        from: this.#self,
        to: peer.member,
        term: asked,
        lastIndex: this.#log.lastIndex,
        lastTerm: this.#log.lastTerm,
        purpose: this.#purpose,
      });
    }
  }

  #judgeVotes(): void {
    const result = this.#election.judge(this.#nowMs);
    if (result === 'passed') {
      if (this.#purpose === 'ask') this.#askForVotes('elect');
      else this.#becomeLeader();
    } else if (result === 'revote-immediately') {
      this.#askForVotes(this.#purpose === 'transfer' ? 'transfer' : 'elect');
    }
  }

  /**
   * Whoever asks is in its own configuration a voter and takes us for one; ours may be older. So
   * votes are given by log and term alone, and counted by whoever asked.
   */
  #onVote(message: Received<'vote'>): void {
    if (this.#commitIndex < this.#mustCatchUpTo) return;
    if (message.purpose !== 'transfer' && this.#protectsLeader(message.purpose)) {
      this.#answerVote(message, 'leader-alive');
      return;
    }
    if (message.purpose === 'ask') {
      this.#answerVote(message, this.#judgeQuestion(message));
      return;
    }
    if (this.#rule !== 'dledger' && message.term > this.#term) {
      this.#raiseTerm(message.term);
      this.#becomeCandidate();
      this.#election.raisedAtOnce(this.#nowMs);
    }
    const result = this.#judgeVote(message.from, message.term, message.lastIndex, message.lastTerm);
    if (result === 'accept' && this.#votedFor !== message.from) {
      this.#votedFor = message.from;
      this.#saveHardState();
    } else if (result === 'term-not-ready') {
      // Raised at once, so that the candidate's next try, which follows at once, finds us ready.
      this.#election.noteTerm(message.term);
      this.#election.raisedAtOnce(this.#nowMs);
      this.#raiseTerm(message.term);
      this.#becomeCandidate();
    }
    this.#answerVote(message, result);
  }

  /** Leases rest on this: while a leader is heard, nobody else can become one. */
  #protectsLeader(purpose: 'elect' | 'ask'): boolean {
    if (this.#lease === null && purpose === 'elect') return false;
    if (this.#role === 'leader') return this.#heardFromQuorum();
    return this.#hearsLeader && (this.#lease !== null || this.#leader !== null);
  }

  /** What we would say if it asked in earnest, in a term to come. */
  #judgeQuestion(message: Received<'vote'>): VoteResult {
    const { lastIndex, lastTerm, term: asked } = message;
    const own = this.#log.lastTerm;
    if (lastTerm < own || (lastTerm === own && lastIndex < this.#log.lastIndex)) {
      return 'log-behind';
    }
    return asked > this.#term ? 'accept' : 'expired-term';
  }

  #judgeVote(from: MemberId, asked: Term, lastIndex: LogIndex, lastTerm: Term): VoteResult {
    return judgeVote(
      {
        term: this.#term,
        votedFor: this.#votedFor,
        leader: this.#leader,
        lastIndex: this.#log.lastIndex,
        lastTerm: this.#log.lastTerm,
      },
      { from, term: asked, lastIndex, lastTerm },
    );
  }

  #answerVote(request: Received<'vote'>, result: VoteResult): void {
    this.#send({
      kind: 'vote-result',
      from: this.#self,
      to: request.from,
      term: this.#term,
      votedTerm: request.term,
      purpose: request.purpose,
      result,
    });
  }

  #onVoteResult(message: Received<'vote-result'>): void {
    if (this.#role !== 'candidate' || !this.#election.collecting) return;
    if (message.purpose !== this.#purpose) return;
    // An answer to an earlier round of this term is as good: votes are not taken back in a term.
    if (message.votedTerm !== this.#election.termAsked) return;
    // Only those count that are voters here; what others say of terms is news all the same.
    if (this.#peerById.get(message.from)?.isVoter !== true) return;
    if (this.#rule === 'plain') this.#election.noteTerm(message.term);
    if (this.#election.answer(message.from, message.result, message.term)) this.#judgeVotes();
  }

  #becomeLeader(): void {
    // Others may have elected us in a term in which our own vote went elsewhere.
    this.#voteIsOf(this.#self);
    this.#role = 'leader';
    this.#leader = this.#self;
    this.#announceRole();
    const lastIndex = this.#log.lastIndex;
    for (const peer of this.#peers) peer.reset(lastIndex, this.#nowMs);
    this.#lease?.begin();
    this.#handover.began(this.#nowMs);
    this.#append([noOp], 'data');
    for (const peer of this.#peers) this.#replicate(peer);
    this.#beat();
  }

  /** In the term we are in. */
  #becomeCandidate(): void {
    this.#leaveRole();
    this.#announceRole();
  }

  #leaveRole(): void {
    this.#role = this.#isVoter ? 'candidate' : 'learner';
    this.#leader = null;
    this.#refuseReads();
  }

  #follow(leader: MemberId): void {
    this.#role = this.#isVoter ? 'follower' : 'learner';
    this.#leader = leader;
    this.#voteIsOf(leader);
    this.#election.followed();
    const { to } = this.#handover;
    if (to !== null) {
      this.#handover.end(this.#nowMs);
      this.#effects.push({ kind: 'transfer-ended', why: to === leader ? null : 'lost' });
    }
    this.#announceRole();
  }

  /**
   * A term that has a leader has no votes left but the leader's, or a changed group could elect another
   * in it, or the leader's next life once more: DLedger's rounds ask again in the term that the group
   * has (docs/decisions/009).
   */
  #voteIsOf(leader: MemberId): void {
    if (this.#votedFor === leader) return;
    this.#votedFor = leader;
    this.#saveHardState();
  }

  /** To a term that somebody else is already in. @param votedFor its leader, if that is known. */
  #raiseTerm(to: Term, votedFor: MemberId | null = null): void {
    assert(to > this.#term);
    this.#term = to;
    this.#votedFor = votedFor;
    this.#saveHardState();
    this.#forgetTerm();
  }

  /** What we knew of the old term's leader says nothing about the next. */
  #forgetTerm(): void {
    this.#matched = logIndex(0);
    this.#behind = null;
    this.#acked = logIndex(0);
    this.#early.clear();
    // What is being installed is committed, whoever sent it; what is still coming in is not.
    if (this.#receiving?.isBusy === false) this.#receiving = null;
  }

  #refuseReads(): void {
    for (const { read, asker } of this.#reads.giveUp()) {
      if (asker === null) this.#effects.push({ kind: 'read-refused', read, why: 'not-leader' });
      else this.#answerForwarded(asker, read, null);
    }
    for (const read of this.#forwarded.giveUp()) {
      this.#effects.push({ kind: 'read-refused', read, why: 'not-leader' });
    }
  }

  /**
   * A message that only a leader sends: follows it, whatever we were.
   * @returns false when its term is over.
   */
  #hearLeader(message: Received<'heartbeat' | 'snapshot' | 'take-over'> | Push): boolean {
    if (message.term < this.#term) return false;
    if (message.term > this.#term) {
      // Upstream raises the term, answers "not ready" and has the leader repeat itself at once.
      this.#raiseTerm(message.term, message.from);
      this.#leaveRole();
    }
    const isRival = this.#leader !== null && this.#leader !== message.from;
    if (this.#role === 'leader' || isRival) {
      // There is one leader in a term: whoever sent this is none.
      this.protocolViolations += 1;
      return false;
    }
    if (this.#leader === null) this.#follow(message.from);
    this.#leaderSeenMs = this.#nowMs;
    return true;
  }

  /** Whether an acknowledgement concerns the term that we lead in now. */
  #hearFollower(peer: Progress, message: Message): boolean {
    if (message.term > this.#term) {
      this.#election.noteTerm(message.term);
      if (this.#role === 'leader') this.#becomeCandidate();
      return false;
    }
    if (message.term < this.#term || this.#role !== 'leader') return false;
    peer.heardMs = this.#nowMs;
    return true;
  }

  // Messages

  #receive(message: Message): void {
    if (message.to !== this.#self) return;
    const peer = this.#peerById.get(message.from);
    switch (message.kind) {
      // A leader may have joined after the end of our log, and so may a candidate.
      case 'push':
        this.#onPush(message);
        break;
      case 'heartbeat':
        this.#onHeartbeat(message);
        break;
      case 'snapshot':
        this.#onSnapshot(message);
        break;
      case 'take-over':
        this.#onTakeOver(message);
        break;
      case 'push-ack':
        if (peer !== undefined) this.#onPushAck(peer, message);
        break;
      case 'heartbeat-ack':
        if (peer !== undefined) this.#onHeartbeatAck(peer, message);
        break;
      case 'snapshot-ack':
        if (peer !== undefined) this.#onSnapshotAck(peer, message);
        break;
      case 'vote':
        this.#onVote(message);
        break;
      case 'vote-result':
        this.#onVoteResult(message);
        break;
      case 'read-index':
        this.#onReadIndex(message);
        break;
      case 'read-index-result':
        this.#onReadIndexResult(message);
        break;
    }
  }

  // Leading

  #propose(bodies: readonly Uint8Array[]): void {
    assert(bodies.length > 0, 'a proposal has at least one entry');
    if (this.#role !== 'leader') {
      this.#effects.push({ kind: 'proposal-refused', why: 'not-leader' });
      return;
    }
    if (this.#handover.to !== null) {
      this.#effects.push({ kind: 'proposal-refused', why: 'transferring' });
      return;
    }
    const uncommitted = this.#log.lastIndex - this.#commitIndex;
    if (uncommitted + bodies.length > this.#options.uncommittedMax) {
      this.#effects.push({ kind: 'proposal-refused', why: 'busy' });
      return;
    }
    this.#take(bodies, 'data');
  }

  #take(bodies: readonly Uint8Array[], kind: EntryKind): void {
    const first = logIndex(this.#log.lastIndex + 1);
    const last = logIndex(this.#log.lastIndex + bodies.length);
    this.#effects.push({ kind: 'proposed', first, last, term: this.#term });
    this.#append(bodies, kind);
    for (const peer of this.#peers) this.#replicate(peer);
  }

  #append(bodies: readonly Uint8Array[], kind: EntryKind): void {
    if (this.#persisted === this.#log.lastIndex) this.#diskSeenMs = this.#nowMs;
    const entries: Entry[] = [];
    let index = this.#log.lastIndex as number;
    for (const body of bodies) {
      index += 1;
      entries.push({ term: this.#term, index: index as LogIndex, kind, body });
    }
    this.#log.append(logIndex(index), this.#term);
    this.#effects.push({ kind: 'append', entries });
    // In force from the moment when it is in the log (thesis §4.1).
    if (kind === 'configuration') this.#adoptConfigurations(entries);
  }

  /** Sends what the follower's window allows. */
  #replicate(peer: Progress): void {
    const lastIndex = this.#log.lastIndex;
    if (peer.next <= this.#log.floor) {
      this.#sendSnapshot(peer);
      return;
    }
    while (peer.maySend(lastIndex)) {
      const first = peer.next;
      const prevIndex = logIndex(first - 1);
      const last =
        peer.state === 'compare'
          ? prevIndex
          : logIndex(Math.min(lastIndex, prevIndex + this.#options.entriesPerPushMax));
      this.#effects.push({
        kind: 'send-push',
        to: peer.member,
        term: this.#term,
        prevIndex,
        prevTerm: this.#log.termAt(prevIndex),
        commitIndex: this.#commitIndex,
        first,
        last,
      });
      peer.commitSent = this.#commitIndex;
      peer.sent(last, this.#nowMs);
    }
  }

  #onPushAck(peer: Progress, message: Received<'push-ack'>): void {
    if (!this.#hearFollower(peer, message)) return;
    if (message.index > this.#log.lastIndex && message.result === 'matched') return;
    if (message.result === 'matched') {
      peer.matched(message.index);
      if (peer.isVoter) this.#advanceCommit();
      if (this.#handover.to === peer.member) this.#tryHandover(peer);
    } else {
      peer.mismatched(message.prevIndex, message.index);
    }
    this.#replicate(peer);
  }

  #onPersisted(index: LogIndex, ofTerm: Term): void {
    // Cut off since, and perhaps replaced: then it was another entry that became durable.
    if (!this.#log.holds(index, ofTerm)) return;
    if (index <= this.#persisted) return;
    this.#persisted = index;
    this.#diskSeenMs = this.#nowMs;
    if (index === this.#log.lastIndex) this.#isDiskStalled = false;
    if (this.#role === 'leader') this.#advanceCommit();
    else if (this.#leader !== null) this.#acknowledge('news');
  }

  /** Only entries of this term are counted; they carry the older ones with them (thesis §3.6.2). */
  #advanceCommit(): void {
    const reached = this.#scratch;
    let at = 0;
    if (this.#isVoter) {
      reached[0] = this.#persisted;
      at = 1;
    }
    for (let i = 0; i < this.#peers.length; i += 1) {
      const peer = this.#peers[i] as Progress;
      if (!peer.isVoter) continue;
      reached[at] = peer.match;
      at += 1;
    }
    const quorum = logIndex(reachedByQuorum(reached));
    if (quorum <= this.#commitIndex || this.#log.termAt(quorum) !== this.#term) return;
    this.#commitIndex = quorum;
    this.#effects.push({ kind: 'commit', index: quorum });
    this.#reads.admitEarly(quorum);
    if (!this.#isVoter && !this.isChanging) this.#leaveGroup();
    else if (this.#reads.needsRound) this.#beat();
  }

  /** Our own removal is committed: whoever is furthest takes over at once. */
  #leaveGroup(): void {
    this.#beat();
    let best: Progress | null = null;
    for (const peer of this.#peers) {
      if (peer.isVoter && (best === null || peer.match > best.match)) best = peer;
    }
    if (best !== null) this.#sendTakeOver(best);
    this.#becomeCandidate();
  }

  #beat(): void {
    this.#lastBeatMs = this.#nowMs;
    const round = this.#reads.startRound();
    for (const peer of this.#peers) {
      peer.commitSent = this.#commitIndex;
      this.#send({
        kind: 'heartbeat',
        from: this.#self,
        to: peer.member,
        term: this.#term,
        commitIndex: this.#commitIndex,
        round,
      });
    }
    this.#lease?.sent(round);
    if (this.#scratch.length === 1 && this.#isVoter) this.#confirmReads();
  }

  #onHeartbeatAck(peer: Progress, message: Received<'heartbeat-ack'>): void {
    if (!this.#hearFollower(peer, message)) return;
    if (message.round <= peer.roundAcked || message.round > this.#reads.roundSent) return;
    peer.roundAcked = message.round;
    if (peer.isVoter) this.#confirmReads();
  }

  // Following

  #onHeartbeat(message: Received<'heartbeat'>): void {
    if (this.#hearLeader(message)) {
      this.#followCommit(message.commitIndex);
      if (this.#isLeftBehind(message.commitIndex)) this.#refusePush(message.from, null);
    }
    this.#send({
      kind: 'heartbeat-ack',
      from: this.#self,
      to: message.from,
      term: this.#term,
      round: message.round,
    });
  }

  /**
   * Whether to ask to be compared, because the leader will not: with nothing new to be pushed, it
   * is content with what an earlier life of ours acknowledged, and this life does not know of.
   */
  #isLeftBehind(commitIndex: LogIndex): boolean {
    const matched = this.#matched;
    if (matched >= commitIndex) return false;
    if (matched === 0) return true; // Restarted in the middle of a term.
    if (this.#behind?.matched !== matched) {
      this.#behind = { matched, sinceMs: this.#nowMs };
      return false;
    }
    // A push that is lost is sent again before that, and then the leader compares by itself.
    if (this.#nowMs - this.#behind.sinceMs <= 2 * this.#options.retransmitAfterMs) return false;
    this.#behind = null;
    return true;
  }

  #onPush(push: Push): void {
    if (!this.#hearLeader(push)) {
      this.#refusePush(push.from, push.prevIndex); // Our higher term is the answer.
      return;
    }
    // A full disk takes nothing; a log that is about to be replaced needs nothing.
    const takesNone = this.#isStorageFull || this.#receiving?.isBusy === true;
    if (takesNone && push.entries.length > 0) return;
    if (push.prevIndex > this.#log.lastIndex && push.entries.length > 0) {
      this.#early.keep(push);
      return;
    }
    // What lies before the floor is committed, and matches every leader.
    const isKnown = push.prevIndex < this.#log.floor;
    if (!isKnown && !this.#log.holds(push.prevIndex, push.prevTerm)) {
      this.#refusePush(push.from, push.prevIndex);
      return;
    }
    let fresh = this.#takeEntries(push);
    let commitIndex = push.commitIndex;
    for (;;) {
      const next = this.#early.takeFollowing(this.#matched);
      if (next === undefined) break;
      const more = this.#takeEntries(next);
      // One append, so that one flush and one ack cover the gap and all that waited behind it.
      if (more.length > 0) fresh = fresh.length === 0 ? more : [...fresh, ...more];
      if (next.commitIndex > commitIndex) commitIndex = next.commitIndex;
    }
    if (fresh.length > 0) {
      if (this.#persisted === (fresh[0] as Entry).index - 1) this.#diskSeenMs = this.#nowMs;
      this.#effects.push({ kind: 'append', entries: fresh });
      this.#adoptConfigurations(fresh);
    }
    this.#followCommit(commitIndex);
    // What was appended is acknowledged when it is durable; what we had is acknowledged again.
    if (fresh.length === 0) this.#acknowledge('again');
  }

  /** Takes over what we do not hold yet, and returns it. The push must match at its `prevIndex`. */
  #takeEntries({ entries, prevIndex }: Push): readonly Entry[] {
    const end = logIndex(prevIndex + entries.length);
    let held = Math.max(0, Math.min(entries.length, this.#log.floor - prevIndex));
    while (held < entries.length) {
      const entry = entries[held] as Entry;
      assert(entry.index === prevIndex + held + 1, 'a push has a gap');
      if (!this.#log.holds(entry.index, entry.term)) break;
      held += 1;
    }
    if (end > this.#matched) this.#matched = end;
    if (held === entries.length) return [];
    this.#cutConflict(logIndex(prevIndex + held));
    const fresh = held === 0 ? entries : entries.slice(held);
    for (const entry of fresh) this.#log.append(entry.index, entry.term);
    return fresh;
  }

  /** What we have after `index` is not what the leader has there. */
  #cutConflict(index: LogIndex): void {
    if (index === this.#log.lastIndex) return;
    assert(index >= this.#commitIndex, `committed entries after ${index} would be cut`);
    this.#log.truncate(index);
    if (this.#persisted > index) this.#persisted = index;
    this.#effects.push({ kind: 'truncate', after: index });
    if (this.#membership.truncate(index)) this.#configurationChanged();
  }

  #followCommit(leaderCommit: LogIndex): void {
    // Beyond what matches, our entries may be others than those that were committed.
    const index = logIndex(Math.min(leaderCommit, this.#matched));
    if (index <= this.#commitIndex) return;
    // The state is about to become a snapshot's: it must not be older than what is applied.
    if (this.#receiving?.isBusy === true) return;
    this.#commitIndex = index;
    this.#effects.push({ kind: 'commit', index });
  }

  /** Tells the leader what we hold of its log durably; `news`: only when it was not told already. */
  #acknowledge(how: 'news' | 'again'): void {
    const index = logIndex(Math.min(this.#matched, this.#persisted));
    if (how === 'news' && index <= this.#acked) return;
    assert(this.#leader !== null);
    this.#acked = index;
    this.#send({
      kind: 'push-ack',
      from: this.#self,
      to: this.#leader,
      term: this.#term,
      result: 'matched',
      index,
    });
  }

  /** @param prevIndex where there was no match; null when nothing was asked yet. */
  #refusePush(leader: MemberId, prevIndex: LogIndex | null): void {
    const { lastIndex } = this.#log;
    // Our whole run of that term is passed over at once; what is committed matches every leader.
    const index =
      prevIndex === null || prevIndex > lastIndex
        ? lastIndex
        : Math.max(this.#commitIndex, this.#log.runStart(prevIndex) - 1, 0);
    this.#send({
      kind: 'push-ack',
      from: this.#self,
      to: leader,
      term: this.#term,
      result: 'mismatch',
      prevIndex: prevIndex ?? logIndex(lastIndex + 1),
      index: logIndex(index),
    });
  }

  // Reads

  #onRead(read: number): void {
    if (this.#role === 'leader') {
      if (this.#holdsLease) {
        this.#effects.push({ kind: 'read-ready', read, index: this.#commitIndex });
        return;
      }
      if (this.#queueRead(read, null) === 'waits') return;
      this.#effects.push({ kind: 'read-refused', read, why: 'busy' });
      return;
    }
    if (this.#leader === null) {
      this.#effects.push({ kind: 'read-refused', read, why: 'not-leader' });
      return;
    }
    const id = this.#forwarded.add(read, this.#nowMs);
    if (id === 'busy') {
      this.#effects.push({ kind: 'read-refused', read, why: 'busy' });
      return;
    }
    this.#send({
      kind: 'read-index',
      from: this.#self,
      to: this.#leader,
      term: this.#term,
      read: id,
    });
  }

  #onReadIndex(message: Received<'read-index'>): void {
    const mine = this.#role === 'leader' && message.term === this.#term;
    if (mine && this.#holdsLease) {
      this.#answerForwarded(message.from, message.read, this.#commitIndex);
      return;
    }
    if (mine && this.#queueRead(message.read, message.from) === 'waits') return;
    this.#answerForwarded(message.from, message.read, null);
  }

  #onReadIndexResult(message: Received<'read-index-result'>): void {
    const read = this.#forwarded.take(message.read);
    if (read === undefined) return;
    if (message.index === null)
      this.#effects.push({ kind: 'read-refused', read, why: 'not-leader' });
    else this.#effects.push({ kind: 'read-ready', read, index: message.index });
  }

  /** Nobody else can lead yet, and nothing that was committed before us is unknown to us. */
  get #holdsLease(): boolean {
    return this.#lease?.isHeld === true && this.hasCommittedInTerm && this.#handover.to === null;
  }

  #queueRead(read: number, asker: MemberId | null): 'waits' | 'busy' {
    const commitIndex = this.hasCommittedInTerm ? this.#commitIndex : null;
    const answer = this.#reads.add(read, { asker, commitIndex });
    if (answer === 'waits' && this.#reads.needsRound) this.#beat();
    return answer;
  }

  #confirmReads(): void {
    const reached = this.#scratch;
    let at = 0;
    if (this.#isVoter) {
      reached[0] = this.#reads.roundSent;
      at = 1;
    }
    for (let i = 0; i < this.#peers.length; i += 1) {
      const peer = this.#peers[i] as Progress;
      if (!peer.isVoter) continue;
      reached[at] = peer.roundAcked;
      at += 1;
    }
    const confirmed = reachedByQuorum(reached);
    this.#lease?.confirmed(confirmed);
    for (const { read, asker, index } of this.#reads.confirm(confirmed)) {
      if (asker === null) this.#effects.push({ kind: 'read-ready', read, index });
      else this.#answerForwarded(asker, read, index);
    }
    if (this.#reads.needsRound) this.#beat();
  }

  #answerForwarded(asker: MemberId, read: number, index: LogIndex | null): void {
    this.#send({
      kind: 'read-index-result',
      from: this.#self,
      to: asker,
      term: this.#term,
      read,
      index,
    });
  }

  // Membership

  #changeMembers(change: MembershipChange): void {
    const why = this.#refusalOf(change);
    if (why !== null) this.#effects.push({ kind: 'change-refused', why });
    else this.#take([this.#membership.encoded(change)], 'configuration');
  }

  #refusalOf(change: MembershipChange): ChangeRefusal | null {
    if (this.#role !== 'leader') return 'not-leader';
    // Before its own first commit a leader may not know of a change that is pending (the bug of
    // single-server changes, raft-dev 2015).
    if (this.isChanging || !this.hasCommittedInTerm || this.#handover.to !== null) return 'pending';
    const why = this.#membership.refusalOf(change);
    if (why !== null || change.kind !== 'promote') return why;
    const { heardMs, match } = this.#peerById.get(change.id) as Progress;
    // However short the log: a voter that nobody hears, or that cannot write, may cost the majority.
    const isFollowing = match > 0 && this.#nowMs - heardMs <= this.#leaderLostAfterMs;
    const lag = this.#log.lastIndex - match;
    return isFollowing && lag <= this.#options.entriesPerPushMax ? null : 'not-caught-up';
  }

  #adoptConfigurations(entries: readonly Entry[]): void {
    if (this.#membership.append(entries)) this.#configurationChanged();
  }

  #configurationChanged(): void {
    this.#useConfiguration();
    const { current: configuration, currentIndex: index } = this.#membership;
    this.#effects.push({ kind: 'configuration', configuration, index });
    const role = this.#roleByMembership();
    if (role === this.#role) return;
    this.#role = role;
    this.#announceRole();
  }

  #roleByMembership(): Role {
    if (this.#role === 'leader') return 'leader'; // Until its removal is committed.
    if (!this.#isVoter) return 'learner';
    if (this.#role !== 'learner') return this.#role;
    return this.#leader === null ? 'candidate' : 'follower';
  }

  /** Peers that stay keep what is known of them. */
  #useConfiguration(): void {
    const { current } = this.#membership;
    const voters = votersOf(current);
    this.#isVoter = voters.includes(this.#self);
    this.#scratch = new Array<number>(voters.length).fill(0);
    this.#election.setVoters(voters.length);
    this.#peers = current
      .filter(({ id }) => id !== this.#self)
      .map(({ id, role }) => {
        const known = this.#peerById.get(id);
        const peer = known ?? new Progress(id, this.#options.pushesInFlightMax, false);
        if (known === undefined) peer.reset(this.#log.lastIndex, this.#nowMs);
        peer.isVoter = role === 'voter';
        return peer;
      });
    this.#peerById = new Map(this.#peers.map((peer) => [peer.member, peer]));
  }

  // Handing over

  #transfer(to: MemberId): void {
    const peer = this.#peerById.get(to);
    const why = this.#transferRefusal(to, peer);
    if (why !== null || peer === undefined) {
      this.#effects.push({ kind: 'transfer-ended', why });
      return;
    }
    this.#handover.begin(to, this.#nowMs);
    this.#tryHandover(peer);
  }

  #transferRefusal(to: MemberId, peer: Progress | undefined): TransferRefusal | null {
    if (this.#role !== 'leader') return 'not-leader';
    if (this.#handover.to !== null || this.isChanging) return 'pending';
    if (to === this.#self) return null; // It leads already.
    if (peer === undefined) return 'unknown-member';
    return peer.isVoter ? null : 'not-a-voter';
  }

  /** Once the target holds all that we hold, it may ask for votes. */
  #tryHandover(peer: Progress): void {
    if (this.#handover.isSent || peer.match !== this.#log.lastIndex) return;
    this.#handover.sent();
    this.#sendTakeOver(peer);
  }

  #sendTakeOver(peer: Progress): void {
    // It may ask for votes whenever this arrives: from now on we cannot know that nobody else leads.
    this.#lease?.spoil();
    const { member: to } = peer;
    this.#send({ kind: 'take-over', from: this.#self, to, term: this.#term });
  }

  #onTakeOver(message: Received<'take-over'>): void {
    if (!this.#hearLeader(message) || !this.#mayCampaign) return;
    this.#becomeCandidate();
    this.#askForVotes('transfer', true);
  }

  /** A leader that others should be hands over when the preferred one is in step, and not too often. */
  #preferOther(): void {
    const { preferredLeader = null } = this.#options;
    if (preferredLeader === null || preferredLeader === this.#self) return;
    if (!this.#handover.mayPrefer(this.#nowMs) || this.isChanging) return;
    const peer = this.#peerById.get(preferredLeader);
    if (peer === undefined || !peer.isVoter || peer.match !== this.#log.lastIndex) return;
    this.#handover.begin(preferredLeader, this.#nowMs);
    this.#tryHandover(peer);
  }

  // Storage

  #onStorage(state: 'full' | 'writable'): void {
    this.#isStorageFull = state === 'full';
    if (!this.#isStorageFull || this.#role !== 'leader') return;
    for (const peer of this.#peers) {
      if (!peer.isVoter || peer.match !== this.#log.lastIndex) continue;
      this.#sendTakeOver(peer);
      break;
    }
    this.#becomeCandidate();
  }

  // Snapshots

  #onCompacted(input: Extract<Input, { kind: 'compacted' }>): void {
    const { firstIndex, head, totalBytes } = input;
    assert(head.index <= this.#commitIndex, 'a snapshot of what is not committed');
    this.#snapshot = { ...head, totalBytes };
    this.#membership.compact(head);
    this.#log.compact(logIndex(Math.min(firstIndex, head.index)));
  }

  #sendSnapshot(peer: Progress): void {
    const snapshot = this.#snapshot;
    assert(snapshot !== null, 'the log begins after a snapshot that is not there');
    peer.needsSnapshot(snapshot.index);
    if (!peer.maySend(this.#log.lastIndex)) return;
    const { configuration, index, term: snapshotTerm, totalBytes } = snapshot;
    this.#effects.push({
      kind: 'send-snapshot',
      to: peer.member,
      term: this.#term,
      head: { index, term: snapshotTerm, configuration },
      totalBytes,
      offset: peer.snapshotOffset,
    });
    peer.sent(index, this.#nowMs);
  }

  #onSnapshotAck(peer: Progress, message: Received<'snapshot-ack'>): void {
    if (!this.#hearFollower(peer, message)) return;
    const snapshot = this.#snapshot;
    if (peer.state !== 'snapshot' || snapshot === null) return;
    if (message.index !== peer.snapshotIndex || message.index !== snapshot.index) return;
    if (message.received >= snapshot.totalBytes) {
      peer.snapshotInstalled(message.index);
      if (peer.isVoter) this.#advanceCommit();
    } else {
      peer.snapshotReceived(message.received);
    }
    this.#replicate(peer);
  }

  #onSnapshot(message: Received<'snapshot'>): void {
    const { bytes, from, head, offset, totalBytes } = message;
    if (!this.#hearLeader(message)) {
      this.#ackSnapshot(from, head.index, 0);
      return;
    }
    if (head.index <= this.#commitIndex) {
      this.#ackSnapshot(from, head.index, totalBytes);
      return;
    }
    if (this.#isStorageFull || this.#receiving?.isBusy === true) return;
    const known = this.#receiving;
    const isSame =
      known !== null &&
      known.from === from &&
      known.index === head.index &&
      known.totalBytes === totalBytes;
    if (offset !== (isSame ? known.received : 0)) {
      this.#ackSnapshot(from, head.index, isSame ? known.received : 0);
      return;
    }
    const received = isSame ? known.received : 0;
    this.#receiving = { from, index: head.index, totalBytes, received, isBusy: true };
    this.#effects.push({ kind: 'receive-snapshot', head, totalBytes, offset, bytes });
  }

  #onSnapshotReceived(index: LogIndex, received: number): void {
    const receiving = this.#receiving;
    if (receiving === null || receiving.index !== index) return;
    receiving.received = received;
    receiving.isBusy = false;
    // What found no room is not answered: the leader sends it again when it has waited long enough.
    if (received === 0 || this.#leader !== receiving.from) this.#receiving = null;
    else this.#ackSnapshot(receiving.from, index, received);
  }

  #onSnapshotInstalled(head: SnapshotHead, totalBytes: number): void {
    const { index, term: headTerm } = head;
    assert(index > this.#commitIndex, 'a snapshot was installed over newer state');
    this.#receiving = null;
    this.#snapshot = { ...head, totalBytes };
    if (this.#log.holds(index, headTerm)) {
      this.#log.compact(index);
    } else {
      this.#log.reset(index, headTerm);
      this.#persisted = index;
      this.#membership.reset();
    }
    this.#membership.compact(head);
    this.#configurationChanged();
    if (this.#persisted < index) this.#persisted = index;
    this.#commitIndex = index;
    this.#early.clear();
    if (this.#leader === null || this.#role === 'leader') return;
    if (index > this.#matched) this.#matched = index;
    this.#ackSnapshot(this.#leader, index, totalBytes);
  }

  #ackSnapshot(to: MemberId, index: LogIndex, received: number): void {
    this.#send({ kind: 'snapshot-ack', from: this.#self, to, term: this.#term, index, received });
  }

  // Effects

  #send(message: Message): void {
    this.#effects.push({ kind: 'send', message });
  }

  #saveHardState(): void {
    this.#effects.push({
      kind: 'save-hard-state',
      state: { term: this.#term, votedFor: this.#votedFor },
    });
  }

  #announceRole(): void {
    this.#effects.push({
      kind: 'role',
      role: this.#role,
      term: this.#term,
      leader: this.#leader,
    });
  }
}
