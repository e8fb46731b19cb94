/**
 * The replicated log: joins the pure raft core, a store and a transport.
 *
 * The core says what must happen; this loop makes it happen, strictly in the order given. It also
 * keeps what the core must not know: promises, timers, and who waits for which entry.
 *
 *   append ──▶ core ──▶ store.append ∥ transport.sendPush ──▶ acks ──▶ commit ──▶ apply ──▶ resolve
 *
 * Simulated and shipped runs use this file unchanged; clock, store and transport are arguments.
 */
import assert from 'node:assert/strict';
import { type LogIndex, logIndex } from '../lib/brand.js';
import type { Cancel, Clock } from '../lib/clock.js';
import type { Logger } from '../lib/logger.js';
import type { Prng } from '../lib/prng.js';
import type { Transport } from '../net/transport.js';
import { Raft } from '../raft/raft.js';
import type {
  Configuration,
  Effect,
  ElectionRule,
  ElectionTiming,
  Entry,
  Input,
  MemberId,
  MembershipChange,
  Message,
  Role,
  TransferRefusal,
} from '../raft/types.js';
import { StoreError } from '../storage/errors.js';
import type { LogStore } from '../storage/log-store.js';
import { LogError, type LogFailureCode } from './errors.js';
import { PushWindow } from './push-window.js';
import { ReadBarrier } from './read-barrier.js';
import { type SnapshotPolicy, Snapshots } from './snapshots.js';
import type { StateMachine } from './state-machine.js';

/** How finished work is handed from one stage to the next. `poll` models DLedger's 1 ms waits. */
export type Handoff = 'wake' | 'poll';

export interface LogEngineOptions {
  readonly self: MemberId;
  /** Of the group, until the log or a snapshot holds another. */
  readonly configuration: Configuration;
  readonly timing: ElectionTiming;
  /** Default `dledger`. */
  readonly electionRule?: ElectionRule;
  readonly preferredLeader?: MemberId | null;
  /** Answer reads by lease where it can be; clocks differ by this share at most. Default null: never. */
  readonly leaseClockDriftMax?: number | null;
  readonly snapshots?: SnapshotPolicy;
  readonly handoff: Handoff;
  readonly store: LogStore;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly chance: Prng;
  readonly logger: Logger;
  readonly stateMachine: StateMachine;
  /** Role, term or leader changed, or this member began to serve. */
  readonly onStatus?: (status: LogStatus) => void;
  /** The store failed: this member must stop. Called once. */
  readonly onFatal: (error: Error) => void;
  /** Appended but uncommitted entries; more are refused as BUSY. Default 10,000. */
  readonly uncommittedMax?: number;
  /** Bytes of appends that wait; one more is refused as BUSY. Default 64 MiB. */
  readonly waitingBytesMax?: number;
  /** Bytes of entries under way to one follower; more wait for acknowledgements. Default 8 MiB. */
  readonly pushWindowBytesMax?: number;
}

export interface LogStatus {
  readonly role: Role;
  readonly term: number;
  readonly leader: MemberId | null;
  /** Leads, and has applied everything that earlier leaders committed. */
  readonly isServing: boolean;
}

/** What a controller build may ask of the log. */
export interface Log {
  /** Leads and has applied an entry of its own term: decisions on local state are sound. */
  readonly isServing: boolean;
  /**
   * Appends one entry, or several as one proposal; resolves with the index of the last when it is
   * committed and applied on this member.
   *
   * @throws {LogError} NOT_LEADER, BUSY, TRANSFERRING or STORE_FULL (never appended),
   *   LEADERSHIP_LOST or CLOSED (unknown).
   */
  append(body: Uint8Array | readonly Uint8Array[]): Promise<LogIndex>;
  /**
   * Resolves when local state holds every write acknowledged before the call, on any member.
   * All calls of one turn share one proof.
   *
   * @throws {LogError} NOT_LEADER, BUSY or READ_TIMEOUT; the read simply did not happen.
   * @source Ongaro thesis §6.4
   */
  readBarrier(): Promise<void>;
}

interface Waiter {
  readonly index: LogIndex;
  readonly bytes: number;
  readonly resolve: (index: LogIndex) => void;
  readonly reject: (error: LogError) => void;
}

type OnCommitted = (entry: Entry) => void;

