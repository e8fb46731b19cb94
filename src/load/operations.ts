/**
 * What a mix is made of: for each operation which request comes next, to whom, and what its answer
 * teaches about the broker set.
 */
import { type ClientFailureCode, clientFailures } from '../client/errors.js';
import type { Request } from '../client/types.js';
import { BoundedQueue } from '../lib/bounded-queue.js';
import type { Clock } from '../lib/clock.js';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import type { RemotingCommand } from '../remoting/command.js';
import { readAlterSyncStateSetReply } from '../remoting/headers.js';
import type { OperationName } from '../workload/schema.js';
import type { Flight } from './driver.js';
import type { Broker, BrokerSet } from './fleet.js';
import type { LeaderFinder } from './leader.js';
import type { Links } from './links.js';
import { factsOf } from './set-reader.js';

export interface Operation {
  readonly name: OperationName;
  readonly route: 'leader' | 'readers' | 'any-member';
  /**
   * Picks the next request and notes in the flight what it is about.
   *
   * @returns null when nothing may be asked now.
   */
  aim(flight: Flight): Request | null;
  /** Called once for every aimed flight, sent or not, before it is reused. */
  settled(flight: Flight, failure: ClientFailureCode | null, reply: RemotingCommand | null): void;
}

/** Brokers take turns; nothing is learnt from the answer. */
export class RoundRobin implements Operation {
  readonly name: OperationName;
  readonly route: Operation['route'];
  readonly #brokers: readonly Broker[];
  readonly #requestOf: (broker: Broker) => Request;
  #cursor = 0;

  constructor(
    name: Exclude<OperationName, 'alterSyncStateSet'>,
    options: { readonly brokers: readonly Broker[]; readonly reads: 'leader' | 'any' },
  ) {
    this.name = name;
    this.#brokers = options.brokers;
    this.#requestOf = requestOf[name];
    this.route = routeOf(name, options.reads);
  }

  aim(flight: Flight): Request | null {
    const broker = this.#brokers[this.#cursor];
    if (broker === undefined) return null;
    this.#cursor = (this.#cursor + 1) % this.#brokers.length;
    flight.lane = broker.lane;
    return this.#requestOf(broker);
  }

  settled(): void {}
}

const metadataInfo: Request = { code: RequestCode.GetMetadataInfo };

const requestOf = {
  getReplicaInfo: (broker: Broker) => broker.set.replicaInfo,
  getSyncStateData: (broker: Broker) => broker.set.syncStateData,
  getNextBrokerId: (broker: Broker) => broker.set.nextBrokerId,
  getMetadataInfo: () => metadataInfo,
  heartbeat: (broker: Broker) => broker.heartbeat,
} as const;

function routeOf(name: OperationName, reads: 'leader' | 'any'): Operation['route'] {
  if (name === 'getMetadataInfo') return 'any-member';
  const mayFollow = name === 'getReplicaInfo' || name === 'getSyncStateData';
  return mayFollow && reads === 'any' ? 'readers' : 'leader';
}

/**
 * 1001 over all sets: each shrinks and expands in turn, one write in flight per set.
 *
 * Epochs follow from the answers. When an answer leaves the set's state open (no answer, or a refusal
 * that shows our picture to be stale), the set is read again before it is written again.
 */
export class AlterSyncStateSets implements Operation {
  readonly name = 'alterSyncStateSet';
  readonly route = 'leader';
  readonly #idle: BoundedQueue<BrokerSet>;
  readonly #clock: Clock;
  readonly #reread: (set: BrokerSet, done: () => void) => void;

  constructor(options: {
    readonly sets: readonly BrokerSet[];
    readonly clock: Clock;
    /** Calls back when the set has adopted what the controllers now say. */
    readonly reread: (set: BrokerSet, done: () => void) => void;
  }) {
    this.#idle = new BoundedQueue(Math.max(1, options.sets.length));
    for (const set of options.sets) this.#idle.offer(set);
    this.#clock = options.clock;
    this.#reread = options.reread;
  }

  aim(flight: Flight): Request | null {
    const set = this.#idle.poll();
    if (set === undefined) return null;
    flight.set = set;
    flight.proposed = set.nextSyncStateSet();
    flight.lane = set.broker(set.masterId).lane;
    return set.alteration(flight.proposed, this.#clock.wallMs());
  }

  settled(flight: Flight, failure: ClientFailureCode | null, reply: RemotingCommand | null): void {
    const { set, proposed } = flight;
    if (set === null) return;
    flight.set = null;
    if (reply?.code === ResponseCode.Success) {
      set.syncStateSet = proposed;
      set.syncStateSetEpoch = readAlterSyncStateSetReply(reply.extFields).newSyncStateSetEpoch;
      this.#idle.offer(set);
    } else if (hadNoEffect(failure, reply)) {
      this.#idle.offer(set);
    } else {
      this.#reread(set, () => this.#idle.offer(set));
    }
  }
}

/** Refusals before anything was decided; every other one says that we know the set wrongly. */
function hadNoEffect(failure: ClientFailureCode | null, reply: RemotingCommand | null): boolean {
  if (failure !== null) return clientFailures[failure].definite;
  return reply?.code === ResponseCode.NotLeader || reply?.code === ResponseCode.SystemBusy;
}

const REREAD_RETRY_MS = 20;

/** Reads a set anew (1004) until a leader answers with a master. Not counted as load. */
export function rereader(options: {
  readonly links: Links;
  readonly leader: LeaderFinder;
  readonly clock: Clock;
}): (set: BrokerSet, done: () => void) => void {
  const { links, leader, clock } = options;
  return function reread(set, done): void {
    const again = (): void => {
      clock.after(REREAD_RETRY_MS, () => {
        if (!links.isClosed) reread(set, done);
      });
    };
    const member = leader.leader;
    const connection = member < 0 ? null : links.connection(member, set.brokers[0]?.lane ?? 0);
    if (connection === null) {
      again();
      return;
    }
    connection.request(set.replicaInfo, (_failure, reply) => {
      const facts = factsOf(reply);
      if (facts === null || facts.masterId === 0) {
        if (reply?.code === ResponseCode.NotLeader) leader.doubt(member);
        again();
        return;
      }
      set.adopt(facts);
      done();
    });
  };
}
