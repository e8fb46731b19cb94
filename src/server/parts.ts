/**
 * The places where a controller may choose how to work.
 *
 * All else is shared: wire protocol, log engine, state machine, sockets, disk. A build is one value
 * for each field of `ControllerParts`, so two builds differ in exactly what these types can say.
 */
import type { ControllerEvent } from '../controller/event.js';
import type { Reply } from '../controller/reply.js';
import type { Log } from '../engine/log-engine.js';
import type { Clock } from '../lib/clock.js';
import type { ControllerConfig } from './config.js';
import type { BeatSource, BrokerEntry, HeartbeatTable } from './heartbeat-table.js';

/** A request on its way through the server. */
export interface AdmittedCall {
  /** Called by admission, once, when something is free to handle the request. */
  begin(): void;
}

/** A piece of work on one broker set. */
export interface Work {
  /** Runs it. A promise means that it goes on until that settles; it never rejects. */
  run(): Promise<void> | undefined;
  /** Its client no longer waits for it. */
  readonly givenUp: boolean;
  /** Tells the client that the work was dropped before it ran. */
  drop(): void;
}

/** Decides when a request is handled, and when work on a broker set may run. */
export interface Admission {
  /** Calls `call.begin()` when its turn comes, perhaps at once; `busy` at once when full. */
  admit(call: AdmittedCall): 'accepted' | 'busy';
  /** The call was answered, or will never be: whatever handled it is free again. */
  ended(call: AdmittedCall): void;
  /**
   * Runs `work` when its turn comes, perhaps at once. Works of one broker set never overlap, in any
   * build, and run in the order given; `busy` at once when full, and then the work never runs.
   */
  inOrder(brokerName: string, work: Work): 'accepted' | 'busy';
  /** Calls and works that wait; for the metrics. */
  readonly waiting: number;
}

/** Carries decided events into the log. */
export interface CommitPath {
  /**
   * Resolves when the events are committed and applied on this member.
   *
   * @throws {LogError} as `Log.append`.
   */
  commit(events: readonly ControllerEvent[]): Promise<unknown>;
}

/** A read that waits until local state may answer it. */
export interface ReadWork extends Pick<Work, 'givenUp' | 'drop'> {
  readonly brokerName: string;
  /** Looks at local state now. */
  compute(): Reply;
  deliver(reply: Reply): void;
  fail(error: unknown): void;
}

/** Makes a read safe to answer from local state. */
export interface ReadPath {
  /** Which members answer getReplicaInfo and getSyncStateData. */
  readonly servedBy: 'leader' | 'any-member';
  /** What an answer proves: nothing, or that no earlier write is missing from it. */
  readonly proof: 'unproved' | 'log' | 'read-index';
  read(work: ReadWork): 'accepted' | 'busy';
}

/** Acts when brokers fall silent. The table itself is shared; when and how it is looked at is not. */
export interface LivenessPath {
  /** A first beat made this entry. */
  arrived(entry: BrokerEntry): void;
  connectionClosed(source: BeatSource): void;
  start(): void;
  stop(): void;
}

/** What liveness may do to the rest of the controller. */
export interface LivenessActions {
  /** Whether this member serves as leader. */
  isServing(): boolean;
  /** The master's id, or null. */
  masterOf(brokerName: string): number | null;
  /** Broker sets whose master is not alive while another registered replica is. */
  setsWithDeadMaster(): readonly string[];
  /** Elects a master as upstream's controller does (up to 3 attempts) and notifies the brokers. Never rejects. */
  elect(brokerName: string): Promise<void>;
}

/** The settings that parts look at. Only `processReadEvent` may change while a controller runs. */
export type PartsOptions = Pick<
  ControllerConfig,
  | 'requestsWaitingMax'
  | 'handlersMax'
  | 'handlerQueueMax'
  | 'processReadEvent'
  | 'followerReads'
  | 'scanNotActiveBrokerIntervalMs'
  | 'scanInactiveMasterIntervalMs'
>;

/** What the shared controller offers to a build. */
export interface PartsContext {
  readonly log: Log;
  readonly clock: Clock;
  readonly table: HeartbeatTable;
  readonly actions: LivenessActions;
  readonly options: PartsOptions;
}

/** A choice of parts. Mixtures take some parts from one build and the rest from another. */
export interface ControllerBuild {
  readonly name: string;
  admission(context: PartsContext): Admission;
  commits(context: PartsContext): CommitPath;
  reads(context: PartsContext, admission: Admission): ReadPath;
  liveness(context: PartsContext): LivenessPath;
}
