/**
 * Starts a group (of three, usually) of the upstream Java controllers, in DLedger or in JRaft mode, as upstream's own
 * scripts do: the same JVM flags, defaults wherever nothing has to be said.
 *
 * @source rocketmq bin/runserver.sh (JVM flags), ControllerStartup; heap as stated in `javaFlags`
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatProperties } from '../server/properties.js';
import { freeBasePort } from './free-ports.js';
import { findPeers, type PeerVersion } from './peers.js';
import type { MemberSpec } from './process-group.js';
import { dataDirectory, SERVE_TIMEOUT_OF_JVM_MS, startTarget } from './start-target.js';
import type { RunningTarget } from './target.js';

export const javaModes = ['dledger', 'jraft'] as const;
export type JavaMode = (typeof javaModes)[number];

export interface JavaOptions {
  readonly mode: JavaMode;
  /** Default 5.4.0. */
  readonly version?: PeerVersion;
  readonly processReadEvent?: boolean;
  /** Default 3. */
  readonly nodes?: number;
  /** Default `javaFlags`. */
  readonly flags?: readonly string[];
  /** Holds `n0/`, `n1/`, `n2/`; a temporary directory when absent. */
  readonly data?: string;
  readonly properties?: Readonly<Record<string, string>>;
  /** Gives up the start. */
  readonly signal?: AbortSignal;
}

const MEMBER_PORT_DISTANCE = 10;
const RAFT_PORT_DISTANCE = 1;
/** A JVM on a busy machine: 70 s were seen with thirty processes waiting for two cores. */
const LISTEN_TIMEOUT_MS = 180_000;

/** Upstream's, but for what `javaFlagsDiffer` says: three members share this machine with the load. */
export const javaFlags: readonly string[] = [
  '-server',
  '-Xms2g',
  '-Xmx2g',
  '-XX:MetaspaceSize=128m',
  '-XX:MaxMetaspaceSize=320m',
  '-XX:+UseG1GC',
  '-XX:G1HeapRegionSize=16m',
  '-XX:G1ReservePercent=25',
  '-XX:InitiatingHeapOccupancyPercent=30',
  '-XX:SoftRefLRUPolicyMSPerMB=0',
  '-XX:-OmitStackTraceInFastThrow',
  '-XX:-UseLargePages',
];

/** For the report. */
export const javaFlagsDiffer =
  "upstream's flags but for the heap (4 GB there) and its log of garbage collections; the controller logs warnings only (INFO there)";

/** For controllers that are asked and not measured: a start costs a fraction of the processor time. */
export const lightJavaFlags: readonly string[] = [
  ...['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
  // Or the texts of exceptions would be lost once they are frequent.
  '-XX:-OmitStackTraceInFastThrow',
];

/** @throws {PeersError | TargetError} */
export async function startJava(options: JavaOptions): Promise<RunningTarget> {
  const { mode, nodes = 3, processReadEvent = false, signal, version } = options;
  const peers = findPeers(version);
  const flags = options.flags ?? javaFlags;
  const offsets = Array.from({ length: nodes }, (_, index) => index * MEMBER_PORT_DISTANCE);
  const base = await freeBasePort(
    offsets.flatMap((offset) => [offset, offset + RAFT_PORT_DISTANCE]),
  );
  const ports = offsets.map((offset) => base + offset);
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  const { data, removeData } = dataDirectory(options.data);
  const specs = ports.map((_, index): MemberSpec => {
    const directory = join(data, `n${index}`);
    const config = join(directory, 'controller.properties');
    mkdirSync(join(directory, 'conf'), { recursive: true });
    writeFileSync(join(directory, 'conf', 'rmq.controller.logback.xml'), quietLog);
    writeFileSync(
      config,
      formatProperties({
        ...raftProperties(mode, index, ports),
        controllerStorePath: join(directory, 'store'),
        configStorePath: join(directory, 'controller.saved'),
        bindAddress: '127.0.0.1',
        processReadEvent: String(processReadEvent),
        ...options.properties,
      }),
    );
    return {
      id: `n${index}`,
      address: addresses[index] as string,
      httpAddress: null,
      command: 'setpriv',
      // Nobody is left behind when this process is killed: a JVM does not watch a channel.
      args: [
        ...['--pdeathsig', 'KILL', 'java', ...flags],
        `-Duser.home=${directory}`,
        `-Drocketmq.home.dir=${directory}`,
        ...['-cp', peers.classPath, 'org.apache.rocketmq.controller.ControllerStartup'],
        ...['-c', config],
      ],
      env: { ROCKETMQ_HOME: directory },
      logFile: join(directory, 'controller.log'),
      listening: { at: addresses[index] as string, timeoutMs: LISTEN_TIMEOUT_MS },
    };
  });
  return startTarget(specs, removeData, signal, SERVE_TIMEOUT_OF_JVM_MS);
}

function raftProperties(
  mode: JavaMode,
  self: number,
  ports: readonly number[],
): Readonly<Record<string, string>> {
  if (mode === 'dledger') {
    return {
      controllerType: 'DLedger',
      controllerDLegerGroup: 'quorumark',
      controllerDLegerPeers: ports.map((port, i) => `n${i}-127.0.0.1:${port}`).join(';'),
      controllerDLegerSelfId: `n${self}`,
      // As upstream's; stated, because three of them are mapped on one disk.
      mappedFileSize: '1073741824',
    };
  }
  const raftAddress = (port: number): string => `127.0.0.1:${port + RAFT_PORT_DISTANCE}`;
  return {
    controllerType: 'jRaft',
    jRaftInitConf: ports.map(raftAddress).join(','),
    jRaftServerId: raftAddress(ports[self] as number),
    jRaftControllerRPCAddr: ports.map((port) => `127.0.0.1:${port}`).join(','),
  };
}

/** Upstream logs every request at INFO to files; a measured controller keeps its warnings only. */
export const quietLog = `<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <appender name="STDERR" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d %p %c{1} %m%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="STDERR"/></root>
</configuration>
`;
