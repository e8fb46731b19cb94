/**
 * Random schedules, same seed same run: messages are lost, repeated and reordered, links are cut,
 * members crash and lose what was not durable. After every effect raft's promises are checked;
 * after every schedule the group is healed and must serve again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogIndex } from '../lib/brand.js';
import { Prng } from '../lib/prng.js';
import { Group, type SimulatedMember } from './testing.js';
import type { Effect, ElectionTiming, Entry, MemberId, Message } from './types.js';

const { RAFT_SEEDS = '300', RAFT_FIRST_SEED = '1' } = process.env;
const SEEDS = Number(RAFT_SEEDS);
const FIRST_SEED = Number(RAFT_FIRST_SEED);
const STEPS = 4_000;
/** Short, so that many terms fit into one schedule. */
const timing: ElectionTiming = {
  heartbeatMs: 40,
  leaderLostAfter: 2,
  voteIntervalMinMs: 5,
  voteIntervalMaxMs: 40,
  voteCollectMs: 40,
};

for (const size of [1, 3, 5]) {
  test(`${size} members keep raft's promises under random schedules`, () => {
    const seeds = size === 1 ? Math.ceil(SEEDS / 10) : Math.ceil(SEEDS / 2);
    const seen = { commits: 0, leaders: 0, reads: 0, truncations: 0 };
    for (let seed = FIRST_SEED; seed < FIRST_SEED + seeds; seed += 1) {
      const schedule = new Schedule(size, seed);
      try {
        schedule.run(STEPS);
        schedule.healAndServe();
      } catch (cause) {
        const replay = `RAFT_SEEDS=1 RAFT_FIRST_SEED=${seed}, ${size} members`;
        throw new Error(`${cause instanceof Error ? cause.stack : cause}\nreplay: ${replay}`);
      }
      seen.commits += schedule.committed.length;
      seen.leaders += schedule.leaders.size;
      seen.reads += schedule.readsProved;
      seen.truncations += schedule.truncations;
    }
    // A schedule that never elects or never commits would keep every promise.
    assert(seen.commits > seeds * 20, `${seen.commits} commits`);
    assert(seen.leaders > seeds * (size === 1 ? 1 : 2), `${seen.leaders} leaders`);
    assert(seen.reads > seeds * 20, `${seen.reads} reads`);
    assert(size === 1 || seen.truncations > seeds / 10, `${seen.truncations} truncations`);
  });
}

/** How unkind one schedule is; drawn once per seed, so that seeds differ in kind. */
interface Climate {
  readonly loss: number;
  readonly repeat: number;
  readonly reorder: number;
  /** The chance that a message is held back, to arrive when the world has moved on. */
  readonly delay: number;
  /** The chance that one of those arrives, per message that is on time. */
  readonly lateness: number;
  readonly cut: number;
  readonly crash: number;
  /** The chance that a leader is replaced behind its back. */
  readonly replace: number;
  /** The chance that a waiting append becomes durable in a step. */
  readonly flush: number;
}

class Schedule {
  readonly committed: Entry[] = [];
  /** The term in which each of these was first known to be committed. */
  readonly #committedIn: number[] = [];
  /** By term: member and the life in which it led. */
  readonly leaders = new Map<number, string>();
  readsProved = 0;
  truncations = 0;

  readonly #chance: Prng;
  readonly #climate: Climate;
  readonly #group: Group;
  readonly #ids: readonly MemberId[];
  /** Which messages still pass between which members; members of one side see each other. */
  #side = new Map<MemberId, number>();
  #oneWay = false;
  /** Every entry ever appended, by index and term: there is only one, and only one before it. */
  readonly #known = new Map<string, { readonly entry: Entry; readonly prevTerm: number }>();
  readonly #reads = new Map<string, number>();
  #late: Message[] = [];
  #readId = 0;

