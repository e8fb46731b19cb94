/**
 * One controller process, put together: store, log, state machine, ports.
 *
 * Order matters on the way up (a locked store or a port in use must be found before anything is
 * promised) and the other way round on the way down.
 */
import { randomInt } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect, tlsRuntime } from '../client/connection.js';
import { brokerNamesInOrder } from '../controller/state.js';
import { LogError } from '../engine/errors.js';
import type { LogEngine } from '../engine/log-engine.js';
import { systemClock } from '../lib/clock.js';
import type { Logger } from '../lib/logger.js';
import { Prng } from '../lib/prng.js';
import { isMemberCode } from '../net/member-codec.js';
import { listen, type ServerHandler } from '../net/tcp-server.js';
import { dialTls } from '../net/tls.js';
import { tcpTransport } from '../net/transport.js';
import { isResponse } from '../remoting/command.js';
import { openFileStore } from '../storage/file-store.js';
import { type ControllerConfig, isLoopback, selfPeer } from './config.js';
import type { Controller } from './controller.js';
import { type GroupChange, type HttpServer, serveHttp } from './http.js';
import { assembleMember } from './member.js';
import { ControllerMetrics } from './metrics.js';
import { connectionsThatFit } from './open-files.js';
import type { ControllerBuild } from './parts.js';
import { Settings } from './settings.js';
import { loadTls } from './tls-files.js';

export interface RunningController {
  /** `host:port` of the remoting protocol. */
  readonly address: string;
  /** `host:port` of health and metrics; null when turned off. */
  readonly httpAddress: string | null;
  /** Resolves with the reason when this controller can no longer do its work; else never. */
  readonly failed: Promise<Error>;
  /** Answers what it can, syncs, and releases ports and store. */
  close(): Promise<void>;
}

/**
 * @param settings what operators may change while it runs, and where that is saved
 * @throws {ConfigError} when a certificate or key cannot be used.
 * @throws {StoreError} when the store is locked, damaged, or of an unknown format.
 * @throws {ListenError} when a port is in use.
 */
export async function startController(
  config: ControllerConfig,
  build: ControllerBuild,
  logger: Logger,
  settings: Settings = Settings.inMemory(config),
): Promise<RunningController> {
  const self = selfPeer(config);
  const tls = loadTls(config.tls);
  const dialsTls = config.memberTls || config.tls.dials;
  const exposure = exposureOf(config);
  if (exposure !== null) logger.warn({ bindAddress: config.bindAddress }, exposure);
  const connectionsMax = connectionsThatFit(config.connectionsMax);
  if (connectionsMax < config.connectionsMax) {
    logger.warn(
      { connectionsMax },
      'open files (ulimit -Hn) allow fewer connections than configured',
    );
  }
  const store = openFileStore({
    directory: config.storePath,
    durability: config.durability,
    rebuildFromPeers: config.rebuildFromPeers,
    logger,
  });
  const metrics = new ControllerMetrics({
    address: self.address,
    group: config.group,
    peer_id: self.id,
  });
  let fail = (_error: Error): void => {};
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  const transport = tcpTransport({
    self: self.id,
    group: config.group,
    peers: config.peers,
    logger,
    alsoAllowed: config.memberAllowList,
    needsCertificate: config.memberTls,
    ...(dialsTls && { dial: (target) => dialTls(target, tls.client) }),
  });
  const runtime = tlsRuntime(tls.client);
  const member = assembleMember({
    config,
    settings,
    build,
    store,
    transport,
    connect: config.tls.dials
      ? (address, options) => connect(address, { ...options, runtime })
      : connect,
    clock: systemClock,
    chance: new Prng(randomInt(2 ** 32 - 1)),
    logger,
    metrics,
    onFatal: (error) => fail(error),
  });
  const { controller, log } = member;

  const handler: ServerHandler = {
    onCommand(connection, command) {
      if (isMemberCode(command.code)) log.receive(transport.receive(command, connection));
      else if (!isResponse(command)) controller.handle(command, connection);
    },
    onClose: (connection) => controller.connectionClosed(connection),
  };
  const closeEngine = async (): Promise<void> => {
    member.stop();
    await log.close();
  };

  let server: Awaited<ReturnType<typeof listen>>;
  let http: HttpServer | null = null;
  try {
    server = await listen(
      {
        host: config.bindAddress,
        port: self.port,
        logger,
        idleCloseMs: config.connectionIdleMs,
        connectionsMax,
        isMemberHost: (host) => transport.isHostOfMembers(host),
        connectionsPerAddressMax: config.connectionsPerAddressMax,
        requestsPerSecondPerAddressMax: config.requestsPerSecondPerAddressMax,
        unfinishedBytesPerAddressMax: config.unfinishedBytesPerAddressMax,
        frameBytesMax: config.frameBytesMax,
        frameTimeoutMs: config.frameTimeoutMs,
        handshakeTimeoutMs: config.handshakeTimeoutMs,
        firstFrameTimeoutMs: config.firstFrameTimeoutMs,
        tls: tls.server,
      },
      handler,
    );
  } catch (error) {
    await closeEngine();
    throw error;
  }
  try {
    if (config.httpPort > 0) {
      http = await serveHttp(httpView(controller, log, metrics), {
        host: config.httpHost,
        port: config.httpPort,
      });
    }
  } catch (error) {
    await server.close();
    await closeEngine();
    throw error;
  }
  metrics.expose({
    role: () => log.status.role,
    diskUsageBytes: () => directoryBytes(config.storePath),
    activeBrokers: () => controller.table.alive(),
    gauges: () => ({
      requests_handling: controller.load.handling,
      requests_waiting: controller.load.waiting,
      raft_term: log.status.term,
      raft_commit_index: log.commitIndex,
      raft_applied_index: log.appliedIndex,
      broker_sets: controller.state.brokerSets.size,
      connections: server.connections,
      connections_refused: server.connectionsRefused,
      requests_refused: server.requestsRefused,
    }),
  });
  member.start();

  return {
    address: `${self.host}:${server.port}`,
    httpAddress: http?.address ?? null,
    failed,
    async close() {
      await http?.close();
      await handOver(log);
      member.stop();
      await server.close();
      await log.close();
    },
  };
}

