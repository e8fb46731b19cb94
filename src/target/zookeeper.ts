/**
 * Starts three ZooKeeper servers with their defaults: the log is synced before it is acknowledged.
 *
 * @source zookeeper 3.9 zookeeperAdmin.md (replicated mode), bin/zkServer.sh
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freeBasePort } from './free-ports.js';
import { findZookeeper } from './peers.js';
import { type MemberSpec, ProcessGroup } from './process-group.js';
import { dataDirectory, groupTarget } from './start-target.js';
import type { RunningTarget } from './target.js';

const MEMBERS = [0, 1, 2];
const MEMBER_PORT_DISTANCE = 10;
const QUORUM_PORT_DISTANCE = 1;
const ELECTION_PORT_DISTANCE = 2;
const LISTEN_TIMEOUT_MS = 180_000;
export const zookeeperFlags: readonly string[] = ['-Xms1g', '-Xmx1g', '-XX:+UseG1GC'];

/** Resolves when every server listens; a leader may still be missing then. @throws {PeersError | TargetError} */
export async function startZookeeper(signal: AbortSignal): Promise<RunningTarget> {
  const { classPath } = findZookeeper();
  const offsets = MEMBERS.map((index) => index * MEMBER_PORT_DISTANCE);
  const distances = [0, QUORUM_PORT_DISTANCE, ELECTION_PORT_DISTANCE];
  const base = await freeBasePort(
    offsets.flatMap((offset) => distances.map((distance) => offset + distance)),
  );
  const { data, removeData } = dataDirectory(undefined);
  const servers = offsets.map((offset, index) => {
    const [quorum, election] = distances.slice(1).map((distance) => base + offset + distance);
    return `server.${index + 1}=127.0.0.1:${quorum}:${election}`;
  });
  const specs = offsets.map((offset, index): MemberSpec => {
    const directory = join(data, `n${index}`);
    const config = join(directory, 'zoo.cfg');
    mkdirSync(join(directory, 'data'), { recursive: true });
    writeFileSync(join(directory, 'data', 'myid'), `${index + 1}\n`);
    writeFileSync(join(directory, 'logback.xml'), QUIET_LOG);
    writeFileSync(
      config,
      [
        ...['tickTime=2000', 'initLimit=10', 'syncLimit=5', 'maxClientCnxns=0'],
        ...[`dataDir=${join(directory, 'data')}`, `clientPort=${base + offset}`],
        ...['clientPortAddress=127.0.0.1', 'admin.enableServer=false', ...servers, ''],
      ].join('\n'),
    );
    const address = `127.0.0.1:${base + offset}`;
    return {
      id: `n${index}`,
      address,
      httpAddress: null,
      command: 'setpriv',
      // Nobody is left behind when this process is killed: a JVM does not watch a channel.
      args: [
        ...['--pdeathsig', 'KILL', 'java', ...zookeeperFlags],
        `-Dlogback.configurationFile=${join(directory, 'logback.xml')}`,
        ...['-cp', classPath, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', config],
      ],
      logFile: join(directory, 'zookeeper.log'),
      listening: { at: address, timeoutMs: LISTEN_TIMEOUT_MS },
    };
  });
  try {
    signal.throwIfAborted();
    const group = await ProcessGroup.start(specs);
    return groupTarget(
      group,
      specs.map(({ address }) => address),
      removeData,
    );
  } catch (error) {
    removeData();
    throw error;
  }
}

const QUIET_LOG = `<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <appender name="STDERR" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d %p %c{1} %m%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="STDERR"/></root>
</configuration>
`;
