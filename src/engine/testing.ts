/**
 * A group of log engines for tests: virtual time, a network in memory, stores in memory. Nothing
 * moves but by `advance` and `settle`, so a history depends on nothing but its test and its seed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silent } from '../lib/logger.js';
import { Prng } from '../lib/prng.js';
import { VirtualClock } from '../lib/virtual-clock.js';
import { LoopbackNetwork } from '../net/loopback.js';
import { votersOnly } from '../raft/configuration.js';
import {
  type ElectionTiming,
  type Entry,
  fastTiming,
  type MemberId,
  type Message,
} from '../raft/types.js';
import { MemoryStore, type MemoryStoreOptions } from '../storage/memory-store.js';
import { type Handoff, LogEngine, type LogStatus } from './log-engine.js';
import type { SnapshotPolicy } from './snapshots.js';
import type { SnapshotSink, SnapshotSource } from './state-machine.js';

export interface TestClusterOptions extends Partial<MemoryStoreOptions> {
  /** Members `n0`, `n1`, …; default 3. */
  readonly size?: number;
  readonly seed?: number;
  readonly handoff?: Handoff;
  readonly timing?: ElectionTiming;
  readonly uncommittedMax?: number;
  readonly waitingBytesMax?: number;
  readonly pushWindowBytesMax?: number;
  readonly snapshots?: SnapshotPolicy;
}

/** One member, over all its lives. */
export class TestMember {
  readonly id: MemberId;
  store: MemoryStore;
  log: LogEngine;
  /** Bodies that this life applied, as text; a leader's first entries are left out. */
  applied: string[] = [];
  statuses: LogStatus[] = [];
  readonly failures: Error[] = [];
  /** Also told of every entry that is applied. */
  onApply: (entry: Entry) => void = () => {};

  constructor(id: MemberId, store: MemoryStore, start: (member: TestMember) => LogEngine) {
    this.id = id;
    this.store = store;
    this.log = start(this);
  }
}

const TICK_MS = 10;
/** Turns without a message after which nothing will move any more: commits take two, reads three. */
const QUIET_TURNS = 4;

export class TestCluster {
  readonly clock = new VirtualClock();
  readonly network = new LoopbackNetwork();
  readonly members: readonly TestMember[];
  /** Messages for which this is true are lost on their way. */
  drops: (message: Message) => boolean = () => false;
  /** Messages that arrived, oldest first. */
  readonly delivered: Message[] = [];
  readonly #options: TestClusterOptions;
  readonly #chance: Prng;
  readonly #isCut = new Set<MemberId>();

  constructor(options: TestClusterOptions = {}) {
    this.#options = options;
    this.#chance = new Prng(options.seed ?? 1);
    const completion = options.completion ?? 'at-once';
    this.members = this.#ids().map(
      (id) =>
        new TestMember(id, new MemoryStore({ completion }), (member) => this.#startLife(member)),
    );
  }

  member(id: MemberId): TestMember {
    const member = this.members.find((other) => other.id === id);
    assert(member !== undefined, `no member ${id}`);
    return member;
  }

  /** Members other than `one`. */
  others(one: TestMember): readonly TestMember[] {
    return this.members.filter((member) => member !== one);
  }

  start(): void {
    for (const { log } of this.members) log.start();
  }

  /** Cuts a member off from all others. */
  cut(member: TestMember): void {
    this.#isCut.add(member.id);
  }

  heal(): void {
    this.#isCut.clear();
    this.drops = () => false;
  }

  /** Lets `ms` pass, ten at a time by default, with everything that this sets in motion. */
  async advance(ms: number, stepMs = TICK_MS): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(stepMs);
      await this.settle();
    }
  }

  /** Delivers messages and ends turns until nothing moves any more; no time passes. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      if (this.network.deliver() > 0) quiet = 0;
      await promisesSettled();
      this.clock.finishTurn();
    }
  }

  /** Starts if need be, and lets time pass until a member among `candidates` serves. */
  async serving(candidates: readonly TestMember[] = this.members): Promise<TestMember> {
    const passed = () => candidates.find(({ log }) => log.isServing);
    for (let waitedMs = 0; waitedMs < 30_000 && passed() === undefined; waitedMs += TICK_MS) {
      await this.advance(TICK_MS);
    }
    const leader = passed();
    assert(leader !== undefined, 'a quorum elects a leader');
    return leader;
  }

  /** As `kill -9` and a start: the member keeps what its store held durably, and nothing else. */
  restart(member: TestMember): void {
    void member.log.close();
    member.store = member.store.crash();
    member.applied = [];
    member.statuses = [];
    member.log = this.#startLife(member);
    member.log.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map(({ log }) => log.close()));
  }

  #ids(): MemberId[] {
    return Array.from({ length: this.#options.size ?? 3 }, (_, index) => `n${index}`);
  }

  #startLife(member: TestMember): LogEngine {
    const {
      handoff = 'wake',
      timing = fastTiming,
      uncommittedMax,
      waitingBytesMax,
      pushWindowBytesMax,
    } = this.#options;
    const transport = this.network.join(member.id, (message) => {
      if (this.#isCut.has(message.from) || this.#isCut.has(message.to)) return;
      if (this.drops(message)) return;
      this.delivered.push(message);
      member.log.receive(message);
    });
    return new LogEngine({
      self: member.id,
      configuration: votersOnly(this.#ids()),
      timing,
      handoff,
      ...(uncommittedMax !== undefined && { uncommittedMax }),
      ...(waitingBytesMax !== undefined && { waitingBytesMax }),
      ...(pushWindowBytesMax !== undefined && { pushWindowBytesMax }),
      store: member.store,
      transport,
      clock: this.clock,
      chance: new Prng(this.#chance.uint32()),
      logger: silent,
      stateMachine: {
        apply(entry) {
          if (entry.body.length > 0) member.applied.push(Buffer.from(entry.body).toString());
          member.onApply(entry);
        },
        snapshot: () => listSource(member.applied),
        restore: () =>
          listSink((applied) => {
            member.applied = applied;
          }),
      },
      ...(this.#options.snapshots !== undefined && { snapshots: this.#options.snapshots }),
      onStatus: (status) => member.statuses.push(status),
      onFatal: (error) => member.failures.push(error),
    });
  }
}

/** A test of a group with a leader that serves; closed when the test has ended. */
export function groupTest(
  name: string,
  options: TestClusterOptions,
  run: (cluster: TestCluster, leader: TestMember) => Promise<void>,
): void {
  test(name, async () => {
    const cluster = new TestCluster(options);
    cluster.start();
    try {
      await run(cluster, await cluster.serving());
    } finally {
      await cluster.close();
    }
  });
}

/** A list of texts as a state, one part per text. */
function listSource(list: readonly string[]): SnapshotSource {
  const left = [...list];
  return {
    async next() {
      const text = left.shift();
      return text === undefined ? null : Buffer.from(`${text}\n`);
    },
    close() {},
  };
}

function listSink(done: (list: string[]) => void): SnapshotSink {
  let text = '';
  return {
    async write(part) {
      text += Buffer.from(part).toString();
    },
    async end() {
      done(text.split('\n').slice(0, -1));
    },
  };
}

/** What became of a promise so far. */
export function watch(promise: Promise<unknown>): { outcome: 'waits' | 'resolved' | Error } {
  const seen: { outcome: 'waits' | 'resolved' | Error } = { outcome: 'waits' };
  promise.then(
    () => {
      seen.outcome = 'resolved';
    },
    (error: Error) => {
      seen.outcome = error;
    },
  );
  return seen;
}

/** One turn of the real event loop: promises go on until none can. */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
