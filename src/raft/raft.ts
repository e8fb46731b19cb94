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
import { Election, judgeVote } from './election.js';
import { TermLog } from './log.js';
import { Progress } from './progress.js';
import { type Push, PushBuffer } from './push-buffer.js';
import { quorumSize, reachedByQuorum } from './quorum.js';
import { ForwardedReads, LeaderReads } from './read-index.js';
import type {
  Effect,
  Entry,
  HardState,
  Input,
  MemberId,
  Message,
  RaftOptions,
  Role,
  TermRun,
  VoteResult,
} from './types.js';

type Received<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

/** What a member finds in its store when it starts. */
export interface Restored {
  readonly hardState: HardState;
  readonly runs: readonly TermRun[];
  readonly lastIndex: LogIndex;
}

const noOp = new Uint8Array(0);

export class Raft {
  readonly #options: RaftOptions;
  readonly #self: MemberId;
  readonly #log: TermLog;
  readonly #election: Election;
  readonly #peers: readonly Progress[];
  readonly #peerById: ReadonlyMap<MemberId, Progress>;
  readonly #leaderLostAfterMs: number;
  /** For medians; its length is the size of the group. */
  readonly #scratch: number[];

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

  /** Follower: when the leader last gave a sign of life. */
  #leaderSeenMs = 0;
  /** Follower: our log is the leader's log up to here. A leader's log only grows, so good for the term. */
  #matched: LogIndex = logIndex(0);
  /** Follower: what the leader was last told. */
  #acked: LogIndex = logIndex(0);
  readonly #early: PushBuffer;
  readonly #forwarded: ForwardedReads;

  /** Leader: when it last sent heartbeats. */
  #lastBeatMs = 0;
  readonly #reads: LeaderReads;

  /**
   * @param chance seeded differently in every life of a member: it tells answers to the reads of
   *   one life from those of another.
   * @throws {AssertionError} when the group does not list `self`, or the restored state contradicts itself.
   */
  constructor(options: RaftOptions, restored: Restored, chance: Prng) {
    const { self, members, timing } = options;
    assert(members.includes(self), `${self} is not a member of the group`);
    assert(new Set(members).size === members.length, 'a member is listed twice');
    assert(options.pushesInFlightMax > 0 && options.entriesPerPushMax > 0);
    this.#options = options;
    this.#self = self;
    this.#leaderLostAfterMs = timing.heartbeatMs * timing.leaderLostAfter;

    this.#log = new TermLog(restored.runs, restored.lastIndex);
    this.#persisted = restored.lastIndex;
    this.#term = restored.hardState.term;
    this.#votedFor = restored.hardState.votedFor;
    assert(
      this.#log.lastTerm <= this.#term,
      `the log has entries of term ${this.#log.lastTerm}, the vote file knows ${this.#term}`,
    );
    this.#termOfEarlierLife = this.#votedFor === self ? this.#term : term(0);

    this.#election = new Election(members.length, timing, chance);
    this.#reads = new LeaderReads(options.readsWaitingMax);
    this.#forwarded = new ForwardedReads(options.readsWaitingMax, chance.uint32());
    this.#early = new PushBuffer(options.outOfOrderMax);
    this.#peers = members
      .filter((member) => member !== self)
      .map((member) => new Progress(member, options.pushesInFlightMax));
    this.#peerById = new Map(this.#peers.map((peer) => [peer.member, peer]));
    this.#scratch = new Array<number>(members.length).fill(0);
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

  /** @returns what must be done, in this order; the array is the caller's to keep. */
  step(input: Input): Effect[] {
    switch (input.kind) {
      case 'tick':
        this.#tick(input.elapsedMs);
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
      case 'read':
        this.#onRead(input.read);
        break;
    }
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  // Time

  #tick(elapsedMs: number): void {
    assert(elapsedMs >= 0, 'time does not go back');
    this.#nowMs += elapsedMs;
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
    }
  }

  #tickLeader(): void {
    if (!this.#heardFromQuorum()) {
      this.#becomeCandidate();
      return;
    }
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

