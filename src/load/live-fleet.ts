/**
 * Runs every broker of the fleet: performs what their state machines ask for, and tells what became of it.
 *
 * Brokers that share a connection share its fate: a reply that comes too late closes it for all of
 * them, and they start over what they were doing, as in a real overload.
 */
import type { ClientFailureCode } from '../client/errors.js';
import type { Cancel, Clock } from '../lib/clock.js';
import type { Prng } from '../lib/prng.js';
import { TimingWheel } from '../lib/timing-wheel.js';
import type { Broker, BrokerSet } from './fleet.js';
import type { LeaderFinder } from './leader.js';
import type { Links } from './links.js';
import { answerOf } from './set-reader.js';
import {
  type BrokerEffect,
  type BrokerInput,
  type Call,
  type Destination,
  SimulatedBroker,
  type Timer,
} from './simulated-broker.js';

/** From knowing its master until a slave has connected to it and caught up with an empty log. */
const CATCH_UP_MS = 100;

export interface ScriptOutcomes {
  /** @param code the reply's; the request took from `sentMs` until now. */
  answered(requestCode: number, sentMs: number, nowMs: number, code: number): void;
  failed(requestCode: number, why: ClientFailureCode): void;
  /** How late a broker's timer fired. */
  late(latenessMs: number): void;
}

/** Told what the brokers come to know. */
export interface FleetWatch {
  /** The set's master knows itself as such, with so many replicas in step. */
  inStep(set: BrokerSet, replicas: number): void;
  /** A broker took the role that a controller told it. */
  learnt(broker: Broker, masterId: number, masterEpoch: number): void;
}

interface Actor {
  readonly broker: Broker;
  readonly machine: SimulatedBroker;
  /** Gone, or hanging: it does nothing any more. */
  isLost: boolean;
}

interface Due {
  readonly actor: Actor;
  readonly dueMs: number;
  readonly input: BrokerInput;
}

export interface LiveFleetOptions {
  readonly sets: readonly BrokerSet[];
  readonly links: Links;
  readonly leader: LeaderFinder;
  readonly clock: Clock;
  readonly outcomes: ScriptOutcomes;
  readonly prng: Prng;
  /** Default: upstream's. */
  readonly beatMs?: number;
  readonly heartbeatTimeoutMs?: number;
  readonly watch: FleetWatch;
}

export class LiveFleet {
  readonly #actors: readonly Actor[];
  readonly #bySet = new Map<BrokerSet, readonly Actor[]>();
  readonly #watch: FleetWatch;
  readonly #links: Links;
  readonly #leader: LeaderFinder;
  readonly #clock: Clock;
  readonly #outcomes: ScriptOutcomes;
  readonly #wheel = new TimingWheel<Due>({ tickMs: 1, slots: 16_384 });
  #cancel: Cancel | undefined;
  #sent = 0;
  #inFlight = 0;
  #beats = 0;