/** What an operator who opens the port to others should hear; null: nothing. */
function exposureOf({ bindAddress, memberTls, tls }: ControllerConfig): string | null {
  if (isLoopback(bindAddress)) return null;
  if (tls.mode !== 'enforcing') return 'listens beyond this machine, and serves without TLS';
  if (tls.clientAuth !== 'require') return 'listens beyond this machine, to any client';
  return memberTls ? null : 'listens beyond this machine; members are known by address alone';
}

function httpView(controller: Controller, log: LogEngine, metrics: ControllerMetrics) {
  return {
    notReadyBecause(): string | null {
      const { leader, role } = log.status;
      if (leader === null) return 'no leader is known';
      if (role === 'leader' && !log.isServing) return 'the log is still being applied';
      return null;
    },
    status: () => ({ ...log.status, commitIndex: log.commitIndex, appliedIndex: log.appliedIndex }),
    metrics: () => metrics.scrape(),
    members: () => log.configuration,
    changeGroup: (change: GroupChange) => changeGroup(log, change),
    brokerSetNames: () => brokerNamesInOrder(controller.state),
    brokerSet(name: string): object | null {
      const set = controller.state.brokerSets.get(name);
      if (set === undefined) return null;
      const { brokerName, clusterName, registry, sync } = set;
      const replicas = [...(registry?.replicas ?? [])].map(([brokerId, { address }]) => ({
        brokerId,
        address,
        alive: controller.table.isAlive(clusterName, brokerName, brokerId),
      }));
      return { brokerName, clusterName, ...sync, replicas };
    },
  };
}

/** A leader that stops on purpose spares the group an election, if somebody is in step. */
async function handOver(log: LogEngine): Promise<void> {
  if (log.status.role !== 'leader') return;
  const heirs = log.configuration.filter(
    ({ id, role }) => role === 'voter' && id !== log.status.leader,
  );
  for (const { id } of heirs) {
    try {
      await log.transfer(id);
      return;
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
    }
  }
}

function changeGroup(log: LogEngine, change: GroupChange): Promise<void> {
  switch (change.kind) {
    case 'add':
      return log.addLearner(change.id, change.address);
    case 'promote':
      return log.promote(change.id);
    case 'remove':
      return log.remove(change.id);
    case 'replace':
      return log.replace(change.id, { id: change.by, address: change.address });
    case 'transfer':
      return log.transfer(change.id);
  }
}

/** Files come and go while they are counted: one that has gone counts nothing. */
function directoryBytes(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => {
    const stats = statSync(join(directory, name), { throwIfNoEntry: false });
    return sum + (stats?.isFile() === true ? stats.size : 0);
  }, 0);
}
