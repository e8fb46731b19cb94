/**
 * Vote rounds: who may have a vote, and what a candidate makes of the answers.
 *
 * DLedger's rounds are the rule that members start with; `plain` and `pre-vote` are there to be
 * compared with it, and share all that they can.
 *
 * A round usually asks in the term the group already has. The term is raised only when a round
 * shows that this term's votes are spent, so a member that cannot reach a quorum asks for ever
 * without raising it, and disturbs nobody when it returns. Upstream calls that WAIT_TO_REVOTE, and
 * the other case WAIT_TO_VOTE_NEXT.
 *
 * @source dledger DLedgerLeaderElector.handleVote, maintainAsCandidate; MemberState.nextTerm (0.3.1.2)
 */
import assert from 'node:assert/strict';
import { type LogIndex, type Term, term } from '../lib/brand.js';
import type { Prng } from '../lib/prng.js';
import { quorumSize } from './quorum.js';
import type { ElectionRule, ElectionTiming, MemberId, VoteResult } from './types.js';

/** Half of a vote decision: what the voter knows. */
export interface Voter {
  readonly term: Term;
  readonly votedFor: MemberId | null;
  readonly leader: MemberId | null;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}

/** The other half: what the candidate claims. */
export interface VoteRequest {
  readonly from: MemberId;
  readonly term: Term;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}

/**
 * The voter's rules, in upstream's order. The log is judged before the term, so that a member with
 * an old log cannot raise anyone's term. Membership is judged by the caller; 'term-below-log'
 * cannot come up, because our members save a term before they hold an entry of it.
 */
export function judgeVote(voter: Voter, request: VoteRequest): VoteResult {
  const logBehind =
    request.lastTerm < voter.lastTerm ||
    (request.lastTerm === voter.lastTerm && request.lastIndex < voter.lastIndex);
  if (logBehind) return 'log-behind';
  if (request.term < voter.term) return 'expired-term';
  if (request.term > voter.term) return 'term-not-ready';
  if (voter.votedFor !== null && voter.votedFor !== request.from) {
    return voter.leader === null ? 'already-voted' : 'already-has-leader';
  }
  return 'accept';
}

export type RoundResult = 'wait-to-revote' | 'wait-to-vote-next' | 'revote-immediately' | 'passed';

/** The answers to one round, the candidate's own included. */
export interface RoundAnswers {
  readonly members: number;
  /** How many answered at all. */
  readonly answered: number;
  readonly accepted: number;
  /** Voters whose term was lower: by now they have raised it. */
  readonly notReady: number;
  readonly logBehind: number;
  /** Voters that hear a leader and protect it. */
  readonly leaderAlive: number;
  readonly leaderKnown: boolean;
  /** Some voter's term is above the term asked for. */
  readonly largerTerm: boolean;
}

export interface Verdict {
  readonly result: RoundResult;
  /** Added to the random interval before the next round. */
  readonly delayMs: number;
}

/** What a round means, in upstream's order. */
export function judgeRound(answers: RoundAnswers, timing: ElectionTiming): Verdict {
  const quorum = quorumSize(answers.members);
  if (answers.largerTerm) return { result: 'wait-to-vote-next', delayMs: 0 };
  if (answers.leaderKnown) {
    // Its leader lives: leave it the time to be heard here too.
    return { result: 'wait-to-revote', delayMs: timing.heartbeatMs * timing.leaderLostAfter };
  }
  if (answers.answered < quorum) return { result: 'wait-to-revote', delayMs: 0 };
  if (answers.answered - answers.logBehind < quorum) {
    return { result: 'wait-to-revote', delayMs: timing.voteIntervalMaxMs };
  }
  if (answers.accepted >= quorum) return { result: 'passed', delayMs: 0 };
  if (answers.accepted + answers.notReady >= quorum) {
    return { result: 'revote-immediately', delayMs: 0 };
  }
  // No vote of this term was spent by those.
  if (answers.leaderAlive > 0) return { result: 'wait-to-revote', delayMs: 0 };
  return { result: 'wait-to-vote-next', delayMs: 0 };
}

/** When a candidate asks, whom it has heard, and whether the next round raises the term. */
export class Election {
  readonly #rule: ElectionRule;
  #members: number;
  readonly #timing: ElectionTiming;
  readonly #chance: Prng;
  readonly #answers = new Map<MemberId, VoteResult>();
  #collectUntilMs: number | null = null;
  #nextRoundMs = 0;
  #lastResult: RoundResult = 'wait-to-revote';
  #termAsked: Term = term(0);
  /** The highest term heard of, even from members that we do not follow. */
  #knownTerm: Term = term(0);