/** Ten ticks to a heartbeat, within these. */
const TICK_MIN_MS = 5;
const TICK_MAX_MS = 100;
/** A tick so much later than planned, in heartbeats, says that this process was not awake. */
const LATE_BEATS = 0.1;
/** What a step counts for at most after that, in heartbeats; several of them make a leader lost. */
const LATE_STEP_BEATS = 0.5;
/** Between two looks at how far a learner has come. */
const CATCH_UP_POLL_MS = 50;
/** Bytes applied in one turn before other work gets a chance. */
const APPLY_BYTES_PER_TURN = 4 * 1024 * 1024;
/** DLedger's dispatcher waits up to this long for news (`waitForRunning(1)`). */
const POLL_MS = 1;
const IDLE_POLLS_MAX = 100;

export class LogEngine implements Log {
  readonly #options: LogEngineOptions;
  readonly #raft: Raft;
  readonly #store: LogStore;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #reads: ReadBarrier;
  readonly #snapshots: Snapshots;
  readonly #subscribers = new Set<OnCommitted>();
  /** The state machine is being replaced by a snapshot: nothing is applied, nothing is heard. */
  #isRestoring = false;
  /** Entries that the core holds and a full disk refused, oldest first. */
  #unwritten: Entry[] = [];
  /** Told to the core once the effects at hand are performed. */
  #inputs: Input[] = [];
  #isPerforming = false;
  #transferring: { resolve: () => void; reject: (error: LogError) => void } | null = null;
  /** Appends of this leadership that wait for their entry to be applied, in index order. */
  #waiters: Waiter[] = [];
  #waitersHead = 0;
  #waitingBytes = 0;
  #appliedIndex = logIndex(0);
  #applyScheduled = false;
  #isServing = false;
  /** While leading: serving starts when this index (the leadership's first entry) is applied. */
  #serveFrom: LogIndex | null = null;
  #status: LogStatus;
  /** By follower. */
  readonly #windows = new Map<MemberId, PushWindow>();
  #polled: Extract<Effect, { kind: 'send-push' }>[] = [];
  #pollTimer: Cancel | null = null;
  readonly #tickMs: number;
  #tickTimer: Cancel | null = null;
  #nextTickMs = 0;
  #steppedAtMs = 0;
  #closed = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: LogEngineOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#transport = options.transport;
    this.#clock = options.clock;
    this.#raft = new Raft(
      {
        self: options.self,
        configuration: options.configuration,
        timing: options.timing,
        electionRule: options.electionRule ?? 'dledger',
        preferredLeader: options.preferredLeader ?? null,
        lease: leaseOf(options),
        pushesInFlightMax: 64,
        entriesPerPushMax: 256,
        retransmitAfterMs: options.timing.heartbeatMs * 2,
        uncommittedMax: options.uncommittedMax ?? 10_000,
        readsWaitingMax: 1_024,
        outOfOrderMax: 64,
      },
      {
        hardState: options.store.hardState,
        snapshot: options.store.snapshot,
        firstIndex: options.store.firstIndex,
        runs: options.store.termRuns(),
        lastIndex: options.store.lastIndex,
        configurations: options.store.configurations(),
        mustCatchUpTo: options.store.mustCatchUpTo,
      },
      options.chance,
    );
    this.#status = {
      role: this.#raft.role,
      term: this.#raft.term,
      leader: this.#raft.leader,
      isServing: false,
    };
    this.#reads = new ReadBarrier({
      clock: this.#clock,
      start: (read) => this.#step({ kind: 'read', read }),
      timeoutMs: 1_000,
      waitingMax: 65_536,
    });
    this.#snapshots = new Snapshots({
      policy: options.snapshots ?? {},
      store: this.#store,
      stateMachine: options.stateMachine,
      clock: this.#clock,
      logger: options.logger,
      headAt: (index) => this.#raft.headAt(index),
      isSending: () => this.#raft.isSendingSnapshot,
      onTaken: (snapshot) => {
        const { configuration, index, term, totalBytes } = snapshot;
        const head = { configuration, index, term };
        const { firstIndex } = this.#store;
        if (!this.#closed) this.#step({ kind: 'compacted', head, totalBytes, firstIndex });
      },
      onFatal: (error) => this.#fail(error),
    });
    this.#tickMs = Math.min(TICK_MAX_MS, Math.max(TICK_MIN_MS, options.timing.heartbeatMs / 10));
    this.#transport.setPeers?.(this.#raft.configuration);
  }

  get isServing(): boolean {
    return this.#isServing;
  }

  get status(): LogStatus {
    return this.#status;
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  get commitIndex(): LogIndex {
    return this.#raft.commitIndex;
  }

  /** Of the log as it is appended to, committed or not. */
  get lastIndex(): LogIndex {
    return this.#raft.lastIndex;
  }

  /** Who belongs to the group, committed or not. */
  get configuration(): Configuration {
    return this.#raft.configuration;
  }

  /** Starts the passage of time, once the state is that of the store's snapshot, if there is one. */
  start(): void {
    const { snapshot } = this.#store;
    if (snapshot === null) {
      this.#startTime();
      return;
    }
    this.#restoreAs(snapshot.index, () => this.#startTime());
  }

  #startTime(): void {
    this.#steppedAtMs = this.#clock.nowMs();
    this.#tickIn(this.#tickMs);
  }

  #tickIn(delayMs: number): void {
    this.#nextTickMs = this.#steppedAtMs + delayMs;
    this.#tickTimer = this.#clock.after(delayMs, () => this.#tick());
  }

  /** Something has happened that the next tick, however quiet it was, may have to follow up. */
  #tickSoon(): void {
    if (this.#tickTimer === null || this.#nextTickMs <= this.#steppedAtMs + this.#tickMs) return;
    this.#tickTimer();
    this.#tickIn(this.#tickMs);
  }

  /** A message from another member arrived. */
  receive(message: Message): void {
    // Until time has started, the state is not what the core takes it for.
    if (!this.#closed && this.#tickTimer !== null) this.#step({ kind: 'receive', message });
  }

  append(body: Uint8Array | readonly Uint8Array[]): Promise<LogIndex> {
    if (this.#closed) return Promise.reject(new LogError('CLOSED'));
    const bodies = body instanceof Uint8Array ? [body] : body;
    let bytes = 0;
    for (const { length } of bodies) bytes += length;
    const { waitingBytesMax = WAITING_BYTES_MAX } = this.#options;
    // One append always fits, however large: else it could never be made.
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > waitingBytesMax) {
      return Promise.reject(new LogError('BUSY'));
    }
    if (this.#unwritten.length > 0) return Promise.reject(new LogError('STORE_FULL'));
    return this.#propose({ kind: 'propose', bodies }, bytes);
  }

  #propose(
    input: Extract<Input, { kind: 'propose' | 'change-members' }>,
    bytes: number,
  ): Promise<LogIndex> {
    return new Promise((resolve, reject) => {
      // The waiter is registered before the effects run: a group of one commits inside the step.
      const effects = this.#raft.step(input, this.#passTime());
      const first = effects[0];
      if (first?.kind === 'proposed') {
        this.#waitingBytes += bytes;
        this.#waiters.push({ index: first.last, bytes, resolve, reject });
      } else {
        const isRefused = first?.kind === 'proposal-refused' || first?.kind === 'change-refused';
        assert(isRefused, 'a proposal is taken or refused');
        reject(new LogError(refusals[first.why]));
      }
      this.#perform(effects);
    });
  }

  readBarrier(): Promise<void> {
    if (this.#closed) return Promise.reject(new LogError('CLOSED'));
    return this.#reads.wait();
  }

  /**
   * An index that no entry acknowledged before the call exceeds, and up to which local state is.
   *
   * @throws {LogError} as `readBarrier`.
   */
  async readIndex(): Promise<LogIndex> {
    await this.readBarrier();
    return this.#appliedIndex;
  }

  /**
   * Makes local state fit to be read by somebody who can bear old news, but not too old: it holds
   * every write acknowledged more than `stalenessMs` ago. The bound is measured on this member's
   * clock alone: from the moment when it *asked* for the newest proof whose index it has applied.
   *
   * @throws {LogError} as `readBarrier`, when what is known is too old and no proof can be had.
   */
  async staleRead(options: { readonly maxStalenessMs: number }): Promise<{ stalenessMs: number }> {
    const stalenessMs = this.#clock.nowMs() - this.#reads.freshAtMs;
    if (!this.#closed && stalenessMs <= options.maxStalenessMs) return { stalenessMs };
    await this.readBarrier();
    return { stalenessMs: this.#clock.nowMs() - this.#reads.freshAtMs };
  }

  /** @throws {LogError} COMPACTED or NOT_COMMITTED. */
  get(index: LogIndex): Entry {
    return this.getRange(index, index)[0] as Entry;
  }

  /**
   * Committed entries from `first` on: at least one, to at most `last`, stopping once `bytesMax`
   * bytes of bodies are passed.
   *
   * @throws {LogError} COMPACTED or NOT_COMMITTED.
   */
  getRange(first: LogIndex, last: LogIndex, bytesMax = PUSH_BYTES_MAX): readonly Entry[] {
    if (first < this.#store.firstIndex) throw new LogError('COMPACTED');
    const end = logIndex(Math.min(last, this.#appliedIndex));
    if (first > end) throw new LogError('NOT_COMMITTED');
    return this.#store.entries(first, end, bytesMax);
  }

  /**
   * Has `onCommitted` called with every committed data entry from now on, in log order, right after
   * it was applied. It must be quick: the log waits for it. What was committed before is had by
   * `getRange`. @returns ends it.
   */
  subscribe(onCommitted: OnCommitted): () => void {
    this.#subscribers.add(onCommitted);
    return () => this.#subscribers.delete(onCommitted);
  }

  /** @throws {LogError} NOT_LEADER, CHANGE_PENDING, ALREADY_MEMBER; LEADERSHIP_LOST or CLOSED (unknown). */
  async addLearner(id: MemberId, address: string): Promise<void> {
    await this.#change({ kind: 'add-learner', id, address });
  }

  /** A learner becomes a voter. @throws {LogError} as `addLearner`, UNKNOWN_MEMBER, NOT_CAUGHT_UP. */
  async promote(id: MemberId): Promise<void> {
    await this.#change({ kind: 'promote', id });
  }

  /** @throws {LogError} as `addLearner`, UNKNOWN_MEMBER, LAST_VOTER. */
  async remove(id: MemberId): Promise<void> {
    await this.#change({ kind: 'remove', id });
  }

  /**
   * Puts a new member in the place of one that is lost: adds it as a learner, promotes it when it has
   * caught up, and removes the lost one, in this order, so that no step lowers what the group can
   * bear. What was done stays done when a later step fails; calling it again goes on from there.
   *
   * @throws {LogError} as the steps; NOT_CAUGHT_UP after `timeoutMs`.
   */
  async replace(
    lost: MemberId,
    by: { readonly id: MemberId; readonly address: string },
    timeoutMs = 60_000,
  ): Promise<void> {
    const deadlineMs = this.#clock.nowMs() + timeoutMs;
    if (!this.configuration.some(({ id }) => id === by.id)) {
      await this.addLearner(by.id, by.address);
    }
    const isLearner = (): boolean =>
      this.configuration.some(({ id, role }) => id === by.id && role === 'learner');
    while (isLearner()) {
      try {
        await this.promote(by.id);
      } catch (error) {
        const isLate = this.#clock.nowMs() >= deadlineMs;
        if (!(error instanceof LogError) || error.code !== 'NOT_CAUGHT_UP' || isLate) throw error;
        await new Promise<void>((resolve) => this.#clock.after(CATCH_UP_POLL_MS, resolve));
      }
    }
    if (this.configuration.some(({ id }) => id === lost)) await this.remove(lost);
  }

  /**
   * Hands leadership over; resolves when the other member leads. Proposals are refused meanwhile,
   * for an election timeout at most.
   *
   * @throws {LogError} NOT_LEADER, CHANGE_PENDING, UNKNOWN_MEMBER, NOT_A_VOTER, TRANSFER_TIMEOUT,
   *   TRANSFER_LOST, CLOSED.
   */
  transfer(to: MemberId): Promise<void> {
    if (this.#closed) return Promise.reject(new LogError('CLOSED'));
    if (this.#transferring !== null) return Promise.reject(new LogError('CHANGE_PENDING'));
    return new Promise((resolve, reject) => {
      this.#transferring = { resolve, reject };
      this.#step({ kind: 'transfer', to });
    });
  }

  #change(change: MembershipChange): Promise<LogIndex> {
    if (this.#closed) return Promise.reject(new LogError('CLOSED'));
    return this.#propose({ kind: 'change-members', change }, 0);
  }

  /** Stops time, fails what waits, and closes transport and store. */
  async close(): Promise<void> {
    if (this.#closed) return this.#ended;
    this.#end();
    await this.#ended;
  }

  #tick(): void {
    if (this.#unwritten.length > 0 && this.#store.hasRoom()) this.#writeUnwritten();
    const { mustCatchUpTo } = this.#store;
    if (mustCatchUpTo > 0 && this.#appliedIndex >= mustCatchUpTo) {
      this.#guard(() => this.#store.caughtUp());
    }
    if (this.#closed) return;
    this.#reads.expire(this.#clock.nowMs());
    this.#step({ kind: 'tick' });
    if (this.#closed) return;
    // No later than what is due, and all of it counts (`#passTime`).
    const { heartbeatMs } = this.#options.timing;
    const delayMs = Math.min(this.#raft.quietForMs, heartbeatMs, TICK_MAX_MS);
    this.#tickIn(Math.max(this.#tickMs, delayMs));
  }

  /**
   * How much time has passed for the core: all of it, unless a tick is overdue. A member that slept, or
   * has more to do than it can, must not blame the leader for its own absence: what arrived meanwhile is
   * still in the socket.
   */
  #passTime(): number {
    const now = this.#clock.nowMs();
    const elapsedMs = now - this.#steppedAtMs;
    this.#steppedAtMs = now;
    const { heartbeatMs } = this.#options.timing;
    const isLate = now > this.#nextTickMs + heartbeatMs * LATE_BEATS;
    return isLate ? Math.min(elapsedMs, heartbeatMs * LATE_STEP_BEATS) : elapsedMs;
  }

  #step(input: Input): void {
    this.#perform(this.#raft.step(input, this.#passTime()));
    // An answer to its votes may bring a candidate's next round forward.
    if (this.#raft.role === 'candidate') this.#tickSoon();
  }

  #perform(effects: readonly Effect[]): void {
    const isOutermost = !this.#isPerforming;
    this.#isPerforming = true;
    this.#performEach(effects);
    if (!isOutermost) return;
    for (let input = this.#inputs.shift(); input !== undefined && !this.#closed; ) {
      this.#performEach(this.#raft.step(input));
      input = this.#inputs.shift();
    }
    this.#isPerforming = false;
  }

  #performEach(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'save-hard-state':
          this.#guard(() => this.#store.saveHardState(effect.state));
          break;
        case 'truncate':
          this.#truncate(effect.after);
          break;
        case 'append':
          this.#append(effect.entries);
          break;
        case 'send':
          this.#transport.send(effect.message);
          break;
        case 'send-push':
          this.#push(effect);
          break;
        case 'commit':
          this.#applyCommitted();
          // When no push follows it, a heartbeat tells the others.
          if (this.#raft.role === 'leader') this.#tickSoon();
          break;
        case 'role':
          this.#roleChanged(effect);
          break;
        case 'proposed':
        case 'proposal-refused':
        case 'change-refused':
          break; // Whoever proposed looks at these itself.
        case 'configuration':
          this.#transport.setPeers?.(effect.configuration);
          break;
        case 'transfer-ended':
          this.#transferEnded(effect.why);
          break;
        case 'send-snapshot':
          this.#guard(() => this.#sendSnapshot(effect));
          break;
        case 'receive-snapshot':
          this.#guard(() => this.#receiveSnapshot(effect));
          break;
        case 'read-ready':
          this.#reads.proved(effect.read, effect.index, this.#appliedIndex);
          break;
        case 'read-refused':
          this.#reads.refused(effect.read, effect.why);
          break;
      }
      if (this.#closed) return;
    }
  }

  #append(entries: readonly Entry[]): void {
    if (this.#unwritten.length > 0) {
      this.#unwritten.push(...entries);
      return;
    }
    try {
      this.#write(entries);
    } catch (error) {
      if (!isStoreFull(error)) {
        this.#guard(() => {
          throw error;
        });
        return;
      }
      this.#options.logger.error({ err: error }, 'the disk is full: no leader, no appends');
      this.#unwritten.push(...entries);
      this.#inputs.push({ kind: 'storage', state: 'full' });
    }
  }

  #write(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    assert(last !== undefined, 'an append has entries');
    this.#store.append(entries, (error) => {
      if (this.#closed) return;
      if (error !== undefined) this.#fail(error);
      else this.#step({ kind: 'persisted', index: last.index, term: last.term });
    });
  }

  /** There is room again: what the core holds is written in its order, before anything newer. */
  #writeUnwritten(): void {
    const entries = this.#unwritten;
    this.#guard(() => {
      try {
        this.#write(entries);
        this.#unwritten = [];
      } catch (error) {
        if (!isStoreFull(error)) throw error;
      }
    });
    if (this.#closed || this.#unwritten.length > 0) return;
    this.#options.logger.info({}, 'the disk has room again');
    this.#step({ kind: 'storage', state: 'writable' });
    // What was committed meanwhile could not be applied from a log that did not hold it.
    this.#applyCommitted();
  }

  #truncate(after: LogIndex): void {
    const hadUnwritten = this.#unwritten.length > 0;
    this.#unwritten = this.#unwritten.filter(({ index }) => index <= after);
    if (after < this.#store.lastIndex) this.#guard(() => this.#store.truncate(after));
    if (hadUnwritten && this.#unwritten.length === 0) {
      this.#inputs.push({ kind: 'storage', state: 'writable' });
    }
  }

  #sendSnapshot(effect: Extract<Effect, { kind: 'send-snapshot' }>): void {
    const { head, offset, term, to, totalBytes } = effect;
    if (this.#store.snapshot?.index !== head.index) return;
    const bytes = this.#store.readSnapshot(offset, SNAPSHOT_PART_BYTES);
    const from = this.#options.self;
    this.#transport.send({ kind: 'snapshot', from, to, term, head, totalBytes, offset, bytes });
  }

  #receiveSnapshot(effect: Extract<Effect, { kind: 'receive-snapshot' }>): void {
    const { bytes, head, offset, totalBytes } = effect;
    const { index } = head;
    const received = offset + bytes.length;
    try {
      this.#store.receiveSnapshot(head, offset, bytes);
      if (received >= totalBytes) this.#store.installSnapshot(head);
    } catch (error) {
      if (!isStoreFull(error)) throw error;
      this.#options.logger.warn({ err: error }, 'no room for a snapshot of the leader');
      this.#inputs.push({ kind: 'snapshot-received', index, received: 0 });
      return;
    }
    if (received < totalBytes) {
      this.#inputs.push({ kind: 'snapshot-received', index, received });
      return;
    }
    this.#unwritten = [];
    this.#options.logger.info({ index, totalBytes }, 'installing a snapshot of the leader');
    this.#restoreAs(index, () => {
      this.#step({ kind: 'snapshot-installed', head, totalBytes });
      this.#applyCommitted();
    });
  }

  /** The state becomes that of the store's snapshot; nothing is applied meanwhile. */
  #restoreAs(index: LogIndex, restored: () => void): void {
    this.#isRestoring = true;
    this.#snapshots.restore().then(
      () => {
        if (this.#closed) return;
        this.#isRestoring = false;
        this.#appliedIndex = index;
        restored();
      },
      (cause: unknown) => this.#fail(cause instanceof Error ? cause : new Error(String(cause))),
    );
  }

  #transferEnded(why: TransferRefusal | null): void {
    const transferring = this.#transferring;
    this.#transferring = null;
    if (why === null) transferring?.resolve();
    else transferring?.reject(new LogError(transferRefusals[why]));
  }

  #push(effect: Extract<Effect, { kind: 'send-push' }>): void {
    if (this.#options.handoff === 'wake') {
      this.#sendPush(effect);
      return;
    }
    this.#polled.push(effect);
    if (this.#pollTimer === null) this.#pollAgain(0);
  }

  /**
   * The dispatcher looks, sends what is there, and sleeps a millisecond, whenever news may come: so
   * a write waits for what is left of that sleep, not for a whole one. It stops when nothing came
   * for a while, which changes nothing but the phase of its next sleep.
   */
  #pollAgain(idlePolls: number): void {
    this.#pollTimer = this.#clock.after(POLL_MS, () => {
      const polled = this.#polled;
      this.#polled = [];
      for (const waiting of polled) this.#sendPush(waiting);
      const idle = polled.length > 0 ? 0 : idlePolls + 1;
      if (idle < IDLE_POLLS_MAX) this.#pollAgain(idle);
      else this.#pollTimer = null;
    });
  }

  /** Fills the range from the store, in frames of bounded size. */
  #sendPush(effect: Extract<Effect, { kind: 'send-push' }>): void {
    let { first, prevIndex, prevTerm } = effect;
    // Since a polled push was asked for, a new leader may have cut our log and put its entries in
    // their place: they must not leave in the name of the old term.
    if (this.#raft.role !== 'leader' || this.#raft.term !== effect.term) return;
    const end = logIndex(Math.min(effect.last, this.#store.lastIndex));
    // Compacted since, or not written yet: the core finds out when nobody acknowledges it.
    if (first < this.#store.firstIndex || (first > end && effect.first <= effect.last)) return;
    const window = this.#windowTo(effect.to);
    if (first > end) window.reset();
    else if (!window.open(this.#raft.matchOf(effect.to), first)) return;
    do {
      const entries = first > end ? [] : this.#read(first, end, PUSH_BYTES_MAX);
      if (this.#closed) return;
      const last = entries.at(-1);
      if (!window.take(entries)) {
        this.#tell({ kind: 'unsent', to: effect.to, first });
        return;
      }
      this.#transport.sendPush({ ...effect, prevIndex, prevTerm }, entries);
      if (last === undefined) return;
      prevIndex = last.index;
      prevTerm = last.term;
      first = logIndex(last.index + 1);
    } while (first <= end);
  }

  #windowTo(follower: MemberId): PushWindow {
    let window = this.#windows.get(follower);
    if (window === undefined) {
      window = new PushWindow(this.#options.pushWindowBytesMax ?? PUSH_WINDOW_BYTES_MAX);
      this.#windows.set(follower, window);
    }
    return window;
  }

  /** For what comes up while effects are performed, or in a callback of its own. */
  #tell(input: Input): void {
    if (this.#isPerforming) this.#inputs.push(input);
    else this.#step(input);
  }

  /** A disk that gives back something else than was written ends this member; then nothing is returned. */
  #read(first: LogIndex, last: LogIndex, bytesMax: number): readonly Entry[] {
    let entries: readonly Entry[] = [];
    this.#guard(() => {
      entries = this.#store.entries(first, last, bytesMax);
    });
    return entries;
  }

  #applyCommitted(): void {
    if (this.#applyScheduled || this.#isRestoring) return;
    let bytes = 0;
    // What a full disk refused is applied once it is written.
    const commit = logIndex(Math.min(this.#raft.commitIndex, this.#store.lastIndex));
    while (this.#appliedIndex < commit) {
      const next = logIndex(this.#appliedIndex + 1);
      const entries = this.#read(next, commit, APPLY_BYTES_PER_TURN);
      if (this.#closed) return;
      for (const entry of entries) {
        assert(entry.index === this.#appliedIndex + 1, 'entries are applied in log order');
        if (entry.kind === 'data') this.#apply(entry);
        this.#appliedIndex = entry.index;
        bytes += entry.body.length;
      }
      if (bytes >= APPLY_BYTES_PER_TURN && this.#appliedIndex < commit) {
        this.#applyScheduled = true;
        this.#clock.endOfTurn(() => {
          this.#applyScheduled = false;
          if (!this.#closed) this.#applyCommitted();
        });
        break;
      }
    }
    this.#snapshots.applied(bytes);
    this.#resolveApplied();
    this.#snapshots.consider(this.#appliedIndex);
  }

  #apply(entry: Entry): void {
    this.#options.stateMachine.apply(entry);
    for (const onCommitted of this.#subscribers) onCommitted(entry);
  }

  #resolveApplied(): void {
    if (this.#serveFrom !== null && this.#appliedIndex >= this.#serveFrom) {
      this.#serveFrom = null;
      this.#isServing = true;
      this.#publish();
    }
    const waiters = this.#waiters;
    let head = this.#waitersHead;
    for (; head < waiters.length; head += 1) {
      const waiter = waiters[head];
      if (waiter === undefined || waiter.index > this.#appliedIndex) break;
      this.#waitingBytes -= waiter.bytes;
      waiter.resolve(waiter.index);
    }
    if (head === waiters.length) {
      this.#waiters = [];
      this.#waitersHead = 0;
    } else if (head > 4_096) {
      this.#waiters = waiters.slice(head);
      this.#waitersHead = 0;
    } else {
      this.#waitersHead = head;
    }
    this.#reads.applied(this.#appliedIndex);
  }

  #roleChanged(effect: Extract<Effect, { kind: 'role' }>): void {
    this.#tickSoon();
    const led = this.#status.role === 'leader';
    if (effect.role === 'leader' && !led) {
      // The core has appended this leadership's first entry by now; its effect follows this one.
      this.#serveFrom = this.#raft.lastIndex;
    } else if (effect.role !== 'leader' && led) {
      this.#serveFrom = null;
      this.#isServing = false;
      // The entries may yet be committed by the next leader: nobody can know here.
      this.#failWaiters('LEADERSHIP_LOST');
    }
    this.#status = {
      role: effect.role,
      term: effect.term,
      leader: effect.leader,
      isServing: this.#isServing,
    };
    this.#publish();
  }

  #publish(): void {
    this.#status = { ...this.#status, isServing: this.#isServing };
    this.#options.logger.info(this.#status, 'raft status');
    this.#options.onStatus?.(this.#status);
  }

  #failWaiters(code: 'LEADERSHIP_LOST' | 'CLOSED'): void {
    const waiters = this.#waiters.slice(this.#waitersHead);
    this.#waiters = [];
    this.#waitersHead = 0;
    this.#waitingBytes = 0;
    for (const waiter of waiters) waiter.reject(new LogError(code));
  }

  /** A store that threw is not asked again: this member stops. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (cause) {
      this.#fail(cause instanceof Error ? cause : new Error(String(cause)));
    }
  }

  #fail(error: Error): void {
    if (this.#closed) return;
    this.#end(true);
    this.#options.onFatal(error);
  }

  /** Stops time, fails what waits, and lets go of transport and store; nothing is done after it. */
  #end(hasFailed = false): void {
    this.#closed = true;
    this.#isServing = false;
    this.#tickTimer?.();
    this.#pollTimer?.();
    this.#snapshots.stop();
    this.#failWaiters('CLOSED');
    this.#reads.failAll('CLOSED');
    this.#transferring?.reject(new LogError('CLOSED'));
    this.#transferring = null;
    const ended = this.#transport.close().then(() => this.#store.close());
    // What is wrong with a store that failed was told already.
    this.#ended = hasFailed ? ended.catch(() => {}) : ended;
    this.#ended.catch(() => {});
  }
}

function leaseOf({ clock, leaseClockDriftMax: clockDriftMax = null }: LogEngineOptions) {
  return clockDriftMax === null ? null : { clockDriftMax, nowMs: () => clock.nowMs() };
}

const isStoreFull = (error: unknown): boolean =>
  error instanceof StoreError && error.code === 'STORE_FULL';

const refusals = {
  'not-leader': 'NOT_LEADER',
  busy: 'BUSY',
  full: 'STORE_FULL',
  transferring: 'TRANSFERRING',
  pending: 'CHANGE_PENDING',
  'already-member': 'ALREADY_MEMBER',
  'unknown-member': 'UNKNOWN_MEMBER',
  'not-caught-up': 'NOT_CAUGHT_UP',
  'last-voter': 'LAST_VOTER',
} as const satisfies Record<string, LogFailureCode>;

const transferRefusals = {
  'not-leader': 'NOT_LEADER',
  pending: 'CHANGE_PENDING',
  'unknown-member': 'UNKNOWN_MEMBER',
  'not-a-voter': 'NOT_A_VOTER',
  'timed-out': 'TRANSFER_TIMEOUT',
  lost: 'TRANSFER_LOST',
} as const satisfies Record<TransferRefusal, LogFailureCode>;

/** At most; a store on disk gives no more than a block of 64 KiB. */
const SNAPSHOT_PART_BYTES = 256 << 10;

/** Bytes of entries in one push frame; well under the 16 MiB frame limit. */
const PUSH_BYTES_MAX = 1024 * 1024;
const PUSH_WINDOW_BYTES_MAX = 8 * 1024 * 1024;
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
