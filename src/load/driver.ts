/**
 * Sends one request after another and brings each answer to where it belongs.
 *
 * The path of every measured request: no promise, no closure and no timer per request. Flights are
 * reused, each with the one callback that it was made with.
 */
import type { ClientFailureCode } from '../client/errors.js';
import type { Done } from '../client/types.js';
import type { Clock } from '../lib/clock.js';
import { ResponseCode } from '../lib/codes.js';
import type { RemotingCommand } from '../remoting/command.js';
import type { BrokerSet } from './fleet.js';
import type { LeaderFinder } from './leader.js';
import type { Links } from './links.js';
import type { Operation } from './operations.js';

/** One request under way. */
export class Flight {
  operation: Operation | null = null;
  intendedMs = 0;
  sentMs = 0;
  /** The window it belongs to: what warm-up left behind is not measured. */
  window = 0;
  member = -1;
  lane = 0;
  set: BrokerSet | null = null;
  proposed: readonly number[] = [];
  readonly done: Done;

  constructor(
    land: (
      flight: Flight,
      failure: ClientFailureCode | null,
      reply: RemotingCommand | null,
    ) => void,
  ) {
    this.done = (failure, reply) => land(this, failure, reply);
  }
}

/** Told about every request that ends. */
export interface Outcomes {
  answered(flight: Flight, nowMs: number, code: number): void;
  failed(flight: Flight, why: ClientFailureCode): void;
}

export type Sent =
  | 'sent'
  /** No open connection to the member that it was for. */
  | 'refused'
  /** Every broker set has a write in flight. */
  | 'nothing-free';

export class Driver {
  readonly #links: Links;
  readonly #leader: LeaderFinder;
  readonly #clock: Clock;
  readonly #outcomes: Outcomes;
  readonly #pool: Flight[] = [];
  readonly #land = this.#landed.bind(this);
  readonly #members: readonly number[];
  /** Members that answer reads: those that refused drop out until the leader changes. */
  #readers: readonly number[];
  #turn = 0;
  #inFlight = 0;
  #sent = 0;
  /** Flights carry it; the session counts it up at the start of each window. */
  window = 0;
  /** Told after the outcome. @param rest when the controller could not serve the request. */
  onSettled: (rest: boolean) => void = () => {};

  constructor(options: {
    readonly links: Links;
    readonly leader: LeaderFinder;
    readonly clock: Clock;
    readonly outcomes: Outcomes;
  }) {
    this.#links = options.links;
    this.#leader = options.leader;
    this.#clock = options.clock;
    this.#outcomes = options.outcomes;
    this.#members = options.links.members.map((_, member) => member);
    this.#readers = this.#members;
    options.leader.onChange = () => {
      this.#readers = this.#members;
    };
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Requests handed to a connection. */
  get sent(): number {
    return this.#sent;
  }

  send(operation: Operation, intendedMs: number): Sent {
    const flight = this.#pool.pop() ?? new Flight(this.#land);
    flight.operation = operation;
    flight.intendedMs = intendedMs;
    flight.window = this.window;
    const request = operation.aim(flight);
    if (request === null) {
      this.#pool.push(flight);
      return 'nothing-free';
    }
    const member = this.#memberFor(operation, flight.lane);
    const connection = member < 0 ? null : this.#links.connection(member, flight.lane);
    if (connection === null) {
      this.#outcomes.failed(flight, 'REFUSED');
      operation.settled(flight, 'REFUSED', null);
      this.#pool.push(flight);
      return 'refused';
    }
    flight.member = member;
    flight.sentMs = this.#clock.nowMs();
    this.#inFlight += 1;
    this.#sent += 1;
    connection.request(request, flight.done);
    return 'sent';
  }

  #landed(flight: Flight, failure: ClientFailureCode | null, reply: RemotingCommand | null): void {
    const { operation } = flight;
    if (operation === null) return;
    this.#inFlight -= 1;
    if (failure !== null) this.#outcomes.failed(flight, failure);
    else if (reply !== null) this.#outcomes.answered(flight, this.#clock.nowMs(), reply.code);
    const notLeader = reply?.code === ResponseCode.NotLeader;
    if (notLeader) this.#refusedBy(flight.member, operation);
    operation.settled(flight, failure, reply);
    this.#pool.push(flight);
    this.onSettled(notLeader || failure !== null || reply?.code === ResponseCode.SystemBusy);
  }

  #memberFor(operation: Operation, lane: number): number {
    switch (operation.route) {
      case 'leader':
        return this.#leader.leader;
      case 'readers':
        return this.#nextOpen(this.#readers, lane);
      case 'any-member':
        return this.#nextOpen(this.#members, lane);
    }
  }

  /** In turn, passing over members without an open connection; −1 when there is none. */
  #nextOpen(members: readonly number[], lane: number): number {
    for (let tries = 0; tries < members.length; tries += 1) {
      this.#turn += 1;
      const member = members[this.#turn % members.length] ?? -1;
      if (this.#links.connection(member, lane) !== null) return member;
    }
    return -1;
  }

  #refusedBy(member: number, operation: Operation): void {
    if (operation.route === 'readers' && member !== this.#leader.leader) {
      this.#readers = this.#readers.filter((reader) => reader !== member);
    } else {
      this.#leader.doubt(member);
    }
  }
}
