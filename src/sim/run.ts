/**
 * One simulated run: a group, its brokers and clients, the faults of a seed, and the checkers.
 *
 * Faults strike in the safety phase. Then a core is healed, a majority that must come right in bounded
 * time whatever is the matter with the others: a leader must serve, members must agree, every broker
 * set that can have a master must have one. Then all is healed, and all must come right.
 */
import type { StateView } from '../controller/state.js';
import { type LogIndex, logIndex, type Term } from '../lib/brand.js';
import { Prng } from '../lib/prng.js';
import type { Entry, SnapshotHead } from '../raft/types.js';
import type { ControllerBuild } from '../server/parts.js';
import type { LogStore } from '../storage/log-store.js';
import { BrokerHost } from './broker-host.js';
import { AppliedEqual } from './checkers/applied-equal.js';
import { BrokerSets } from './checkers/broker-sets.js';
import { Configurations, type Leads } from './checkers/configurations.js';
import { checkReign } from './checkers/core-undisturbed.js';
import {
  checkReplaced,
  leaderlessSets,
  REPLACE_WITHIN_MS,
} from './checkers/dead-masters-replaced.js';
import { fullDiskObjection } from './checkers/full-disk-survived.js';
import { checkHistories, type Decided } from './checkers/histories.js';
import { disagreement, servesAndAgrees } from './checkers/liveness.js';
import { NoAcknowledgedLoss } from './checkers/no-acknowledged-loss.js';
import { foundBy } from './checkers/no-crash.js';
import { NoDeadInSyncSet } from './checkers/no-dead-in-sync-set.js';
import { checkRebuild } from './checkers/no-false-damage.js';
import { HEARD_AGAIN_WITHIN_MS, NoNeedlessElection } from './checkers/no-needless-election.js';
import { OneLeaderPerTerm } from './checkers/one-leader-per-term.js';
import { ReadIndexNeverStale } from './checkers/read-index-never-stale.js';
import { TermsOnlyRise } from './checkers/terms-only-rise.js';
import { Violation } from './checkers/violation.js';
import { ControllerClient, type SetRequest } from './controller-client.js';
import { Coverage, type Transition } from './coverage.js';
import { SimDisk } from './disk.js';
import type { ScheduledFault } from './faults.js';
import { History } from './history.js';
import { KvClient } from './kv-client.js';
import { MemberHost } from './member-host.js';
import { Nemesis } from './nemesis.js';
import { SimNetwork } from './network.js';
import type { Observer } from './observer.js';
import { controllerProgram, GROUP, kvProgram } from './programs.js';
import { ReplicatedLog } from './replicated-log.js';
import type { SimOptions } from './swarm.js';
import type { TimelineEvent } from './timeline.js';
import type { ControllerOp, KvOp, ScheduledOp } from './workload.js';
import { World } from './world.js';

export interface RunPlan {
  readonly options: SimOptions;
  readonly faults: readonly ScheduledFault[];
  readonly workload: readonly ScheduledOp[];
}

export interface RunResult {
  readonly seed: number;
  readonly violation: {
    readonly checker: string;
    readonly what: string;
    readonly atMs: number;
  } | null;
  readonly traceHash: string;
  readonly simulatedMs: number;
  readonly events: number;
  readonly operations: number;
  /** Whose linearizability was looked at; none when something else failed before. */
  readonly decided: Decided;
  readonly coverage: Coverage;
  readonly story: Story;
}

/** For the timeline. */
export interface Story {
  readonly events: readonly TimelineEvent[];
  readonly roles: readonly {
    readonly atMs: number;
    readonly member: string;
    readonly role: string;
    readonly label: string;
  }[];
  readonly faults: Nemesis['spans'];
  readonly operations: History['operations'];
}

const BASE_PORT = 9_000;
/** Machines that may become members. */
const SPARES = 3;
const EVENTS_KEPT = 5_000;
/** How long a group that has come right must stay so. */
const CALM_MS = 5_000;
/** What began before healing, a pause or a hand-over, is over by then. */
const SETTLE_MS = 6_000;
const LOOK_EVERY_MS = 50;

export async function simulate(plan: RunPlan, build: ControllerBuild): Promise<RunResult> {
  const run = new Run(plan, build);
  return run.run();
}

class Run implements Observer {
  readonly #plan: RunPlan;
  readonly #world = new World();
  readonly #chance: Prng;
  readonly #network: SimNetwork;
  readonly #hosts: MemberHost[];
  readonly #hostById: ReadonlyMap<string, MemberHost>;
  readonly #brokers: BrokerHost[] = [];
  readonly #clients: { open(): void; do(op: ScheduledOp['op']): void }[] = [];
  readonly #nemesis: Nemesis;
  readonly #history = new History();
  readonly #coverage = new Coverage();
  readonly #events: TimelineEvent[] = [];
  readonly #roles: { atMs: number; member: string; role: string; label: string }[] = [];

