/**
 * One controller without its doors: log, state machine and build, joined.
 *
 * A process puts sockets, a disk and the machine's clock around it (`start.ts`), a simulated run its
 * own. Nothing here knows which.
 */
import { LogEngine } from '../engine/log-engine.js';
import type { StateMachine } from '../engine/state-machine.js';
import type { Clock } from '../lib/clock.js';
import type { Logger } from '../lib/logger.js';
import type { Prng } from '../lib/prng.js';
import type { Transport } from '../net/transport.js';
import { configurationOf } from '../raft/configuration.js';
import type { LogStore } from '../storage/log-store.js';
import { type ControllerConfig, electionTiming, selfPeer } from './config.js';
import { Controller } from './controller.js';
import type { ControllerMetrics } from './metrics.js';
import { type NotifierOptions, RoleChangeNotifier } from './notifier.js';
import type { ControllerBuild } from './parts.js';
import type { Settings } from './settings.js';

export interface MemberPorts {
  readonly config: ControllerConfig;
  readonly settings?: Settings;
  readonly build: ControllerBuild;
  readonly store: LogStore;
  readonly transport: Transport;
  /** To brokers, for role changes. */
  readonly connect: NotifierOptions['connect'];
  readonly clock: Clock;
  readonly chance: Prng;
  readonly logger: Logger;
  readonly metrics: ControllerMetrics;
  /** Default: the engine's. */
  readonly pushWindowBytesMax?: number;
  /** The store failed: this member must stop. Called once. */
  readonly onFatal: (error: Error) => void;
}

export interface ControllerMember {
  readonly log: LogEngine;
  readonly controller: Controller;
  readonly stateMachine: StateMachine;
  start(): void;
  /** Stops reacting; `log.close()` ends the rest once the doors are shut. */
  stop(): void;
}

const NOTIFICATIONS_AT_ONCE = 16;
const NOTIFICATIONS_WAITING_MAX = 50_000;

export function assembleMember(ports: MemberPorts): ControllerMember {
  const { build, chance, clock, config, logger, metrics, store, transport } = ports;
  const self = selfPeer(config);
  const notifier = new RoleChangeNotifier({
    connect: ports.connect,
    connectionsMax: NOTIFICATIONS_AT_ONCE,
    waitingMax: NOTIFICATIONS_WAITING_MAX,
  });
  const stateMachine: StateMachine = {
    apply: (entry) => controller.apply(entry),
    snapshot: () => controller.beginSnapshot(),
    restore: () => controller.restore(),
  };
  const log: LogEngine = new LogEngine({
    self: self.id,
    configuration: config.isJoining
      ? []
      : configurationOf(config.peers.map(({ address, id }) => ({ id, address, role: 'voter' }))),
    timing: electionTiming[config.electionProfile],
    handoff: config.handoff,
    store,
    transport,
    clock,
    chance,
    logger,
    electionRule: config.electionRule,
    preferredLeader: config.preferredLeader,
    leaseClockDriftMax: config.leaseReads ? config.clockDriftMax : null,
    snapshots: { everyEntries: config.snapshotEveryEntries, entriesKept: config.entriesKept },
    ...(ports.pushWindowBytesMax !== undefined && { pushWindowBytesMax: ports.pushWindowBytesMax }),
    stateMachine,
    onFatal: ports.onFatal,
  });
  const controller: Controller = new Controller({
    config,
    ...(ports.settings !== undefined && { settings: ports.settings }),
    build,
    log,
    clock,
    logger,
    metrics,
    notifier,
  });
  return {
    log,
    controller,
    stateMachine,
    start() {
      log.start();
      controller.start();
    },
    stop() {
      controller.stop();
      notifier.close();
    },
  };
}
