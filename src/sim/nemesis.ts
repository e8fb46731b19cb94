/**
 * Carries out a fault schedule, and undoes it when its time is over or when the run heals.
 *
 * It keeps the group recoverable: never more members damaged at once than the group can bear, and
 * never a fault that breaks a promise which nobody made (see `swarm.ts`).
 */
import { LogError } from '../engine/errors.js';
import type { LogEngine } from '../engine/log-engine.js';
import { Prng } from '../lib/prng.js';
import type { Configuration } from '../raft/types.js';
import { isDamage } from '../storage/errors.js';
import type { BrokerHost } from './broker-host.js';
import { checkStart } from './checkers/damage-refused.js';
import { corruptible, corruptibleInUse } from './corruptible.js';
import { describeFault, type Fault, type FaultKind, type Outside, type Target } from './faults.js';
import type { MemberHost } from './member-host.js';
import { cutsBetween, partitionOf, type SimNetwork } from './network.js';
import type { SimOptions } from './swarm.js';
import type { World } from './world.js';

/** What strikes on schedule, and what a minority is left with when the core is healed. */
export type SpanKind = FaultKind | 'outside-core';

export interface FaultSpan {
  readonly kind: SpanKind;
  readonly what: string;
  readonly where: string | null;
  readonly fromMs: number;
  toMs: number;
}

/** Kinds that last until `forMs` is over, and those that strike once, are told apart by it. */
const INSTANT_MS = 1;
/** Between the end of a process and its next start, where somebody watches over it. */
const RESTART_MS = 500;
/** Faults count as in force for so long after they ended. */
const AFTERMATH_MS = 1_000;

export class Nemesis {
  readonly #world: World;
  readonly #network: SimNetwork;
  /** Members and former members. */
  readonly #hosts: MemberHost[];
  readonly #brokers: readonly BrokerHost[];
  readonly #chance: Prng;
  // Of their own, for they came later: what was drawn before stays.
  /** Which way of a one-way cut is dead. */
  readonly #directions: Prng;
  /** How members are started. */
  readonly #operators: Prng;
  readonly #options: SimOptions;
  readonly spans: FaultSpan[] = [];
  /** Members whose disk lost or lies; at most a minority at any time of a run. */
  readonly #damaged = new Set<string>();
  /** Members that may yet die of damage: it came under their process, and no start has met it. */
  readonly unread = new Set<string>();
  /** Members outside the core, while the core is healed and they are not. */
  readonly outside = new Set<string>();
  #isOver = false;
  #lastFaultEndsMs = 0;
  onHandedOver: () => void = () => {};
  /** Members that were lost for good or removed: nobody starts them again. */
  readonly gone = new Set<string>();
  /** Machines that wait to be made members. */
  readonly #spares: MemberHost[];
  #partition = 0;

  constructor(parts: {
    readonly world: World;
    readonly network: SimNetwork;
    /** Those that the group begins with, then the spares. */
    readonly hosts: readonly MemberHost[];
    readonly brokers: readonly BrokerHost[];
    readonly chance: Prng;
    readonly options: SimOptions;
  }) {
    this.#world = parts.world;
    this.#network = parts.network;
    this.#hosts = parts.hosts.slice(0, parts.options.members);
    this.#spares = parts.hosts.slice(parts.options.members);
    this.#brokers = parts.brokers;
    this.#chance = parts.chance;
    this.#directions = new Prng(parts.options.seed ^ 0x0d12_ec70);
    this.#operators = new Prng(parts.options.seed ^ 0x0be2_a705);
    this.#options = parts.options;
  }

