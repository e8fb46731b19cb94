/**
 * One death of a leader, told by cores alone: three members, a network with a delay, one seed.
 *
 * The time between the death and the next leader depends on nothing but the rules, the timing and
 * chance, so no engine, disk or socket is needed, and ten thousand trials take seconds.
 */
import assert from 'node:assert/strict';
import { logIndex, type Term, term } from '../../lib/brand.js';
import { Prng } from '../../lib/prng.js';
import { votersOnly } from '../../raft/configuration.js';
import { Raft } from '../../raft/raft.js';
import type { ElectionRule, ElectionTiming, Entry, Message } from '../../raft/types.js';

export interface TrialOptions {
  readonly rule: ElectionRule;
  readonly timing: ElectionTiming;
  readonly seed: number;
  /** One way, at least and at most. */
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
}

export interface FailoverResult {
  /** From the death to the moment when another member leads; null when none did within the bound. */
  readonly failoverMs: number | null;
  /** How many terms it took. */
  readonly terms: number;
}

/** Trials that take longer count as endless. */
const FAILOVER_MAX_MS = 120_000;
const ids = ['1', '2', '3'] as const;

interface InFlight {
  readonly atMs: number;
  readonly message: Message;
}

class ElectionGroup {
  readonly #chance: Prng;
  readonly #options: TrialOptions;
  readonly #cores = new Map<string, Raft>();
  /** The term of each entry, by member; only leaders' first entries are in these logs. */
  readonly #logs = new Map<string, Term[]>(ids.map((id) => [id, []]));
  readonly #tickMs: number;
  #inFlight: InFlight[] = [];
  /** Members that hear and reach nobody; the dead do not run either. */
  readonly cutOff = new Set<string>();
  readonly dead = new Set<string>();
  nowMs = 0;

  constructor(options: TrialOptions) {
    this.#options = options;
    this.#chance = new Prng(options.seed);
    // Fine enough for the shortest of the waits, and not finer.
    this.#tickMs = Math.max(
      1,
      Math.min(options.timing.heartbeatMs, options.timing.voteIntervalMinMs) / 10,
    );
    for (const self of ids) {
      const core = new Raft(
        {
          self,
          configuration: votersOnly(ids),
          timing: options.timing,
          electionRule: options.rule,
          pushesInFlightMax: 4,
          entriesPerPushMax: 4,
          retransmitAfterMs: options.timing.heartbeatMs * 2,
          uncommittedMax: 16,
          readsWaitingMax: 16,
          outOfOrderMax: 4,
        },
        {
          hardState: { term: term(0), votedFor: null },
          snapshot: null,
          firstIndex: logIndex(1),
          runs: [],
          lastIndex: logIndex(0),
          configurations: [],
        },
        this.#chance.fork(),
      );
      this.#cores.set(self, core);
    }
  }

  core(id: string): Raft {
    const core = this.#cores.get(id);
    assert(core !== undefined);
    return core;
  }

  /** The living member that leads the highest term. */
  get leader(): string | null {
    let leader: string | null = null;
    for (const [id, core] of this.#cores) {
      if (this.dead.has(id) || core.role !== 'leader') continue;
      if (leader === null || core.term > this.core(leader).term) leader = id;
    }
    return leader;
  }

  /** @returns whether `until` came true before `ms` had passed. */
  run(ms: number, until: () => boolean = () => false): boolean {
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs) {
      this.nowMs += this.#tickMs;
      this.#deliver();
      for (const id of ids) this.#step(id, { kind: 'tick' }, this.#tickMs);
      if (until()) return true;
    }
    return false;
  }

  #deliver(): void {
    for (;;) {
      let next: InFlight | undefined;
      for (const flying of this.#inFlight) {
        if (flying.atMs <= this.nowMs && (next === undefined || flying.atMs < next.atMs))
          next = flying;
      }
      if (next === undefined) return;
      this.#inFlight.splice(this.#inFlight.indexOf(next), 1);
      const { message } = next;
      if (this.cutOff.has(message.to) || this.cutOff.has(message.from)) continue;
      this.#step(message.to, { kind: 'receive', message });
    }
  }

  #step(id: string, input: Parameters<Raft['step']>[0], elapsedMs = 0): void {
    if (this.dead.has(id)) return;
    const log = this.#logs.get(id);
    assert(log !== undefined);
    for (const effect of this.core(id).step(input, elapsedMs)) {
      if (effect.kind === 'send') this.#post(effect.message);
      else if (effect.kind === 'send-push') {
        const entries: Entry[] = [];
        for (let index = effect.first; index <= effect.last; index = logIndex(index + 1)) {
          entries.push({ term: log[index - 1] as Term, index, kind: 'data', body: nothing });
        }
        const { to, term, prevIndex, prevTerm, commitIndex } = effect;
        this.#post({ kind: 'push', from: id, to, term, prevIndex, prevTerm, commitIndex, entries });
      } else if (effect.kind === 'truncate') {
        log.length = effect.after;
      } else if (effect.kind === 'append') {
        const last = effect.entries.at(-1);
        assert(last !== undefined);
        for (const entry of effect.entries) log.push(entry.term);
        this.#step(id, { kind: 'persisted', index: last.index, term: last.term });
      }
    }
  }

  #post(message: Message): void {
    const { delayMinMs, delayMaxMs } = this.#options;
    const delayMs = delayMinMs + this.#chance.unit() * (delayMaxMs - delayMinMs);
    this.#inFlight.push({ atMs: this.nowMs + delayMs, message });
  }
}

const nothing = new Uint8Array(0);

/** Elects a leader, lets it lead for a random while, and takes it away. */
export function failover(options: TrialOptions): FailoverResult {
  const group = new ElectionGroup(options);
  const phase = new Prng(options.seed ^ 0x5eed);
  if (!group.run(FAILOVER_MAX_MS, () => group.leader !== null))
    return { failoverMs: null, terms: 0 };
  group.run(options.timing.heartbeatMs * (2 + phase.unit()));
  const { leader } = group;
  if (leader === null) return { failoverMs: null, terms: 0 };
  const before = group.core(leader).term;
  group.dead.add(leader);
  const diedAtMs = group.nowMs;
  const again = group.run(FAILOVER_MAX_MS, () => group.leader !== null);
  const next = group.leader;
  if (!again || next === null) return { failoverMs: null, terms: 0 };
  return { failoverMs: group.nowMs - diedAtMs, terms: group.core(next).term - before };
}

/** By how much the term of a follower rises that is cut off for `isolatedMs`. */
export function isolatedTermGrowth(options: TrialOptions, isolatedMs: number): number {
  const group = new ElectionGroup(options);
  group.run(FAILOVER_MAX_MS, () => group.leader !== null);
  group.run(options.timing.heartbeatMs * 3);
  const alone = ids.find((id) => id !== group.leader);
  assert(alone !== undefined);
  const before = group.core(alone).term;
  group.cutOff.add(alone);
  group.run(isolatedMs);
  return group.core(alone).term - before;
}