  readonly #leaders = new OneLeaderPerTerm();
  readonly #log = new ReplicatedLog();
  readonly #acknowledged = new NoAcknowledgedLoss();
  readonly #reads = new ReadIndexNeverStale();
  readonly #equal = new AppliedEqual();
  readonly #sets = new BrokerSets();
  readonly #elections = new NoNeedlessElection();
  readonly #inStep = new NoDeadInSyncSet();
  readonly #configurations = new Configurations();
  readonly #terms = new TermsOnlyRise();
  #appliedMax = 0;
  #epochs = 0;

  constructor(plan: RunPlan, build: ControllerBuild) {
    this.#plan = plan;
    const { options } = plan;
    this.#chance = new Prng(options.seed ^ 0x0051_a7e5);
    this.#network = new SimNetwork(this.#world, this.#chance.fork(), {
      delayMinMs: options.delayMinMs,
      delayMeanMs: options.delayMeanMs,
      lossShare: options.lossShare,
      duplicationShare: options.duplicationShare,
      reorderingShare: options.reorderingShare,
    });
    const all = Array.from({ length: options.members + SPARES }, (_, i) => ({
      id: `n${i}`,
      host: `n${i}`,
      port: BASE_PORT,
      address: `n${i}:${BASE_PORT}`,
    }));
    const peers = all.slice(0, options.members);
    this.#hosts = all.map(
      ({ address, id }) =>
        new MemberHost({
          id,
          address,
          world: this.#world,
          network: this.#network,
          disk: new SimDisk(this.#world, this.#chance.fork(), options.syncMs),
          chance: this.#chance.fork(),
          durability: options.durability,
          group: GROUP,
          segmentBytesMax: options.segmentBytesMax,
          formatVersion: options.formatVersion,
          observer: this,
          assemble: (ports) =>
            options.subject === 'kv'
              ? kvProgram(ports, options, peers)
              : controllerProgram(ports, options, peers, build),
        }),
    );
    this.#hostById = new Map(this.#hosts.map((host) => [host.id, host]));
    const addresses = peers.map(({ address }) => address);
    if (options.subject === 'kv') this.#addKvClients(addresses);
    else this.#addBrokers(addresses);
    this.#nemesis = new Nemesis({
      world: this.#world,
      network: this.#network,
      hosts: this.#hosts,
      brokers: this.#brokers,
      chance: this.#chance.fork(),
      options,
    });
    this.#nemesis.onHandedOver = () => this.#met('leadership handed over');
  }

  #addBrokers(controllers: readonly string[]): void {
    const { brokerSets, clients, replicas } = this.#plan.options;
    const setNames = Array.from({ length: brokerSets }, (_, i) => `set-${i}`);
    for (const brokerName of setNames) {
      const set: BrokerHost[] = [];
      for (let i = 0; i < replicas; i += 1) {
        set.push(
          new BrokerHost({
            world: this.#world,
            network: this.#network,
            chance: this.#chance.fork(),
            brokerName,
            address: `${brokerName}-${i}:${BASE_PORT}`,
            controllers,
            siblings: () => set,
            history: this.#history,
          }),
        );
      }
      this.#brokers.push(...set);
    }
    for (let i = 0; i < clients; i += 1) {
      const client = new ControllerClient({
        name: `client-${i}`,
        world: this.#world,
        network: this.#network,
        controllers,
        setNames,
        history: this.#history,
      });
      this.#clients.push({ open: () => client.open(), do: (op) => client.do(op as ControllerOp) });
    }
  }

  #addKvClients(members: readonly string[]): void {
    for (let i = 0; i < this.#plan.options.clients; i += 1) {
      const client = new KvClient({
        name: `client-${i}`,
        world: this.#world,
        network: this.#network,
        members,
        history: this.#history,
      });
      this.#clients.push({ open: () => client.open(), do: (op) => client.do(op as KvOp) });
    }
  }

  async run(): Promise<RunResult> {
    const { faults, options, workload } = this.#plan;
    const world = this.#world;
    let violation: RunResult['violation'] = null;
    let decided: Decided = { histories: 0, undecided: 0 };
    try {
      for (const host of this.#hosts.slice(0, options.members)) host.start();
      for (const broker of this.#brokers) {
        world.after(this.#chance.between(0, 500), () => broker.start());
      }
      for (const client of this.#clients) client.open();
      for (const { atMs, fault } of faults) {
        world.at(atMs, () => {
          this.#tell('nemesis', fault.kind);
          this.#nemesis.strike(fault);
        });
      }
      for (const { atMs, client, op } of workload) {
        world.at(atMs, () => this.#clients[client]?.do(op));
      }
      await world.run(options.safetyMs);
      await this.#healCore();
      this.#tell('nemesis', 'everything is healed');
      this.#nemesis.heal();
      await this.#converge();
      this.#acknowledged.atEnd((index) => {
        const chain = this.#log.chainAt(index);
        const all = this.#group().every(({ id }) => this.#log.follows(id, index));
        return all ? chain : null;
      });
      decided = checkHistories(this.#history.operations, options);
    } catch (error) {
      violation = { ...foundBy(error), atMs: world.nowMs };
    }
    return {
      seed: options.seed,
      violation,
      traceHash: world.hash,
      simulatedMs: world.nowMs,
      events: world.events,
      operations: this.#history.operations.length,
      decided,
      coverage: this.#coverage,
      story: {
        events: this.#events,
        roles: this.#roles,
        faults: this.#nemesis.spans,
        operations: this.#history.operations,
      },
    };
  }

  /** A core alone must come right, and go on undisturbed by those outside. */
  async #healCore(): Promise<void> {
    const { electionRule, members, outside, preferredLeader } = this.#plan.options;
    if (outside === 'nobody') return;
    const first = this.#hosts.slice(0, members);
    const initial = first.map(({ address, id }) => ({ id, address, role: 'voter' as const }));
    if (!this.#nemesis.healCore(outside, this.#configurations.lately(initial))) return;
    const without = [...this.#nemesis.outside].join();
    this.#tell('nemesis', `a core is healed, without ${without}, which is left ${outside}`);
    await this.#comeRight();
    await this.#world.run(this.#world.nowMs + SETTLE_MS);
    await this.#comeRight();
    const leader = this.#leader();
    const reign = this.#reign();
    // Offices are handed over to a leader that is preferred, a full disk and damage end one rightly, and by
    // the paper's rule whoever was out of touch, or was removed unawares, deposes leaders (thesis §4.2.3).
    const mayEnd =
      preferredLeader ||
      electionRule === 'plain' ||
      this.#nemesis.outside.has(leader?.id ?? '') ||
      this.#nemesis.unread.has(leader?.id ?? '');
    await this.#world.run(this.#world.nowMs + CALM_MS);
    checkReign({
      before: reign,
      after: this.#reign(),
      mayEnd,
      outside: `${without} left ${outside}`,
      state: () => this.#state(),
    });
  }

  async #converge(): Promise<void> {
    const { livenessMs, longCalm, subject } = this.#plan.options;
    const world = this.#world;
    const healedMs = world.nowMs;
    await this.#comeRight();
    const calmUntilMs =
      longCalm && subject === 'controller' ? healedMs + HEARD_AGAIN_WITHIN_MS + CALM_MS : 0;
    await world.run(Math.max(calmUntilMs, world.nowMs + CALM_MS));
    await this.#until(livenessMs, () => this.#servesAndAgrees());
    if (!this.#servesAndAgrees()) throw disagreement('agreement was lost in calm', this.#state());
  }

  /** In bounded time: one leader, equal states, a master for every set that can have one. */
  async #comeRight(): Promise<void> {
    const { livenessMs } = this.#plan.options;
    await this.#until(livenessMs, () => this.#servesAndAgrees());
    if (!this.#servesAndAgrees()) {
      throw disagreement(`no agreement within ${livenessMs} ms`, this.#state());
    }
    await this.#until(REPLACE_WITHIN_MS, () => this.#leaderlessSets().length === 0);
    checkReplaced(this.#leaderlessSets());
  }

  /** Runs until the condition holds, or for so long. */
  #until(forMs: number, condition: () => boolean): Promise<void> {
    const world = this.#world;
    let next = 0;
    return world.run(world.nowMs + forMs, () => {
      if (world.nowMs < next) return false;
      next = world.nowMs + LOOK_EVERY_MS;
      return condition();
    });
  }

  #servesAndAgrees(): boolean {
    return servesAndAgrees(this.#leader(), this.#group());
  }

  /**
   * Who serves. Outside the core nobody can, but for a member whose disk is full: it gives up only when
   * there is something to write.
   */
  #leader(): MemberHost | undefined {
    const mayServe = (id: string): boolean =>
      this.#plan.options.outside === 'disk-full' || !this.#nemesis.outside.has(id);
    return this.#hosts.find((host) => host.log?.isServing === true && mayServe(host.id));
  }

  #reign(): string {
    const leader = this.#leader();
    return leader === undefined ? 'nobody' : `${leader.id} in term ${leader.log?.status.term}`;
  }

  /**
   * Sets whose master is dead although a replica in step with it lives and beats to the leader. No
   * broker knows a machine that came in the place of a lost one: whom it leads, it does not hear.
   */
  #leaderlessSets(): readonly string[] {
    const leader = this.#leader();
    if (leader === undefined) return ['nobody serves'];
    const isSpare = this.#hosts.indexOf(leader) >= this.#plan.options.members;
    if (leader.controller === null || isSpare) return [];
    return leaderlessSets(leader.controller.state, (brokerName, id) =>
      this.#brokers.some(
        (broker) => broker.brokerName === brokerName && broker.id === id && broker.isAlive,
      ),
    );
  }

  #electionAskedMs(brokerName: string): number {
    const asked = this.#history.operations.findLast(
      ({ input, partition }) => partition === brokerName && (input as SetRequest).kind === 'elect',
    );
    return asked?.invokedAtMs ?? Number.NEGATIVE_INFINITY;
  }

  /** The machines that belong to the group by the leader's word, but for those lost or outside the core. */
  #group(): readonly MemberHost[] {
    const members = this.#leader()?.log?.configuration ?? [];
    const { gone, outside } = this.#nemesis;
    return this.#hosts.filter(
      ({ id }) => members.some((member) => member.id === id) && !gone.has(id) && !outside.has(id),
    );
  }

  #state(): string {
    return this.#hosts
      .map((host) => {
        const { log } = host;
        if (log === null)
          return `${host.id} down${host.failure === null ? '' : ` (${host.failure.message})`}`;
        const { leader, role, term } = log.status;
        return `${host.id} ${role} of term ${term}, leader ${leader}, log ${log.lastIndex}, committed ${log.commitIndex}, applied ${log.appliedIndex}`;
      })
      .join('; ');
  }

  // Observer

  started(member: string, life: number, store: LogStore): void {
    const entries: Entry[] = [];
    for (let next = store.firstIndex; next <= store.lastIndex; ) {
      entries.push(...store.entries(next, store.lastIndex, 1 << 20));
      next = logIndex((entries.at(-1)?.index ?? 0) + 1);
    }
    this.#log.started(member, store.snapshot?.index ?? 0, entries);
    this.#configurations.started(member, store.snapshot, entries);
    if (store.mustCatchUpTo > 0) {
      this.#met('log rebuilt');
      checkRebuild(member, this.#nemesis.damaged);
    }
    this.#roleIs(member, 'candidate', `life ${life}`);
    if (life > 1) this.#met('member restarted');
    this.#tell(
      member,
      `started, life ${life}, log ${store.lastIndex}, term ${store.hardState.term}`,
    );
    this.#terms.started(member, store.hardState.term);
  }

  ended(member: string): void {
    this.#roleIs(member, 'down', 'down');
    this.#tell(member, 'ended');
  }

  failed(member: string, error: Error): void {
    // A checker that objects to a write looks to the engine like a store that failed.
    if (error instanceof Violation) this.#world.fail(error);
    const wasRunning = this.#hostById.get(member)?.isRunning === true;
    const objection = wasRunning ? fullDiskObjection(member, error) : null;
    if (objection !== null) this.#world.fail(objection);
    this.#met('store refused');
    this.#roleIs(member, 'down', error.message);
    this.#tell(member, `failed: ${error.message}`);
    this.#nemesis.failed(member);
  }

  crashed(member: string, error: Error): void {
    this.#tell(member, `crashed: ${error.stack ?? error.message}`);
  }

  logged(member: string, _level: string, message: string, fields: object): void {
    if (message.startsWith('the disk is full')) this.#met('disk full');
    if (message !== 'raft status') this.#tell(member, `${message} ${JSON.stringify(fields)}`);
  }

  role(member: string, role: string, term: Term, isServing: boolean): void {
    this.#world.note(term);
    this.#world.note(role.length);
    this.#terms.reached(member, term);
    const before = this.#roles.findLast((known) => known.member === member);
    if (before?.role === 'leader' && role !== 'leader') this.#met('leader stepped down');
    this.#roleIs(member, role, `term ${term}${isServing ? ', serves' : ''}`);
    this.#tell(member, `${role} of term ${term}${isServing ? ', serves' : ''}`);
    if (role !== 'leader') return;
    this.#leaders.led(member, this.#hostById.get(member)?.life ?? 0, term);
    if (isServing) return;
    this.#met('leader elected');
    this.#log.led(member, term);
  }

  installed(member: string, { configuration, index }: SnapshotHead): void {
    this.#met('snapshot installed');
    this.#tell(member, `installed a snapshot of ${index}`);
    this.#configurations.installed(
      member,
      { configuration, index },
      !this.#log.holds(member, index),
    );
    this.#log.installed(member, index);
    this.#lookAtConfiguration(member);
  }

  compacted(member: string, index: LogIndex, firstIndex: LogIndex): void {
    this.#log.learn(member, index, this.#terms.of(member));
    this.#met('snapshot taken');
    if (firstIndex > 1) this.#met('log compacted');
    this.#tell(member, `took a snapshot, the log begins at ${firstIndex}`);
  }

  appended(member: string, entries: readonly Entry[]): void {
    this.#log.appended(member, entries);
    if (!entries.some(({ kind }) => kind === 'configuration')) return;
    this.#met('members changed');
    this.#configurations.appended(member, entries, this.#leads(member));
    this.#lookAtConfiguration(member);
  }

  truncated(member: string, after: LogIndex): void {
    this.#met('entries cut');
    this.#tell(member, `cut its log after ${after}`);
    this.#log.truncated(member, after);
    this.#configurations.truncated(member, after);
    this.#lookAtConfiguration(member);
  }

  applied(member: string, entry: Entry): void {
    this.#world.note(entry.index);
    this.#log.applied(member, entry, this.#terms.of(member));
    const program = this.#hostById.get(member)?.program ?? null;
    if (program === null) return;
    this.#equal.applied(member, entry.index, program.stateBytes());
    if (entry.index <= this.#appliedMax) return;
    this.#appliedMax = entry.index;
    this.#met('entries committed');
    const { controller } = program;
    if (controller === null) return;
    const epochs = sumOfEpochs(controller.state);
    if (epochs > this.#epochs) this.#met('master elected');
    this.#epochs = epochs;
    this.#sets.applied(entry.index, controller.state);
    this.#inStep.applied(
      entry.index,
      controller.state,
      this.#world.nowMs,
      (brokerName, id) =>
        this.#brokers.find((one) => one.brokerName === brokerName && one.id === id)?.lastBeatMs ??
        Number.NEGATIVE_INFINITY,
    );
    this.#elections.applied(entry.index, controller.state, {
      nowMs: this.#world.nowMs,
      calmSinceMs: this.#nemesis.hasNewcomers
        ? Number.POSITIVE_INFINITY
        : this.#nemesis.lastFaultEndsMs,
      steadySinceMs: (brokerName, id) =>
        this.#brokers.find((one) => one.brokerName === brokerName && one.id === id && one.isAlive)
          ?.steadySinceMs ?? Number.POSITIVE_INFINITY,
      electionAskedMs: (brokerName) => this.#electionAskedMs(brokerName),
    });
  }

  acknowledged(_member: string, index: LogIndex): void {
    this.#met('write answered');
    this.#acknowledged.acknowledged(index, this.#log.chainAt(index));
  }

  readBegun(): number {
    return this.#reads.begun(this.#acknowledged.max);
  }

  readProved(member: string, read: number, appliedIndex: LogIndex): void {
    this.#met('read proved');
    this.#reads.proved(member, read, appliedIndex);
  }

  #leads(member: string): Leads | null {
    const log = this.#hostById.get(member)?.log ?? null;
    if (log?.status.role !== 'leader') return null;
    const { commitIndex: committed, status } = log;
    return { committed, inItsTerm: this.#log.termAt(member, committed) === status.term };
  }

  /** Once the event is over: what the core has decided is written by then. */
  #lookAtConfiguration(member: string): void {
    this.#world.after(0, () => {
      const log = this.#hostById.get(member)?.log ?? null;
      // What a full disk refused is in the core's log, and in force, but in no other's.
      if (log === null || this.#log.termAt(member, log.lastIndex) === null) return;
      this.#configurations.inForce(member, log.configuration);
    });
  }

  #met(transition: Transition): void {
    this.#coverage.met(transition, this.#nemesis?.inForce ?? []);
  }

  #roleIs(member: string, role: string, label: string): void {
    this.#roles.push({ atMs: this.#world.nowMs, member, role, label });
  }

  #tell(who: string, what: string): void {
    this.#events.push({ atMs: this.#world.nowMs, who, what });
    if (this.#events.length > EVENTS_KEPT * 2) this.#events.splice(0, EVENTS_KEPT);
  }
}

function sumOfEpochs({ brokerSets }: StateView): number {
  let sum = 0;
  for (const { sync } of brokerSets.values()) sum += sync?.masterEpoch ?? 0;
  return sum;
}