  constructor(voters: number, timing: ElectionTiming, chance: Prng, rule: ElectionRule) {
    assert(timing.voteIntervalMinMs <= timing.voteIntervalMaxMs);
    this.#rule = rule;
    this.#members = voters;
    this.#timing = timing;
    this.#chance = chance;
  }

  /** The group has changed: so many votes count from the next answer on. */
  setVoters(voters: number): void {
    this.#members = voters;
  }

  /** The term that the last round asked in, or for. */
  get termAsked(): Term {
    return this.#termAsked;
  }

  get knownTerm(): Term {
    return this.#knownTerm;
  }

  get collecting(): boolean {
    return this.#collectUntilMs !== null;
  }

  get mustRaiseTerm(): boolean {
    return this.#lastResult === 'wait-to-vote-next';
  }

  /** When the next round begins, or the one under way is judged at the latest. */
  get dueMs(): number {
    return this.#collectUntilMs ?? this.#nextRoundMs;
  }

  /** What time has come for. */
  due(nowMs: number): 'ask' | 'judge' | 'wait' {
    if (nowMs < this.dueMs) return 'wait';
    return this.collecting ? 'judge' : 'ask';
  }

  noteTerm(heard: Term): void {
    if (heard > this.#knownTerm) this.#knownTerm = heard;
  }

  /** The term after `current`: the highest known, if that is higher. */
  termAfter(current: Term): Term {
    return this.#knownTerm > current ? this.#knownTerm : term(current + 1);
  }

  begin(asked: Term, nowMs: number): void {
    this.#answers.clear();
    this.#termAsked = asked;
    this.#lastResult = 'wait-to-revote';
    this.#collectUntilMs =
      nowMs + this.#timing.voteCollectMs + this.#chance.between(0, this.#timing.voteIntervalMaxMs);
  }

  /** @returns whether the round can be judged without waiting for more. */
  answer(member: MemberId, result: VoteResult, voterTerm: Term): boolean {
    assert(this.collecting);
    this.#answers.set(member, result);
    if (result === 'expired-term' || result === 'term-below-log') this.noteTerm(voterTerm);
    const { answered, accepted, notReady, leaderKnown } = this.#count();
    return (
      leaderKnown || accepted + notReady >= quorumSize(this.#members) || answered >= this.#members
    );
  }

  /**
   * Ends the round. Upstream adds the time the round took to the next interval; that is nothing
   * there, since a dead peer refuses the connection at once, while here silence costs a whole collect.
   */
  judge(nowMs: number): RoundResult {
    const { result, delayMs } = this.#judge(this.#count());
    this.#collectUntilMs = null;
    this.#lastResult = result;
    if (result === 'wait-to-revote' || result === 'wait-to-vote-next') {
      this.#nextRoundMs = nowMs + this.#interval() + delayMs;
    }
    return result;
  }

  #judge(answers: RoundAnswers): Verdict {
    if (this.#rule === 'dledger') return judgeRound(answers, this.#timing);
    const passed = answers.accepted >= quorumSize(answers.members) && !answers.largerTerm;
    return { result: passed ? 'passed' : 'wait-to-revote', delayMs: 0 };
  }

  /** The next round may begin at once. */
  hurry(nowMs: number): void {
    this.#collectUntilMs = null;
    this.#nextRoundMs = nowMs;
  }

  /** A larger term made us raise ours at once: that was this round, the next is a while away. */
  raisedAtOnce(nowMs: number): void {
    this.#collectUntilMs = null;
    this.#lastResult = 'wait-to-revote';
    this.#nextRoundMs = nowMs + this.#interval();
  }

  followed(): void {
    this.#collectUntilMs = null;
    this.#lastResult = 'wait-to-revote';
  }

  #interval(): number {
    return this.#chance.between(this.#timing.voteIntervalMinMs, this.#timing.voteIntervalMaxMs);
  }

  #count(): RoundAnswers {
    const counts = { accepted: 0, notReady: 0, logBehind: 0, leaderAlive: 0, leaderKnown: false };
    for (const result of this.#answers.values()) {
      if (result === 'accept') counts.accepted += 1;
      if (result === 'term-not-ready') counts.notReady += 1;
      if (result === 'log-behind') counts.logBehind += 1;
      if (result === 'leader-alive') counts.leaderAlive += 1;
      if (result === 'already-has-leader') counts.leaderKnown = true;
    }
    return {
      ...counts,
      members: this.#members,
      answered: this.#answers.size,
      largerTerm: this.#knownTerm > this.#termAsked,
    };
  }
}
