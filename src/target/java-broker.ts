/**
 * Starts upstream's name server and its brokers in controller mode, small enough that several share
 * a machine with three controllers.
 *
 * @source rocketmq bin/runbroker.sh, BrokerStartup, NamesrvStartup, MessageStoreConfig (5.4.0)
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatProperties } from '../server/properties.js';
import { freeBasePort } from './free-ports.js';
import { quietLog } from './java.js';
import type { Peers } from './peers.js';
import { type MemberSpec, ProcessGroup } from './process-group.js';

/** One Java process: killed, started again with its old data, ended. */
export interface JavaProcess {
  readonly id: string;
  /** `host:port` of its remoting port. */
  readonly address: string;
  readonly isRunning: boolean;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Resolves when it listens again. */
  restart(): Promise<void>;
  /** By force after 5 s. */
  close(): Promise<void>;
}

export interface NamesrvOptions {
  readonly peers: Peers;
  /** Holds its home and its log. */
  readonly directory: string;
}

export interface BrokerOptions extends NamesrvOptions {
  readonly id: string;
  readonly clusterName: string;
  /** Brokers of one name are one broker set. */
  readonly brokerName: string;
  readonly namesrv: string;
  /** `host:port;host:port`, or with `hostsFile` the `name:port` that is looked up. */
  readonly controllers: string;
  /** Has the JVM look names up in this file alone, and the broker look up its controllers. */
  readonly hostsFile?: string;
  /** Further properties, such as `brokerElectionPriority`. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** JVMs that start while three others do. */
const LISTEN_TIMEOUT_MS = 180_000;
/** Upstream puts the port for clients that skip the queue 2 below, and the one for replicas 1 above. */
const BROKER_PORT_OFFSET = 2;
const HA_PORT_OFFSET = 3;
const MIB = 1_048_576;

/** For processes that are watched, not measured: little memory, quick to start. */
export const smallJvm = (heapMb: number): readonly string[] => [
  `-Xms${heapMb}m`,
  `-Xmx${heapMb}m`,
  '-XX:MaxDirectMemorySize=256m',
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-Djava.net.preferIPv4Stack=true',
];

/** @throws {TargetError} START_FAILED or NO_FREE_PORTS */
export async function startNamesrv({ peers, directory }: NamesrvOptions): Promise<JavaProcess> {
  const port = await freeBasePort([0]);
  return startJavaProcess({
    ...{ id: 'namesrv', peers, directory, port, heapMb: 128, jvm: [] },
    startClass: 'org.apache.rocketmq.namesrv.NamesrvStartup',
    properties: {
      listenPort: String(port),
      bindAddress: '127.0.0.1',
      kvConfigPath: join(directory, 'kvConfig.json'),
      configStorePath: join(directory, 'namesrv.saved'),
      // Brokers that are gone leave the routes at once anyway; this finds silent ones.
      scanNotActiveBrokerInterval: '5000',
    },
  });
}

/**
 * A broker in controller mode. What it acknowledges, all of its SyncStateSet has.
 *
 * @throws {TargetError} START_FAILED or NO_FREE_PORTS
 */
export async function startBroker(options: BrokerOptions): Promise<JavaProcess> {
  const { id, peers, directory, hostsFile } = options;
  const base = await freeBasePort([0, BROKER_PORT_OFFSET, HA_PORT_OFFSET]);
  const port = base + BROKER_PORT_OFFSET;
  return startJavaProcess({
    ...{ id, peers, directory, port, heapMb: 512 },
    startClass: 'org.apache.rocketmq.broker.BrokerStartup',
    jvm: hostsFile === undefined ? [] : [`-Djdk.net.hosts.file=${hostsFile}`],
    properties: {
      brokerClusterName: options.clusterName,
      brokerName: options.brokerName,
      listenPort: String(port),
      haListenPort: String(base + HA_PORT_OFFSET),
      bindAddress: '127.0.0.1',
      brokerIP1: '127.0.0.1',
      brokerIP2: '127.0.0.1',
      namesrvAddr: options.namesrv,
      enableControllerMode: 'true',
      controllerAddr: options.controllers,
      fetchControllerAddrByDnsLookup: String(hostsFile !== undefined),
      allAckInSyncStateSet: 'true',
      inSyncReplicas: '2',
      // A master that is left alone goes on: the controller lets nobody else lead then.
      minInSyncReplicas: '1',
      storePathRootDir: join(directory, 'store'),
      mappedFileSizeCommitLog: String(16 * MIB),
      mappedFileSizeConsumeQueue: String(20 * 30_000),
      messageIndexEnable: 'false',
      timerWheelEnable: 'false',
      // Upstream refuses writes above 75 %; how full this machine's disk is, is not what is shown.
      diskMaxUsedSpaceRatio: '95',
      diskSpaceWarningLevelRatio: '98',
      diskSpaceCleanForciblyRatio: '97',
      ...options.properties,
    },
  });
}

interface JavaProgram {
  readonly id: string;
  readonly peers: Peers;
  readonly directory: string;
  readonly port: number;
  readonly heapMb: number;
  readonly jvm: readonly string[];
  readonly startClass: string;
  readonly properties: Readonly<Record<string, string>>;
}

async function startJavaProcess(program: JavaProgram): Promise<JavaProcess> {
  const { id, directory, port } = program;
  const address = `127.0.0.1:${port}`;
  mkdirSync(join(directory, 'conf'), { recursive: true });
  const config = join(directory, `${id}.properties`);
  writeFileSync(config, formatProperties(program.properties));
  const log = join(directory, 'conf', 'logback.xml');
  writeFileSync(log, quietLog);
  const spec: MemberSpec = {
    ...{ id, address, httpAddress: null, command: 'setpriv' },
    // Nobody is left behind when this process is killed: a JVM does not watch a channel.
    args: [
      ...['--pdeathsig', 'KILL', 'java', ...smallJvm(program.heapMb), ...program.jvm],
      `-Duser.home=${directory}`,
      `-Drocketmq.home.dir=${directory}`,
      `-Drmq.logback.configurationFile=${log}`,
      ...['-cp', program.peers.classPath, program.startClass, '-c', config],
    ],
    env: { ROCKETMQ_HOME: directory },
    logFile: join(directory, `${id}.log`),
    listening: { at: address, timeoutMs: LISTEN_TIMEOUT_MS },
  };
  const group = await ProcessGroup.start([spec]);
  return {
    id,
    address,
    get isRunning() {
      return group.isRunning(id);
    },
    kill: (signal) => group.kill(id, signal),
    async restart() {
      await group.restart(id);
    },
    close: () => group.close(),
  };
}
