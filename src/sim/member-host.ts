/**
 * One machine of the group and the member that it runs (a controller, or one of the key-value store):
 * the shipped parts, put together as a real process does, on simulated time, network and disk.
 *
 * A process ends (killed, power lost, fatal store error) and starts again with what its disk holds.
 */
import type { LogEngine, LogStatus } from '../engine/log-engine.js';
import type { StateMachine } from '../engine/state-machine.js';
import type { Term } from '../lib/brand.js';
import type { Logger } from '../lib/logger.js';
import type { Prng } from '../lib/prng.js';
import { isMemberCode } from '../net/member-codec.js';
import { ServerConnection } from '../net/server-connection.js';
import type { Transport } from '../net/transport.js';
import { isResponse, type RemotingCommand } from '../remoting/command.js';
import type { Controller } from '../server/controller.js';
import { openFileStore } from '../storage/file-store.js';
import type { Durability, LogStore } from '../storage/log-store.js';
import { clientRuntime, connectWith } from './client-runtime.js';
import type { SimDisk } from './disk.js';
import type { PowerLoss } from './faults.js';
import type { SimNetwork } from './network.js';
import type { Observer } from './observer.js';
import { ProcessClock } from './process-clock.js';
import type { SimStream } from './stream.js';
import { watchedEngine, watchedStore } from './watch.js';
import type { World } from './world.js';

/** What runs on a machine, without its doors. */
export interface Program {
  readonly log: LogEngine;
  readonly stateMachine: StateMachine;
  handle(command: RemotingCommand, connection: ServerConnection): void;
  connectionClosed(connection: ServerConnection): void;
  start(): void;
  /** Canonical bytes of the applied state. */
  stateBytes(): Uint8Array;
  /** null for the key-value store. */
  readonly controller: Controller | null;
}

/** What a machine offers to its program. */
export interface ProgramPorts {
  readonly id: string;
  readonly address: string;
  readonly store: LogStore;
  readonly transport: Transport;
  readonly connect: ReturnType<typeof connectWith>;
  readonly clock: ProcessClock;
  readonly chance: Prng;
  readonly logger: Logger;
  readonly onFatal: (error: Error) => void;
}

export interface HostOptions {
  readonly id: string;
  readonly address: string;
  readonly world: World;
  readonly network: SimNetwork;
  readonly disk: SimDisk;
  readonly chance: Prng;
  readonly durability: Durability;
  readonly group: string;
  readonly assemble: (ports: ProgramPorts) => Program;
  readonly segmentBytesMax: number;
  readonly formatVersion: 1 | 2;
  readonly observer: Observer;
}

const OUTBOUND_HIGH_WATER = 1 << 20;
const OUTBOUND_MAX = 64 << 20;
const FRAME_MAX = 16 << 20;

export class MemberHost {
  readonly #options: HostOptions;
  readonly id: string;
  readonly address: string;
  readonly disk: SimDisk;
  #clock: ProcessClock;
  #member: Program | null = null;
  #connections = new Set<ServerConnection>();
  #nextConnection = 1;
  /** Of what it writes; the nemesis upgrades it. */
  formatVersion: 1 | 2;
  /** How many times it was started. */
  life = 0;
  /** Why it does not run although nobody ended it: what a real process says when it exits. */
  failure: Error | null = null;

  constructor(options: HostOptions) {
    this.#options = options;
    this.id = options.id;
    this.address = options.address;
    this.disk = options.disk;
    this.formatVersion = options.formatVersion;
    this.#clock = new ProcessClock(options.world);
  }

  get directory(): string {
    return `/${this.id}`;
  }

  get isRunning(): boolean {
    return this.#member !== null;
  }

  get clock(): ProcessClock {
    return this.#clock;
  }

  get log(): LogEngine | null {
    return this.#member?.log ?? null;
  }

  get program(): Program | null {
    return this.#member;
  }

  get controller(): Controller | null {
    return this.#member?.controller ?? null;
  }

  get isLeader(): boolean {
    return this.#member?.log.status.role === 'leader';
  }

  /** Starts the process; a store that refuses to open leaves it down, with `failure` set. */
  start(rebuildFromPeers = true): void {
    if (this.#member !== null) return;
    const { assemble, chance, disk, durability, group, network, observer, segmentBytesMax, world } =
      this.#options;
    this.life += 1;
    this.failure = null;
    const clock = new ProcessClock(world);
    this.#clock = clock;
    const logger = observedLogger(this.id, observer);
    let store: LogStore;
    try {
      store = openFileStore({
        directory: this.directory,
        durability,
        logger,
        segmentBytesMax,
        cacheBytesMax: segmentBytesMax * 2,
        reserveBytes: 1,
        formatVersion: this.formatVersion,
        rebuildFromPeers,
        files: disk,
        clock,
      });
    } catch (error) {
      this.#failed(error as Error);
      return;
    }
    const runtime = clientRuntime(network, this.id, clock);
    const transport: Transport = network.join({
      self: this.id,
      group,
      clock,
      receive: (message) => this.#guard(() => member.log.receive(message)),
    });
    observer.started(this.id, this.life, store);
    const member = assemble({
      id: this.id,
      address: this.address,
      store: watchedStore(store, this.id, observer),
      transport,
      connect: connectWith(runtime),
      clock,
      chance: chance.fork(),
      logger,
      onFatal: (error) => this.#failed(error),
    });
    this.#member = member;
    watchedEngine(member, this.id, observer);
    this.#connections = new Set();
    network.listen(this.address, this.id, { clock, accept: (stream) => this.#accept(stream) });
    member.start();
  }

  /** kill -9. */
  kill(): void {
    this.#end();
    this.disk.processEnded();
  }

  losePower(survives: PowerLoss): void {
    this.#end();
    this.disk.powerLost(survives);
  }

  #end(): void {
    if (this.#member === null) return;
    this.#member = null;
    this.#clock.kill();
    this.#options.network.hostEnded(this.id);
    this.#options.observer.ended(this.id);
  }

  #failed(error: Error): void {
    this.failure = error;
    this.#options.observer.failed(this.id, error);
    this.#end();
    this.disk.processEnded();
  }

  /** What would end a real process by an uncaught exception. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#options.observer.crashed(this.id, error as Error);
      throw error;
    }
  }

  #accept(stream: SimStream): void {
    const member = this.#member;
    if (member === null) return;
    const connection: ServerConnection = new ServerConnection(stream, {
      id: this.#nextConnection,
      frameBytesMax: FRAME_MAX,
      outboundHighWaterBytes: OUTBOUND_HIGH_WATER,
      outboundBytesMax: OUTBOUND_MAX,
      onCommand: (command) => {
        if (isMemberCode(command.code)) return; // Members have a network of their own here.
        if (!isResponse(command)) member.handle(command, connection);
      },
      onClose: () => member.connectionClosed(connection),
      onGone: () => this.#connections.delete(connection),
    });
    this.#nextConnection += 1;
    this.#connections.add(connection);
  }
}

/** The log of a simulated process: what it says of its role is what the run is told of it. */
function observedLogger(id: string, observer: Observer): Logger {
  const say =
    (level: 'info' | 'warn' | 'error') =>
    (fields: object, message: string): void => {
      observer.logged(id, level, message, fields);
      if (message !== 'raft status') return;
      const { isServing, role, term } = fields as LogStatus;
      observer.role(id, role, term as Term, isServing);
    };
  return { debug: () => {}, info: say('info'), warn: say('warn'), error: say('error') };
}
