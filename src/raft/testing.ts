/**
 * A group of cores with a network and disks that do only what a test tells them to.
 *
 * Messages wait in `network` until somebody delivers, drops or repeats them; appended entries wait
 * for `flush`; a restart keeps what was flushed. One thread, no time but ticks.
 */
import assert from 'node:assert/strict';
import { type LogIndex, logIndex, term } from '../lib/brand.js';
import { Prng } from '../lib/prng.js';
import { decodeConfiguration, votersOnly } from './configuration.js';
import { Raft } from './raft.js';
import {
  type Effect,
  type Entry,
  fastTiming,
  type HardState,
  type Input,
  type MemberId,
  type Message,
  type RaftOptions,
  type TermRun,
} from './types.js';

export interface GroupOptions {
  readonly size: number;
  readonly seed: number;
  readonly raft?: Partial<RaftOptions>;
  /** Pushes are cut into messages of so many entries, as a loop does that bounds its frames. */
  readonly entriesPerMessageMax?: number;
  /** Sees each effect before it is performed. */
  readonly onEffect?: (member: MemberId, effect: Effect) => void;
  /** Whether a message may leave for `network`; all may when not given. */
  readonly carries?: (message: Message) => boolean;
}

export class SimulatedMember {
  readonly id: MemberId;
  raft: Raft;
  hardState: HardState = { term: term(0), votedFor: null };
  /** All that was appended; entry n is at n - 1. */
  log: Entry[] = [];
  /** So many of them survive a crash. */
  durable = 0;
  /** The last entry of each append that is not yet reported as persisted. */
  flushes: Entry[] = [];
  /** How many times it has started. */
  life = 1;

  constructor(id: MemberId, start: (member: SimulatedMember) => Raft) {
    this.id = id;
    this.raft = start(this);
  }

  entry(index: LogIndex): Entry {
    const entry = this.log[index - 1];
    assert(entry !== undefined, `${this.id} has no entry ${index}`);
    return entry;
  }
}

export class Group {
  readonly members = new Map<MemberId, SimulatedMember>();
  network: Message[] = [];
  readonly #options: GroupOptions;
  readonly #chance: Prng;

  constructor(options: GroupOptions) {
    this.#options = options;
    this.#chance = new Prng(options.seed);
    for (const id of this.#ids()) {
      this.members.set(id, new SimulatedMember(id, (member) => this.#start(member)));
    }
  }

  member(id: MemberId): SimulatedMember {
    const member = this.members.get(id);
    assert(member !== undefined, `no member ${id}`);
    return member;
  }

  step(id: MemberId, input: Input, elapsedMs = 0): void {
    const member = this.member(id);
    for (const effect of member.raft.step(input, elapsedMs)) {
      this.#options.onEffect?.(id, effect);
      this.#perform(member, effect);
    }
  }

  /** The oldest append of this member becomes durable. */
  flush(id: MemberId): void {
    const member = this.member(id);
    const last = member.flushes.shift();
    if (last === undefined) return;
    const held = member.log[last.index - 1];
    if (held === last) member.durable = Math.max(member.durable, last.index);
    // The same (index, term) appended anew: a store does not report what it has cut off meanwhile.
    else if (held?.term === last.term) return;
    this.step(id, { kind: 'persisted', index: last.index, term: last.term });
  }

  /** Delivers one message, which the caller has taken from `network`. */
  deliver(message: Message): void {
    this.step(message.to, { kind: 'receive', message });
  }

  /** A crash and a new start. @param kept unflushed entries that reached the disk by luck. */
  restart(id: MemberId, kept = 0): void {
    const member = this.member(id);
    member.log.length = Math.min(member.log.length, member.durable + kept);
    member.durable = member.log.length;
    member.flushes = [];
    member.life += 1;
    member.raft = this.#start(member);
  }

  #ids(): readonly MemberId[] {
    return Array.from({ length: this.#options.size }, (_, i) => `${i + 1}`);
  }

  #start(member: SimulatedMember): Raft {
    return new Raft(
      {
        self: member.id,
        configuration: votersOnly(this.#ids()),
        timing: fastTiming,
        pushesInFlightMax: 4,
        entriesPerPushMax: 4,
        retransmitAfterMs: 50,
        uncommittedMax: 64,
        readsWaitingMax: 16,
        outOfOrderMax: 8,
        ...this.#options.raft,
      },
      {
        hardState: member.hardState,
        snapshot: null,
        firstIndex: logIndex(1),
        runs: termRuns(member.log),
        lastIndex: logIndex(member.log.length),
        configurations: member.log
          .filter(({ kind }) => kind === 'configuration')
          .map(({ body, index }) => ({ index, configuration: decodeConfiguration(body) })),
      },
      this.#chance.fork(),
    );
  }

  #perform(member: SimulatedMember, effect: Effect): void {
    switch (effect.kind) {
      case 'save-hard-state':
        member.hardState = effect.state;
        break;
      case 'truncate':
        assert(effect.after < member.log.length, 'truncated nothing');
        member.log.length = effect.after;
        member.durable = Math.min(member.durable, effect.after);
        break;
      case 'append': {
        const last = effect.entries.at(-1);
        assert(last !== undefined, 'appended nothing');
        assert.equal(effect.entries[0]?.index, member.log.length + 1, 'appended with a gap');
        member.log.push(...effect.entries);
        member.flushes.push(last);
        break;
      }
      case 'send':
        this.#post(effect.message);
        break;
      case 'send-push':
        this.#push(member, effect);
        break;
      case 'commit':
        assert(effect.index <= member.log.length, 'committed what it does not have');
        break;
      default:
        break; // Nothing that a disk or a network has to do with.
    }
  }

  #push(member: SimulatedMember, push: Extract<Effect, { kind: 'send-push' }>): void {
    const perMessage = this.#options.entriesPerMessageMax ?? Number.MAX_SAFE_INTEGER;
    let prevIndex: number = push.prevIndex;
    do {
      const entries = member.log.slice(prevIndex, Math.min(push.last, prevIndex + perMessage));
      this.#post({
        kind: 'push',
        from: member.id,
        to: push.to,
        term: push.term,
        prevIndex: logIndex(prevIndex),
        prevTerm: member.log[prevIndex - 1]?.term ?? term(0),
        commitIndex: push.commitIndex,
        entries,
      });
      prevIndex += entries.length;
    } while (prevIndex < push.last);
  }

  #post(message: Message): void {
    if (this.#options.carries?.(message) ?? true) this.network.push(message);
  }
}

function termRuns(log: readonly Entry[]): readonly TermRun[] {
  const runs: TermRun[] = [];
  for (const entry of log) {
    if (runs.at(-1)?.term !== entry.term) runs.push({ first: entry.index, term: entry.term });
  }
  return runs;
}