  /** @param options.isRegistered its brokers hold the ids that they have in the fleet, and use them. */
  constructor(options: LiveFleetOptions & { readonly isRegistered: boolean }) {
    const { sets, links, leader, clock, outcomes, prng, watch, isRegistered } = options;
    const { beatMs, heartbeatTimeoutMs } = options;
    this.#links = links;
    this.#leader = leader;
    this.#clock = clock;
    this.#outcomes = outcomes;
    this.#watch = watch;
    this.#actors = sets.flatMap((set) => {
      const actors = set.brokers.map((broker) => ({
        broker,
        isLost: false,
        machine: new SimulatedBroker({
          brokerName: set.name,
          address: broker.address,
          members: links.members.length,
          prng: prng.fork(),
          ...(isRegistered && { id: broker.id }),
          ...(beatMs !== undefined && { beatMs }),
          ...(heartbeatTimeoutMs !== undefined && { heartbeatTimeoutMs }),
          wallMs: () => clock.wallMs(),
        }),
      }));
      this.#bySet.set(set, actors);
      return actors;
    });
  }

  /** Requests handed to a connection. */
  get sent(): number {
    return this.#sent;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** One-way heartbeats handed to a socket. */
  get beats(): number {
    return this.#beats;
  }

  /** Every broker starts, knowing nothing. */
  start(): void {
    this.#tick();
    for (const actor of this.#actors) this.#feed(actor, { kind: 'start' });
  }

  /** Every broker goes on in the role that its set last adopted, as after a long quiet time. */
  goOn(): void {
    this.#tick();
    for (const actor of this.#actors) {
      this.#feed(actor, { kind: 'go-on', role: actor.broker.set });
    }
  }

  /** From now on this broker does nothing; what becomes of its connections is for the caller. */
  lose(broker: Broker): void {
    const actor = this.#actorOf(broker.set, broker.id);
    if (actor !== undefined) actor.isLost = true;
  }

  stop(): void {
    this.#cancel?.();
  }

  #tick(): void {
    this.#cancel = this.#clock.after(1, () => {
      const nowMs = this.#clock.nowMs();
      for (const { actor, dueMs, input } of this.#wheel.advance(nowMs)) {
        this.#outcomes.late(nowMs - dueMs);
        this.#feed(actor, input);
      }
      this.#tick();
    });
  }

  #actorOf(set: BrokerSet, id: number): Actor | undefined {
    return this.#bySet.get(set)?.find(({ machine }) => machine.id === id);
  }

  #feed(actor: Actor, input: BrokerInput): void {
    if (actor.isLost) return;
    for (const effect of actor.machine.step(input)) this.#perform(actor, effect);
  }

  #perform(actor: Actor, effect: BrokerEffect): void {
    const { set } = actor.broker;
    switch (effect.kind) {
      case 'ask':
        this.#ask(actor, effect);
        break;
      case 'beat':
        for (let member = 0; member < this.#links.members.length; member += 1) {
          const connection = this.#links.connection(member, actor.broker.lane);
          if (connection?.oneway(effect.request) === true) this.#beats += 1;
        }
        break;
      case 'wait':
        this.#later(actor, effect.forMs, timers[effect.timer]);
        break;
      case 'follows': {
        const { masterId, masterEpoch } = effect;
        this.#watch.learnt(actor.broker, masterId, masterEpoch);
        const master = this.#actorOf(set, masterId);
        const { id } = actor.machine;
        if (master === undefined) break; // Its id leaked: no such broker runs.
        this.#later(master, CATCH_UP_MS, { kind: 'slave-caught-up', id, masterEpoch });
        break;
      }
      case 'became-master':
        this.#watch.learnt(actor.broker, actor.machine.id, effect.masterEpoch);
        this.#watch.inStep(set, 1);
        break;
      case 'in-step':
        this.#watch.inStep(set, effect.syncStateSet.length);
        break;
      case 'running':
        break;
    }
  }

  #ask(actor: Actor, { call, to, request }: Extract<BrokerEffect, { kind: 'ask' }>): void {
    const connection = this.#links.connection(this.#memberOf(to), actor.broker.lane);
    if (connection === null) {
      this.#outcomes.failed(request.code, 'REFUSED');
      this.#later(actor, 0, unanswered[call]);
      return;
    }
    const sentMs = this.#clock.nowMs();
    this.#sent += 1;
    this.#inFlight += 1;
    connection.request(request, (failure, reply) => {
      this.#inFlight -= 1;
      if (actor.isLost) return; // Nobody is there to hear it.
      if (reply === null) {
        this.#outcomes.failed(request.code, failure ?? 'CONNECTION_LOST');
        this.#feed(actor, unanswered[call]);
        return;
      }
      this.#outcomes.answered(request.code, sentMs, this.#clock.nowMs(), reply.code);
      this.#feed(actor, { kind: 'answered', call, answer: answerOf(call, reply) });
    });
  }

  /** A leader named by an address that is not in our list is the one that says it leads. */
  #memberOf(to: Destination): number {
    if ('member' in to) return to.member;
    const named = this.#links.members.indexOf(to.leader);
    return named >= 0 ? named : this.#leader.leader;
  }

  #later(actor: Actor, forMs: number, input: BrokerInput): void {
    const dueMs = this.#clock.nowMs() + forMs;
    this.#wheel.add({ actor, dueMs, input }, dueMs);
  }
}

/** Made once: they are fed by the ten thousand. */
const timers: Readonly<Record<Timer, BrokerInput>> = {
  'resume-start': { kind: 'timer', timer: 'resume-start' },
  'retry-metadata': { kind: 'timer', timer: 'retry-metadata' },
  'retry-register': { kind: 'timer', timer: 'retry-register' },
  'poll-replica-info': { kind: 'timer', timer: 'poll-replica-info' },
  'refresh-metadata': { kind: 'timer', timer: 'refresh-metadata' },
  beat: { kind: 'timer', timer: 'beat' },
  'check-sync-state-set': { kind: 'timer', timer: 'check-sync-state-set' },
};

const unanswered: Readonly<Record<Call, BrokerInput>> = {
  metadata: { kind: 'unanswered', call: 'metadata' },
  refresh: { kind: 'unanswered', call: 'refresh' },
  'next-id': { kind: 'unanswered', call: 'next-id' },
  'apply-id': { kind: 'unanswered', call: 'apply-id' },
  register: { kind: 'unanswered', call: 'register' },
  elect: { kind: 'unanswered', call: 'elect' },
  'replica-info': { kind: 'unanswered', call: 'replica-info' },
  alter: { kind: 'unanswered', call: 'alter' },
};