  #heardFromQuorum(): boolean {
    let heard = 1;
    for (const peer of this.#peers) {
      if (this.#nowMs - peer.heardMs <= this.#leaderLostAfterMs) heard += 1;
    }
    return heard >= quorumSize(this.#scratch.length);
  }

  #tickFollower(): void {
    for (const read of this.#forwarded.expire(this.#nowMs - this.#leaderLostAfterMs)) {
      this.#effects.push({ kind: 'read-refused', read, why: 'not-leader' });
    }
    // The term stays: nobody says that its votes are spent. The next tick asks.
    if (this.#nowMs - this.#leaderSeenMs > this.#leaderLostAfterMs) this.#becomeCandidate();
  }

  #tickCandidate(): void {
    const due = this.#election.due(this.#nowMs);
    if (due === 'ask') this.#askForVotes();
    else if (due === 'judge') this.#judgeVotes();
  }

  // Elections

  #askForVotes(): void {
    const mustRaise =
      this.#election.mustRaiseTerm ||
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
    for (const peer of this.#peers) {
      this.#send({
        kind: 'vote',
        from: this.#self,
        to: peer.member,
        term: this.#term,
        lastIndex: this.#log.lastIndex,
        lastTerm: this.#log.lastTerm,
      });
    }
    if (this.#election.answer(this.#self, own, this.#term)) this.#judgeVotes();
  }

  #judgeVotes(): void {
    const result = this.#election.judge(this.#nowMs);
    if (result === 'passed') this.#becomeLeader();
    else if (result === 'revote-immediately') this.#askForVotes();
  }

  #onVote(message: Received<'vote'>): void {
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
      result,
    });
  }

  #onVoteResult(message: Received<'vote-result'>): void {
    if (this.#role !== 'candidate' || !this.#election.collecting) return;
    // An answer to an earlier round of this term is as good: votes are not taken back in a term.
    if (message.votedTerm !== this.#term) return;
    if (this.#election.answer(message.from, message.result, message.term)) this.#judgeVotes();
  }

  #becomeLeader(): void {
    this.#role = 'leader';
    this.#leader = this.#self;
    this.#announceRole();
    const lastIndex = this.#log.lastIndex;
    for (const peer of this.#peers) peer.reset(lastIndex, this.#nowMs);
    this.#append([noOp]);
    for (const peer of this.#peers) this.#replicate(peer);
    this.#beat();
  }

  /** In the term we are in. */
  #becomeCandidate(): void {
    this.#leaveRole();
    this.#announceRole();
  }

  #leaveRole(): void {
    this.#role = 'candidate';
    this.#leader = null;
    this.#refuseReads();
  }

  #follow(leader: MemberId): void {
    this.#role = 'follower';
    this.#leader = leader;
    this.#election.followed();
    this.#announceRole();
  }

  /** To a term that somebody else is already in. */
  #raiseTerm(to: Term): void {
    assert(to > this.#term);
    this.#term = to;
    this.#votedFor = null;
    this.#saveHardState();
    this.#forgetTerm();
  }

  /** What we knew of the old term's leader says nothing about the next. */
  #forgetTerm(): void {
    this.#matched = logIndex(0);
    this.#acked = logIndex(0);
    this.#early.clear();
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
  #hearLeader(message: Received<'heartbeat'> | Push): boolean {
    if (message.term < this.#term) return false;
    if (message.term > this.#term) {
      // Upstream raises the term, answers "not ready" and has the leader repeat itself at once.
      this.#raiseTerm(message.term);
      this.#leaveRole();
    }
    assert(this.#role !== 'leader', `two leaders in term ${this.#term}`);
    if (this.#leader === null) this.#follow(message.from);
    assert(this.#leader === message.from, `two leaders in term ${this.#term}`);
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
    if (peer === undefined) {
      if (message.kind === 'vote') this.#answerVote(message, 'unknown-member');
      return;
    }
    switch (message.kind) {
      case 'push':
        this.#onPush(message);
        break;
      case 'push-ack':
        this.#onPushAck(peer, message);
        break;
      case 'heartbeat':
        this.#onHeartbeat(message);
        break;
      case 'heartbeat-ack':
        this.#onHeartbeatAck(peer, message);
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
    const uncommitted = this.#log.lastIndex - this.#commitIndex;
    if (uncommitted + bodies.length > this.#options.uncommittedMax) {
      this.#effects.push({ kind: 'proposal-refused', why: 'busy' });
      return;
    }
    const first = logIndex(this.#log.lastIndex + 1);
    const last = logIndex(this.#log.lastIndex + bodies.length);
    this.#effects.push({ kind: 'proposed', first, last, term: this.#term });
    this.#append(bodies);
    for (const peer of this.#peers) this.#replicate(peer);
  }

  #append(bodies: readonly Uint8Array[]): void {
    const entries: Entry[] = [];
    let index = this.#log.lastIndex as number;
    for (const body of bodies) {
      index += 1;
      entries.push({ term: this.#term, index: index as LogIndex, body });
    }
    this.#log.append(logIndex(index), this.#term);
    this.#effects.push({ kind: 'append', entries });
  }

  /** Sends what the follower's window allows. */
  #replicate(peer: Progress): void {
    const lastIndex = this.#log.lastIndex;
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
      this.#advanceCommit();
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
    if (this.#role === 'leader') this.#advanceCommit();
    else if (this.#leader !== null) this.#acknowledge('news');
  }

  /** Only entries of this term are counted; they carry the older ones with them (thesis §3.6.2). */
  #advanceCommit(): void {
    const reached = this.#scratch;
    reached[0] = this.#persisted;
    for (let i = 0; i < this.#peers.length; i += 1)
      reached[i + 1] = (this.#peers[i] as Progress).match;
    const quorum = logIndex(reachedByQuorum(reached));
    if (quorum <= this.#commitIndex || this.#log.termAt(quorum) !== this.#term) return;
    this.#commitIndex = quorum;
    this.#effects.push({ kind: 'commit', index: quorum });
    this.#reads.admitEarly(quorum);
    if (this.#reads.needsRound) this.#beat();
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
    if (this.#peers.length === 0) this.#confirmReads();
  }

  #onHeartbeatAck(peer: Progress, message: Received<'heartbeat-ack'>): void {
    if (!this.#hearFollower(peer, message)) return;
    if (message.round <= peer.roundAcked || message.round > this.#reads.roundSent) return;
    peer.roundAcked = message.round;
    this.#confirmReads();
  }

  // Following

  #onHeartbeat(message: Received<'heartbeat'>): void {
    if (this.#hearLeader(message)) {
      this.#followCommit(message.commitIndex);
      // Restarted in the middle of a term, with nothing new to be pushed: ask to be compared.
      if (this.#matched === 0 && message.commitIndex > 0) this.#refusePush(message.from, null);
    }
    this.#send({
      kind: 'heartbeat-ack',
      from: this.#self,
      to: message.from,
      term: this.#term,
      round: message.round,
    });
  }

  #onPush(push: Push): void {
    if (!this.#hearLeader(push)) {
      this.#refusePush(push.from, push.prevIndex); // Our higher term is the answer.
      return;
    }
    if (push.prevIndex > this.#log.lastIndex && push.entries.length > 0) {
      this.#early.keep(push);
      return;
    }
    if (!this.#log.holds(push.prevIndex, push.prevTerm)) {
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
    if (fresh.length > 0) this.#effects.push({ kind: 'append', entries: fresh });
    this.#followCommit(commitIndex);
    // What was appended is acknowledged when it is durable; what we had is acknowledged again.
    if (fresh.length === 0) this.#acknowledge('again');
  }

  /** Takes over what we do not hold yet, and returns it. The push must match at its `prevIndex`. */
  #takeEntries({ entries, prevIndex }: Push): readonly Entry[] {
    const end = logIndex(prevIndex + entries.length);
    let held = 0;
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
  }

  #followCommit(leaderCommit: LogIndex): void {
    // Beyond what matches, our entries may be others than those that were committed.
    const index = logIndex(Math.min(leaderCommit, this.#matched));
    if (index <= this.#commitIndex) return;
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

  #queueRead(read: number, asker: MemberId | null): 'waits' | 'busy' {
    const commitIndex = this.hasCommittedInTerm ? this.#commitIndex : null;
    const answer = this.#reads.add(read, { asker, commitIndex });
    if (answer === 'waits' && this.#reads.needsRound) this.#beat();
    return answer;
  }

  #confirmReads(): void {
    const reached = this.#scratch;
    reached[0] = this.#reads.roundSent;
    for (let i = 0; i < this.#peers.length; i += 1) {
      reached[i + 1] = (this.#peers[i] as Progress).roundAcked;
    }
    for (const { read, asker, index } of this.#reads.confirm(reachedByQuorum(reached))) {
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
