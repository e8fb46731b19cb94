/**
 * One simulated broker as a process: its life (`load/simulated-broker.ts`) on real client
 * connections, its own to every controller, as a real broker has them.
 *
 * It may be killed, fall silent, and start again; started again it has forgotten nothing but its
 * role, since a real one keeps its id on disk.
 */

import { outcomeOf } from '../client/outcome.js';
import type { Request } from '../client/types.js';
import type { Prng } from '../lib/prng.js';
import { Links } from '../load/links.js';
import { answerOf } from '../load/set-reader.js';
import {
  type BrokerEffect,
  type BrokerInput,
  type Call,
  type Destination,
  SimulatedBroker,
} from '../load/simulated-broker.js';
import { clientRuntime, connectWith } from './client-runtime.js';
import { answerTo, nothingAsked, type SetRequest } from './controller-client.js';
import type { History } from './history.js';
import type { SimNetwork } from './network.js';
import { ProcessClock } from './process-clock.js';
import type { World } from './world.js';

export interface BrokerHostOptions {
  readonly world: World;
  readonly network: SimNetwork;
  readonly chance: Prng;
  readonly brokerName: string;
  readonly address: string;
  readonly controllers: readonly string[];
  /** The other brokers of the set, asked when a master is followed. */
  readonly siblings: () => readonly BrokerHost[];
  readonly history: History;
}

const CATCH_UP_MS = 100;
const WINDOW_MAX = 32;
/** @source rocketmq: brokers wait 3 s for an answer */
const REQUEST_TIMEOUT_MS = 3_000;

export class BrokerHost {
  readonly #options: BrokerHostOptions;
  readonly #chance: Prng;
  #clock: ProcessClock;
  #links: Links;
  #machine: SimulatedBroker | null = null;
  #isAlive = false;
  #silentUntilMs = 0;
  #startedMs = 0;
  /** When it last beat; for the checkers. */
  lastBeatMs = Number.NEGATIVE_INFINITY;

  constructor(options: BrokerHostOptions) {
    this.#options = options;
    this.#chance = options.chance;
    this.#clock = new ProcessClock(options.world);
    this.#links = this.#newLinks();
  }

  get brokerName(): string {
    return this.#options.brokerName;
  }

  get address(): string {
    return this.#options.address;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Since when it has lived and not been kept from beating. */
  get steadySinceMs(): number {
    return Math.max(this.#startedMs, this.#silentUntilMs);
  }

  /** 0 until a controller has confirmed one. */
  get id(): number {
    return this.#machine?.id ?? 0;
  }

  start(): void {
    if (this.#isAlive) return;
    this.#isAlive = true;
    this.#startedMs = this.#options.world.nowMs;
    this.#clock = new ProcessClock(this.#options.world);
    this.#links = this.#newLinks();
    this.#machine = this.#newMachine();
    this.#links.open();
    this.#feed({ kind: 'start' });
  }

  kill(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    const { id } = this;
    this.#clock.kill();
    this.#options.network.hostEnded(this.address);
    for (const sibling of this.#options.siblings()) {
      if (sibling !== this && id !== 0) sibling.hears({ kind: 'slave-lost', id });
    }
  }

  /** Lives on without beating. */
  silence(forMs: number): void {
    this.#silentUntilMs = this.#options.world.nowMs + forMs;
  }

  jumpWall(byMs: number): void {
    this.#clock.jumpWall(byMs);
  }

  /** From another broker of the set. */
  hears(input: BrokerInput): void {
    if (this.#isAlive) this.#clock.run(() => this.#feed(input));
  }

  #newLinks(): Links {
    const { controllers, network } = this.#options;
    const runtime = clientRuntime(network, this.address, this.#clock);
    return new Links({
      members: controllers,
      connectionsPerMember: 1,
      windowMax: WINDOW_MAX,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      connect: connectWith(runtime),
      clock: this.#clock,
    });
  }

  #newMachine(): SimulatedBroker {
    return new SimulatedBroker({
      brokerName: this.#options.brokerName,
      address: this.address,
      members: this.#options.controllers.length,
      prng: this.#chance.fork(),
      id: this.#machine?.id ?? 0,
      wallMs: () => this.#clock.wallMs(),
    });
  }

  #feed(input: BrokerInput): void {
    for (const effect of this.#machine?.step(input) ?? []) this.#perform(effect);
  }

  #perform(effect: BrokerEffect): void {
    switch (effect.kind) {
      case 'ask':
        this.#ask(effect);
        break;
      case 'beat':
        if (this.#options.world.nowMs < this.#silentUntilMs) break;
        this.lastBeatMs = this.#options.world.nowMs;
        for (let member = 0; member < this.#options.controllers.length; member += 1) {
          this.#links.connection(member, 0)?.oneway(effect.request);
        }
        break;
      case 'wait':
        this.#clock.after(effect.forMs, () => this.#feed({ kind: 'timer', timer: effect.timer }));
        break;
      case 'follows': {
        const { masterEpoch, masterId } = effect;
        const master = this.#options.siblings().find((sibling) => sibling.id === masterId);
        const { id } = this;
        this.#clock.after(CATCH_UP_MS, () =>
          master?.hears({ kind: 'slave-caught-up', id, masterEpoch }),
        );
        break;
      }
      case 'running':
      case 'became-master':
      case 'in-step':
        break;
    }
  }

  #ask({ call, to, request }: Extract<BrokerEffect, { kind: 'ask' }>): void {
    const connection = this.#links.connection(this.#memberOf(to), 0);
    if (connection === null) {
      this.#unanswered(call);
      return;
    }
    const { brokerName, history, world } = this.#options;
    const input = setRequest(call, request);
    const operation =
      input === null ? null : history.begin(this.address, brokerName, input, world.nowMs);
    connection.request(request, (failure, reply) => {
      if (operation !== null && input !== null) {
        const isRead = input.kind === 'replica-info';
        const outcome = outcomeOf(isRead ? 'read' : 'write', failure, reply);
        const answer = reply === null ? null : answerTo(input.kind, brokerName, reply);
        history.end(operation, outcome, answer, world.nowMs);
      }
      if (reply === null || failure !== null) this.#unanswered(call);
      else this.#feed({ kind: 'answered', call, answer: answerOf(call, reply) });
    });
  }

  /** A real one waits for its timeout; here it learns at once, and not within its own call. */
  #unanswered(call: Call): void {
    this.#clock.after(1, () => this.#feed({ kind: 'unanswered', call }));
  }

  #memberOf(to: Destination): number {
    if ('member' in to) return to.member;
    return Math.max(0, this.#options.controllers.indexOf(to.leader));
  }
}

const replicaInfoAsked: SetRequest = { ...nothingAsked, kind: 'replica-info' };

/** What a broker asks, as the models read it; null for what they do not look at. */
function setRequest(call: Call, { body, extFields }: Request): SetRequest | null {
  switch (call) {
    case 'replica-info':
      return replicaInfoAsked;
    case 'elect':
      return { ...nothingAsked, kind: 'elect', brokerId: Number(extFields?.['brokerId']) };
    case 'alter': {
      const proposed = JSON.parse(String(body)) as Pick<
        SetRequest,
        'syncStateSet' | 'syncStateSetEpoch'
      >;
      return {
        ...nothingAsked,
        kind: 'alter',
        ...proposed,
        masterId: Number(extFields?.['masterBrokerId']),
        masterEpoch: Number(extFields?.['masterEpoch']),
      };
    }
    default:
      return null;
  }
}
