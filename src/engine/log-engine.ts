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
  Effect,
  ElectionTiming,
  Entry,
  Input,
  MemberId,
  Message,
  Role,
} from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import { LogError } from './errors.js';
import { ReadBarrier } from './read-barrier.js';

/** How finished work is handed from one stage to the next. `poll` models DLedger's 1 ms waits. */
export type Handoff = 'wake' | 'poll';

export interface LogEngineOptions {
  readonly self: MemberId;
  readonly members: readonly MemberId[];
  readonly timing: ElectionTiming;
  readonly handoff: Handoff;
  readonly store: LogStore;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly chance: Prng;
  readonly logger: Logger;
  /** Called once per committed entry, in log order, on every member. */
  readonly apply: (entry: Entry) => void;
  /** Role, term or leader changed, or this member began to serve. */
  readonly onStatus?: (status: LogStatus) => void;
  /** The store failed: this member must stop. Called once. */
  readonly onFatal: (error: Error) => void;
  /** Appended but uncommitted entries; more are refused as BUSY. Default 10,000. */
  readonly uncommittedMax?: number;
  /** Bytes of appends that wait; one more is refused as BUSY. Default 64 MiB. */
  readonly waitingBytesMax?: number;
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
   * Appends one entry; resolves when it is committed and applied on this member.
   *
   * @throws {LogError} NOT_LEADER or BUSY (never appended), LEADERSHIP_LOST or CLOSED (unknown).
   */
  append(body: Uint8Array): Promise<void>;
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
  readonly resolve: () => void;
  readonly reject: (error: LogError) => void;
}

const TICK_MS = 10;
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
  #polled: Extract<Effect, { kind: 'send-push' }>[] = [];
  #pollTimer: Cancel | null = null;
  #tickTimer: Cancel | null = null;
  #tickedAtMs = 0;
  #closed = false;

  constructor(options: LogEngineOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#transport = options.transport;
    this.#clock = options.clock;
    this.#raft = new Raft(
      {
        self: options.self,
        members: options.members,
        timing: options.timing,
        pushesInFlightMax: 64,
        entriesPerPushMax: 256,
        retransmitAfterMs: options.timing.heartbeatMs * 2,
        uncommittedMax: options.uncommittedMax ?? 10_000,
        readsWaitingMax: 1_024,
        outOfOrderMax: 64,
      },
      {
        hardState: options.store.hardState,
        runs: options.store.termRuns(),
        lastIndex: options.store.lastIndex,
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

  /** Starts the passage of time. */
  start(): void {
    this.#tickedAtMs = this.#clock.nowMs();
    this.#tickTimer = this.#clock.every(TICK_MS, () => this.#tick());
  }

  /** A message from another member arrived. */
  receive(message: Message): void {
    if (!this.#closed) this.#step({ kind: 'receive', message });
  }

  append(body: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(new LogError('CLOSED'));
    const { waitingBytesMax = WAITING_BYTES_MAX } = this.#options;
    // One append always fits, however large: else it could never be made.
    if (this.#waitingBytes > 0 && this.#waitingBytes + body.length > waitingBytesMax) {
      return Promise.reject(new LogError('BUSY'));
    }
    return new Promise((resolve, reject) => {
      // The waiter is registered before the effects run: a group of one commits inside the step.
      const effects = this.#raft.step({ kind: 'propose', bodies: [body] });
      const first = effects[0];
      if (first?.kind === 'proposed') {
        this.#waitingBytes += body.length;
        this.#waiters.push({ index: first.last, bytes: body.length, resolve, reject });
      } else {
        assert(first?.kind === 'proposal-refused', 'a proposal is taken or refused');
        reject(new LogError(first.why === 'busy' ? 'BUSY' : 'NOT_LEADER'));
      }
      this.#perform(effects);
    });
  }

  readBarrier(): Promise<void> {
    if (this.#closed) return Promise.reject(new LogError('CLOSED'));
    return this.#reads.wait();
  }

  /** Stops time, fails what waits, and closes transport and store. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#end();
    await this.#transport.close();
    await this.#store.close();
  }

  #tick(): void {
    const now = this.#clock.nowMs();
    const elapsed = now - this.#tickedAtMs;
    this.#tickedAtMs = now;
    this.#reads.expire(now);
    // A member that slept must not blame the leader for its own absence: what arrived meanwhile
    // is still in the socket. So one tick never counts for more than half a heartbeat.
    const elapsedMs = Math.min(elapsed, this.#options.timing.heartbeatMs / 2);
    this.#step({ kind: 'tick', elapsedMs });
  }

  #step(input: Input): void {
    this.#perform(this.#raft.step(input));
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'save-hard-state':
          this.#guard(() => this.#store.saveHardState(effect.state));
          break;
        case 'truncate':
          this.#guard(() => this.#store.truncate(effect.after));
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
          break;
        case 'role':
          this.#roleChanged(effect);
          break;
        case 'proposed':
        case 'proposal-refused':
          break; // `append` looks at these itself.
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
    const last = entries.at(-1);
    assert(last !== undefined, 'an append has entries');
    this.#guard(() =>
      this.#store.append(entries, (error) => {
        if (this.#closed) return;
        if (error !== undefined) this.#fail(error);
        else this.#step({ kind: 'persisted', index: last.index, term: last.term });
      }),
    );
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
    do {
      const entries =
        first > effect.last ? [] : this.#store.entries(first, effect.last, PUSH_BYTES_MAX);
      this.#transport.sendPush({ ...effect, prevIndex, prevTerm }, entries);
      const last = entries.at(-1);
      if (last === undefined) return;
      prevIndex = last.index;
      prevTerm = last.term;
      first = logIndex(last.index + 1);
    } while (first <= effect.last);
  }

  #applyCommitted(): void {
    if (this.#applyScheduled) return;
    let bytes = 0;
    const commit = this.#raft.commitIndex;
    while (this.#appliedIndex < commit) {
      const entries = this.#store.entries(
        logIndex(this.#appliedIndex + 1),
        commit,
        APPLY_BYTES_PER_TURN,
      );
      for (const entry of entries) {
        assert(entry.index === this.#appliedIndex + 1, 'entries are applied in log order');
        this.#options.apply(entry);
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
    this.#resolveApplied();
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
      waiter.resolve();
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
    this.#end();
    this.#options.onFatal(error);
  }

  /** Stops time and fails what waits; nothing is done after it. */
  #end(): void {
    this.#closed = true;
    this.#tickTimer?.();
    this.#pollTimer?.();
    this.#failWaiters('CLOSED');
    this.#reads.failAll('CLOSED');
  }
}

/** Bytes of entries in one push frame; well under the 16 MiB frame limit. */
const PUSH_BYTES_MAX = 1024 * 1024;
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