  /** Kinds in force now, or a moment ago. */
  get inForce(): ReadonlySet<SpanKind> {
    const kinds = new Set<SpanKind>();
    for (let i = this.spans.length - 1; i >= 0; i -= 1) {
      const span = this.spans[i] as FaultSpan;
      if (span.toMs + AFTERMATH_MS >= this.#world.nowMs) kinds.add(span.kind);
    }
    return kinds;
  }

  /** When the last fault so far ended, or will end. */
  get lastFaultEndsMs(): number {
    return this.#lastFaultEndsMs;
  }

  /** Members whose disk was made to lie. */
  get damaged(): ReadonlySet<string> {
    return this.#damaged;
  }

  /** Whether machines that the group did not begin with belong to it, or wait to. */
  get hasNewcomers(): boolean {
    return this.#hosts.length > this.#options.members;
  }

  strike(fault: Fault): void {
    if (this.#isOver) return;
    const where = 'target' in fault ? this.#resolve(fault.target) : null;
    if ('target' in fault && where === null) return;
    const forMs = 'forMs' in fault ? fault.forMs : INSTANT_MS;
    this.#world.noteText(fault.kind);
    const struck = this.#strike(fault, where);
    if (!struck) return;
    const { nowMs } = this.#world;
    this.#lastFaultEndsMs = Math.max(this.#lastFaultEndsMs, nowMs + forMs);
    this.spans.push({
      kind: fault.kind,
      what: describeFault(fault),
      where: where?.id ?? null,
      fromMs: nowMs,
      toMs: nowMs + forMs,
    });
  }

  /**
   * Heals a core that can decide alone, drawn by chance, and leaves the others with one trouble.
   *
   * @param configurations all that may be in force: the core decides by each of them, and by what a
   *   promotion that an operator has begun would make of it.
   * @returns false when nobody can be spared: nothing is healed yet.
   */
  healCore(how: Outside, configurations: readonly Configuration[]): boolean {
    const electorates = configurations.flatMap((configuration) => {
      const voters = configuration.filter(({ role }) => role === 'voter').map(({ id }) => id);
      const learners = configuration.filter(
        ({ id, role }) => role === 'learner' && this.#holds(id),
      );
      return [voters, ...learners.map(({ id }) => [...voters, id])];
    });
    const isSpared = (host: MemberHost): boolean => {
      const without = new Set([...this.outside, ...this.#damaged, ...this.gone, host.id]);
      return electorates.every(
        (voters) => voters.filter((id) => without.has(id)).length <= (voters.length - 1) / 2,
      );
    };
    const left = this.#hosts.filter(({ id }) => !this.gone.has(id));
    while (left.length > 0) {
      const [host] = left.splice(this.#chance.between(0, left.length - 1), 1) as [MemberHost];
      if (isSpared(host)) this.outside.add(host.id);
    }
    if (this.outside.size === 0) return false;
    this.#mend();
    this.#lastFaultEndsMs = Number.POSITIVE_INFINITY;
    for (const host of this.#hosts) {
      if (this.outside.has(host.id)) this.#leaveOutside(host, how);
    }
    return true;
  }

  /** Whether it holds any entry, as one that is promoted must. */
  #holds(member: string): boolean {
    return this.#hosts.find(({ id }) => id === member)?.log?.lastIndex !== 0;
  }

  #leaveOutside(host: MemberHost, how: Outside): void {
    this.spans.push({
      kind: 'outside-core',
      what: how,
      where: host.id,
      fromMs: this.#world.nowMs,
      toMs: Number.POSITIVE_INFINITY,
    });
    if (how === 'dead') {
      if (host.isRunning) host.kill();
      return;
    }
    host.disk.isFull = how === 'disk-full';
    for (const { id } of this.#hosts) {
      if (this.outside.has(id)) continue;
      if (how === 'isolated' || how === 'deaf') this.#network.cut(id, host.id);
      if (how === 'isolated' || how === 'mute') this.#network.cut(host.id, id);
    }
    this.#start(host);
  }

  /** Everything that can be mended is mended; brokers that died stay dead. */
  heal(): void {
    this.outside.clear();
    this.#mend();
  }

  #mend(): void {
    this.#isOver = true;
    this.#network.heal();
    Object.assign(this.#network.conditions, {
      lossShare: 0,
      duplicationShare: 0,
      reorderingShare: 0,
      delayMeanMs: Math.min(this.#network.conditions.delayMeanMs, 5),
    });
    for (const host of this.#hosts) {
      host.disk.isFull = false;
      host.disk.syncMs = Math.min(this.#options.syncMs, 5);
      host.clock.slowMs = 0;
      host.disk.mend();
      if (!this.outside.has(host.id)) this.#start(host);
    }
    for (const span of this.spans) span.toMs = Math.min(span.toMs, this.#world.nowMs);
    this.#lastFaultEndsMs = this.#world.nowMs;
  }

  /**
   * A supervisor starts again what dies of damage, and once all is healed of anything; an operator does
   * what refuses to start for damage, and tells it to have its log from the peers.
   */
  failed(member: string): void {
    const host = this.#hosts.find(({ id }) => id === member);
    if (host === undefined) return;
    const hasRefused = !host.isRunning && isDamage(host.failure);
    const start = (): void => (hasRefused ? this.#start(host, true) : this.#start(host));
    if (this.#isOver) this.#world.after(RESTART_MS, start);
    else if (hasRefused || this.unread.has(member)) this.#later(RESTART_MS, start);
  }

  #resolve(target: Target): MemberHost | null {
    if (typeof target === 'number') return this.#hosts[target % this.#hosts.length] ?? null;
    const leader = this.#hosts.find((host) => host.isLeader) ?? null;
    if (target === 'leader') return leader;
    const others = this.#hosts.filter((host) => host !== leader && !this.gone.has(host.id));
    return others.length === 0 ? null : this.#chance.pick(others);
  }

  /** @returns false when the fault means nothing now. */
  #strike(fault: Fault, host: MemberHost | null): boolean {
    switch (fault.kind) {
      case 'kill':
        if (host?.isRunning !== true) return false;
        host.kill();
        this.#later(fault.forMs, () => this.#start(host));
        return true;
      case 'power-loss':
        if (host?.isRunning !== true) return false;
        host.losePower(fault.survives);
        this.#later(fault.forMs, () => this.#start(host));
        return true;
      case 'power-loss-all':
        for (const each of this.#hosts) {
          each.losePower(fault.survives);
          this.#later(fault.forMs * (0.5 + this.#chance.unit()), () => this.#start(each));
        }
        return true;
      case 'pause':
        host?.clock.pause(fault.forMs);
        return host?.isRunning === true;
      case 'slow':
        if (host === null) return false;
        host.clock.slowMs = fault.delayMs;
        this.#later(fault.forMs, () => {
          host.clock.slowMs = 0;
        });
        return true;
      case 'partition':
        return this.#partitioned(fault);
      case 'clog':
        this.#clog(fault.forMs);
        return true;
      case 'congestion':
        return host !== null && this.#congest(host, fault.lateMs, fault.forMs);
      case 'loss':
        return this.#during(fault.forMs, 'lossShare', fault.share);
      case 'duplication':
        return this.#during(fault.forMs, 'duplicationShare', fault.share);
      case 'reordering':
        return this.#during(fault.forMs, 'reorderingShare', fault.share);
      case 'delay':
        return this.#during(fault.forMs, 'delayMeanMs', fault.meanMs);
      case 'disk-slow':
        if (host === null) return false;
        host.disk.syncMs = fault.syncMs;
        this.#later(fault.forMs, () => {
          host.disk.syncMs = this.#options.syncMs;
        });
        return true;
      case 'disk-full':
        if (host === null) return false;
        host.disk.isFull = true;
        this.#later(fault.forMs, () => {
          host.disk.isFull = false;
          this.#start(host);
        });
        return true;
      case 'sync-failure':
        if (host?.isRunning !== true) return false;
        host.disk.failNextSync();
        this.#later(fault.forMs, () => this.#start(host));
        return true;
      case 'corruption':
        if (host?.isRunning !== true || !this.#mayDamage(host)) return false;
        if (fault.atRest) host.kill();
        else {
          host.disk.corrupt(fault.how, corruptibleInUse);
          this.unread.add(host.id);
        }
        this.#later(fault.forMs, () => {
          if (fault.atRest) host.disk.corrupt(fault.how, corruptible);
          else host.kill();
          this.#start(host);
        });
        return true;
      case 'bad-read':
        if (host?.isRunning !== true || !this.#mayDamage(host)) return false;
        host.disk.badRead(fault.how);
        this.#later(500, () => this.#start(host));
        return true;
      case 'upgrade':
        if (host === null || host.formatVersion === 2) return false;
        host.kill();
        host.formatVersion = 2;
        this.#later(200, () => this.#start(host));
        return true;
      case 'replace':
        return host !== null && this.#replace(host);
      case 'transfer': {
        const to = this.#hosts[fault.to % this.#hosts.length];
        return (
          to !== undefined &&
          this.#ask(async (log) => {
            await log.transfer(to.id);
            this.onHandedOver();
          })
        );
      }
      case 'add-learner':
        return this.#addLearner();
      case 'promote': {
        const learner = this.#leader?.log?.configuration.find(({ role }) => role === 'learner');
        return learner !== undefined && this.#ask((log) => log.promote(learner.id));
      }
      case 'remove':
        return host !== null && this.#remove(host);
      case 'two-changes': {
        const voters = this.#hosts.filter(({ id }) => !this.gone.has(id));
        if (voters.length < 3) return false;
        const first = this.#chance.pick(voters);
        const second = this.#chance.pick(voters.filter((voter) => voter !== first));
        const either = this.#chance.chance(0.5) ? this.#addLearner() : this.#remove(second);
        return this.#remove(first) && either;
      }
      case 'drift':
        if (host === null) return false;
        host.clock.drift(fault.rate);
        this.#later(fault.forMs, () => host.clock.drift(1));
        return true;
      case 'clock-jump':
        host?.clock.jumpWall(fault.byMs);
        this.#brokers[fault.broker]?.jumpWall(fault.byMs);
        return host !== null;
      case 'broker-kill': {
        const broker = this.#brokers[fault.broker];
        if (broker?.isAlive !== true) return false;
        broker.kill();
        this.#later(fault.forMs, () => broker.start());
        return true;
      }
      case 'broker-silence': {
        const broker = this.#brokers[fault.broker];
        broker?.silence(fault.forMs);
        return broker?.isAlive === true;
      }
    }
  }

  get #leader(): MemberHost | undefined {
    return this.#hosts.find((host) => host.log?.isServing === true);
  }

  /** @param rebuildFromPeers whether it may drop a damaged log; by default it may not. */
  #start(host: MemberHost, rebuildFromPeers = this.#operators.chance(0.5)): void {
    if (this.gone.has(host.id) || host.isRunning) return;
    const filesBefore = host.disk.list();
    host.start(rebuildFromPeers);
    if (host.isRunning) this.unread.delete(host.id);
    if (rebuildFromPeers) return;
    const { directory, disk, failure, id } = host;
    const damage = isDamage(failure) ? failure : null;
    checkStart({ member: id, directory, filesBefore, filesAfter: disk.list(), damage });
  }

  /** A member whose disk lied or is gone counts as down for the rest of the run. */
  #mayDamage(host: MemberHost): boolean {
    const voters = this.#leader?.log?.configuration.filter(({ role }) => role === 'voter') ?? [];
    const isVoter = voters.some(({ id }) => id === host.id);
    const max = Math.floor((voters.length - 1) / 2);
    if (!isVoter) return false;
    if (!this.#damaged.has(host.id) && this.#damaged.size >= max) return false;
    this.#damaged.add(host.id);
    return true;
  }

  /** Operators hear whether it worked; here nobody needs to. */
  #ask(action: (log: LogEngine) => Promise<unknown>): boolean {
    const log = this.#leader?.log;
    if (log === null || log === undefined) return false;
    action(log).catch((error: unknown) => {
      if (!(error instanceof LogError)) throw error;
    });
    return true;
  }

  #addLearner(): boolean {
    const spare = this.#spares[0];
    if (spare === undefined || this.#leader === undefined) return false;
    this.#join(spare);
    return this.#ask((log) => log.addLearner(spare.id, spare.address));
  }

  #join(spare: MemberHost): void {
    this.#spares.splice(this.#spares.indexOf(spare), 1);
    this.#hosts.push(spare);
    spare.formatVersion = 2;
    spare.start();
  }

  /** The removed member is shut down once the removal is known to be done. */
  #remove(host: MemberHost): boolean {
    const voters = this.#leader?.log?.configuration.filter(({ role }) => role === 'voter') ?? [];
    if (voters.length < 3 || this.#damaged.size > 0) return false;
    return this.#ask(async (log) => {
      await log.remove(host.id);
      this.#world.after(500, () => {
        this.gone.add(host.id);
        host.kill();
      });
    });
  }

  #replace(host: MemberHost): boolean {
    const spare = this.#spares[0];
    // Format 1 has no entries for a group that changes: operators upgrade first.
    if (this.#hosts.some(({ formatVersion }) => formatVersion === 1)) return false;
    if (spare === undefined || this.gone.has(host.id) || this.#damaged.size > 0) return false;
    if (!this.#mayDamage(host)) return false;
    host.kill();
    host.disk.wipe();
    this.gone.add(host.id);
    this.#join(spare);
    const tryNow = (): void => {
      const by = { id: spare.id, address: spare.address };
      const asked = this.#ask(async (log) => {
        try {
          await log.replace(host.id, by, 10_000);
        } catch (error) {
          if (!this.#isOver) this.#world.after(1_000, tryNow);
          throw error;
        }
      });
      if (!asked && !this.#isOver) this.#world.after(1_000, tryNow);
    };
    tryNow();
    return true;
  }

  /** After healing nothing is undone any more: all of it is undone already. */
  #later(forMs: number, undo: () => void): void {
    this.#world.after(forMs, () => {
      if (!this.#isOver) undo();
    });
  }

  #during(forMs: number, condition: keyof SimNetwork['conditions'], value: number): boolean {
    const { conditions } = this.#network;
    const before = this.#options[condition];
    conditions[condition] = value;
    this.#later(forMs, () => {
      conditions[condition] = before;
    });
    return true;
  }

  #partitioned({ forMs, mode, symmetric }: Extract<Fault, { kind: 'partition' }>): boolean {
    const hosts = this.#hosts.map(({ id }) => id);
    if (hosts.length < 2) return false;
    this.#network.heal();
    this.#partition += 1;
    const partition = this.#partition;
    const directions = symmetric ? null : this.#directions;
    const cuts = [...partitionOf(mode, hosts, directions, this.#chance)];
    // Some of the brokers are on the wrong side too.
    for (const broker of this.#brokers) {
      if (!this.#chance.chance(0.2)) continue;
      const { id } = this.#chance.pick(this.#hosts);
      cuts.push(...cutsBetween([broker.address], [id], directions));
    }
    for (const [from, to] of cuts) this.#network.cut(from, to);
    this.#later(forMs, () => {
      if (partition === this.#partition) this.#network.heal();
    });
    return true;
  }

  /** To `host` the way fills up; by the time it is full, the way back is dead. */
  #congest(host: MemberHost, lateMs: number, forMs: number): boolean {
    const others = this.#hosts.filter((other) => other !== host);
    for (const { id } of others) this.#network.fill(id, host.id, lateMs);
    this.#later(lateMs, () => {
      for (const { id } of others) this.#network.cut(host.id, id);
    });
    this.#later(forMs, () => {
      for (const { id } of others) {
        this.#network.drain(id, host.id);
        this.#network.healPath(host.id, id);
      }
    });
    return host.isRunning;
  }

  #clog(forMs: number): void {
    for (const { id: from } of this.#hosts) {
      for (const { id: to } of this.#hosts) {
        if (from !== to && this.#chance.chance(0.4)) this.#network.clog(from, to, forMs);
      }
    }
  }
}