  constructor(size: number, seed: number) {
    this.#chance = new Prng(seed);
    const chance = this.#chance;
    this.#climate = {
      loss: chance.pick([0, 0.01, 0.1]),
      repeat: chance.pick([0, 0.05, 0.2]),
      reorder: chance.pick([0, 0.1, 0.5]),
      delay: chance.pick([0, 0.02, 0.2]),
      lateness: chance.pick([0.02, 0.2]),
      cut: chance.pick([0, 0.002, 0.02]),
      crash: chance.pick([0, 0.001, 0.01]),
      replace: chance.pick([0, 0.002]),
      flush: chance.pick([0.1, 0.5, 1]),
    };
    this.#group = new Group({
      size,
      seed: chance.uint32(),
      entriesPerMessageMax: chance.pick([1, 3, 100]),
      raft: {
        timing,
        retransmitAfterMs: 20,
        pushesInFlightMax: chance.pick([1, 3, 16]),
        entriesPerPushMax: chance.pick([1, 4, 32]),
        outOfOrderMax: chance.pick([1, 8]),
      },
      onEffect: (id, effect) => this.#check(id, effect),
      carries: (message) => this.#passes(message),
    });
    this.#ids = [...this.#group.members.keys()];
  }

  run(steps: number): void {
    for (let i = 0; i < steps; i += 1) this.#step();
  }

  healAndServe(): void {
    this.#side = new Map();
    this.#late = [];
    const before = this.committed.length;
    for (let elapsedMs = 0; elapsedMs < 20_000; elapsedMs += 10) {
      for (const id of this.#ids) this.#group.step(id, { kind: 'tick' }, 10);
      this.#settle();
      const leader = this.#leader();
      if (leader === undefined) continue;
      if (this.committed.length === before) {
        this.#group.step(leader.id, { kind: 'propose', bodies: [new Uint8Array(1)] });
        continue;
      }
      const behind = this.#ids.some(
        (id) => this.#group.member(id).raft.commitIndex < this.committed.length,
      );
      if (!behind && this.#reads.size === 0) return;
    }
    assert.fail(`a healed group does not serve, ${this.#reads.size} reads wait`);
  }

  #step(): void {
    const chance = this.#chance;
    const roll = chance.unit();
    if (chance.chance(this.#climate.cut)) this.#cut();
    if (chance.chance(this.#climate.crash)) this.#crash();
    if (chance.chance(this.#climate.replace)) this.#replaceLeader();
    if (roll < 0.2) {
      const elapsedMs = chance.chance(0.01) ? 100 : chance.between(1, 40);
      this.#group.step(chance.pick(this.#ids), { kind: 'tick' }, elapsedMs);
    } else if (roll < 0.27) {
      const bodies = Array.from({ length: chance.between(1, 3) }, () => new Uint8Array(1));
      this.#group.step(this.#anyLeader(), { kind: 'propose', bodies });
    } else if (roll < 0.34) {
      this.#read(chance.chance(0.5) ? this.#anyLeader() : chance.pick(this.#ids));
    } else if (roll < 0.5) {
      if (chance.chance(this.#climate.flush)) this.#group.flush(chance.pick(this.#ids));
    } else {
      // More members talk more: time must not run faster for them than messages do.
      for (let i = this.#chance.between(1, this.#ids.length); i > 0; i -= 1) this.#deliverOne();
    }
  }

  #deliverOne(): void {
    const { network } = this.#group;
    if (this.#late.length > 0 && this.#chance.chance(this.#climate.lateness)) {
      const [message] = this.#late.splice(this.#chance.between(0, this.#late.length - 1), 1);
      assert(message !== undefined);
      this.#group.deliver(message);
    }
    if (network.length === 0) return;
    const { loss, repeat, reorder, delay } = this.#climate;
    const at = this.#chance.chance(reorder) ? this.#chance.between(0, network.length - 1) : 0;
    const [message] = network.splice(at, 1);
    assert(message !== undefined);
    if (this.#chance.chance(repeat)) this.#late.push(message);
    if (this.#chance.chance(loss)) return;
    if (this.#chance.chance(delay)) this.#late.push(message);
    else this.#group.deliver(message);
  }

  #cut(): void {
    this.#side = new Map();
    this.#oneWay = this.#chance.chance(0.3);
    if (this.#chance.chance(0.4)) return;
    const alone = this.#chance.chance(0.5) ? this.#anyLeader() : null;
    for (const id of this.#ids) {
      this.#side.set(id, alone === null ? this.#chance.between(0, 1) : Number(id === alone));
    }
  }

  #passes(message: Message): boolean {
    const [from, to] = [this.#side.get(message.from) ?? 0, this.#side.get(message.to) ?? 0];
    return from === to || (this.#oneWay && from < to);
  }

  /**
   * The way to a stale read, made common: a leader sleeps while another takes its place and
   * commits; then its clients ask, and acknowledgements of its former life reach it.
   */
  #replaceLeader(): void {
    const old = this.#anyLeader();
    this.#side = new Map();
    this.#read(old);
    for (let i = this.#chance.between(0, 8); i > 0; i -= 1) this.#deliverOne();
    this.#side.set(old, 1);
    this.#oneWay = false;
    const { network } = this.#group;
    const held = network.filter((message) => !this.#passes(message));
    this.#group.network = network.filter((message) => this.#passes(message));
    const others = this.#ids.filter((id) => id !== old);
    const before = this.committed.length;
    for (let i = 0; i < 400 && this.committed.length === before && others.length > 0; i += 1) {
      this.#group.step(this.#chance.pick(others), { kind: 'tick' }, 10);
      for (let j = 0; j < 4 && this.#group.network.length > 0; j += 1) {
        const message = this.#group.network.shift();
        if (message !== undefined) this.#group.deliver(message);
        this.#group.flush(this.#chance.pick(others));
      }
    }
    this.#read(old);
    for (const message of held) if (message.to === old) this.#group.deliver(message);
    this.#read(old);
    this.#side = new Map();
  }

  #crash(): void {
    const id = this.#chance.pick(this.#ids);
    for (const key of this.#reads.keys()) if (key.startsWith(`${id}/`)) this.#reads.delete(key);
    this.#group.restart(id, this.#chance.between(0, 2));
    // What was on the way to it, or from it, may still arrive: its peers cannot tell.
  }

  #read(id: MemberId): void {
    this.#readId += 1;
    this.#reads.set(`${id}/${this.#readId}`, this.committed.length);
    this.#group.step(id, { kind: 'read', read: this.#readId });
  }

  #settle(): void {
    for (let i = 0; i < 10_000 && this.#group.network.length > 0; i += 1) {
      const message = this.#group.network.shift();
      assert(message !== undefined);
      this.#group.deliver(message);
      for (const id of this.#ids) this.#group.flush(id);
    }
    for (const id of this.#ids) this.#group.flush(id);
  }

  /** The leader of the highest term; nobody when no member leads. */
  #leader(): SimulatedMember | undefined {
    return [...this.#group.members.values()]
      .filter((member) => member.raft.role === 'leader')
      .sort((a, b) => b.raft.term - a.raft.term)[0];
  }

  /** Also one that is deposed and does not know it, which is who must not answer. */
  #anyLeader(): MemberId {
    const leaders = this.#ids.filter((id) => this.#group.member(id).raft.role === 'leader');
    return this.#chance.pick(leaders.length > 0 ? leaders : this.#ids);
  }

  #check(id: MemberId, effect: Effect): void {
    const member = this.#group.member(id);
    switch (effect.kind) {
      case 'role':
        if (effect.role === 'leader') this.#checkLeader(member, effect.term);
        break;
      case 'append':
        this.#checkAppend(member, effect.entries);
        break;
      case 'truncate':
        this.truncations += 1;
        break;
      case 'commit':
        this.#checkCommit(member, effect.index);
        break;
      case 'read-ready': {
        const key = `${id}/${effect.read}`;
        const floor = this.#reads.get(key);
        assert(floor !== undefined, `read ${key} was answered twice, or never asked`);
        assert(effect.index >= floor, `read ${key} at ${effect.index} misses commit ${floor}`);
        this.#reads.delete(key);
        this.readsProved += 1;
        break;
      }
      case 'read-refused':
        assert(this.#reads.delete(`${id}/${effect.read}`), 'a read was refused after its answer');
        break;
      case 'save-hard-state':
      case 'send':
      case 'send-push':
      case 'proposed':
      case 'proposal-refused':
        break;
    }
  }

  #checkLeader(member: SimulatedMember, term: number): void {
    const who = `${member.id} in life ${member.life}`;
    assert.equal(this.leaders.get(term) ?? who, who, `two leaders in term ${term}`);
    this.leaders.set(term, who);
    for (const [at, entry] of this.committed.entries()) {
      // A late vote may still elect the leader of a term that is long over: it owes less.
      if ((this.#committedIn[at] as number) > term) break;
      assert(member.log[entry.index - 1] === entry, `leader ${who} lacks commit ${entry.index}`);
    }
  }

  #checkAppend(member: SimulatedMember, entries: readonly Entry[]): void {
    let prevTerm: number = member.log.at(-1)?.term ?? 0;
    for (const entry of entries) {
      const key = `${entry.index}@${entry.term}`;
      const known = this.#known.get(key);
      if (known === undefined) this.#known.set(key, { entry, prevTerm });
      else assert(known.entry === entry && known.prevTerm === prevTerm, `two logs have ${key}`);
      prevTerm = entry.term;
    }
  }

  #checkCommit(member: SimulatedMember, index: LogIndex): void {
    // Logs that agree at one entry agree before it: that is checked at each append.
    const both = Math.min(index, this.committed.length);
    assert(
      both === 0 || member.log[both - 1] === this.committed[both - 1],
      `commit ${both} changed`,
    );
    for (let at = this.committed.length + 1; at <= index; at += 1) {
      const entry = member.log[at - 1];
      assert(entry !== undefined);
      let holders = 0;
      for (const other of this.#group.members.values()) {
        if (other.durable >= at && other.log[at - 1] === entry) holders += 1;
      }
      assert(holders > this.#ids.length / 2, `commit ${at} is durable on ${holders} only`);
      this.committed.push(entry);
      this.#committedIn.push(member.raft.term);
    }
  }
}
