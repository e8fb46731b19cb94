/**
 * Starts a cluster of our own controllers as real processes, each with its data, log and heap bound.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Handoff } from '../engine/log-engine.js';
import type { ElectionProfile } from '../server/config.js';
import { formatProperties } from '../server/properties.js';
import type { Durability } from '../storage/log-store.js';
import { freeBasePort } from './free-ports.js';
import type { MemberSpec } from './process-group.js';
import { dataDirectory, startTarget } from './start-target.js';
import type { RunningTarget } from './target.js';

export interface ClusterOptions {
  /** `baseline`, `optimized`, or a mixture such as `baseline+reads=optimized`. */
  readonly build: string;
  /** Default 3. */
  readonly nodes?: number;
  /** Members listen on base, base+10, base+20, …, their HTTP doors one above; free ports when absent. */
  readonly basePort?: number;
  /**
   * One loopback address a member, of which all listen on the base port: members that are found by
   * one name. By default all are at 127.0.0.1, on ports of their own.
   */
  readonly hosts?: readonly string[];
  /** Holds `n0/`, `n1/`, … with store, properties and log; a temporary directory when absent. */
  readonly data?: string;
  readonly durability: Durability;
  readonly handoff?: Handoff;
  readonly electionProfile?: ElectionProfile;
  /** Further properties of every member, such as `processReadEvent`. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Of V8's old space, per member; default 256. */
  readonly heapMbMax?: number;
  /** Default `warn`: a measured controller should not spend its time on a log. */
  readonly logLevel?: string;
  /** Gives up the start. */
  readonly signal?: AbortSignal;
}

const MEMBER_PORT_DISTANCE = 10;
const HTTP_PORT_DISTANCE = 1;
/** The command line, compiled beside this file; reached as a process, never imported. */
const CLI = fileURLToPath(new URL('../cli/main.js', import.meta.url));

/**
 * Resolves when a leader serves and every member knows it.
 *
 * @throws {TargetError} START_FAILED, NO_LEADER or NO_FREE_PORTS; nothing is left running or on disk then.
 */
export async function startCluster(options: ClusterOptions): Promise<RunningTarget> {
  const nodes = options.nodes ?? 3;
  const ids = Array.from({ length: nodes }, (_, index) => `n${index}`);
  const basePort = options.basePort ?? (await freeBasePort(portOffsets(nodes)));
  const addresses = ids.map((_, index) => {
    const host = options.hosts?.[index];
    return host === undefined
      ? `127.0.0.1:${basePort + index * MEMBER_PORT_DISTANCE}`
      : `${host}:${basePort}`;
  });
  const peers = ids.map((id, index) => `${id}-${addresses[index]}`).join(';');
  const { data, removeData } = dataDirectory(options.data);

  const specs = ids.map((id, index): MemberSpec => {
    const address = addresses[index] as string;
    const httpPort = basePort + index * MEMBER_PORT_DISTANCE + HTTP_PORT_DISTANCE;
    const directory = join(data, id);
    const config = join(directory, 'controller.properties');
    mkdirSync(directory, { recursive: true });
    writeFileSync(
      config,
      formatProperties({
        controllerDLegerSelfId: id,
        controllerDLegerPeers: peers,
        controllerStorePath: join(directory, 'store'),
        bindAddress: options.hosts?.[index] ?? '127.0.0.1',
        httpPort: String(httpPort),
        durability: options.durability,
        handoff: options.handoff ?? 'wake',
        electionProfile: options.electionProfile ?? 'fast',
        ...options.properties,
      }),
    );
    return {
      id,
      address,
      httpAddress: `127.0.0.1:${httpPort}`,
      command: process.execPath,
      args: [
        `--max-old-space-size=${options.heapMbMax ?? 256}`,
        CLI,
        'controller',
        ...['--build', options.build, '--config', config],
        ...['--log-level', options.logLevel ?? 'warn'],
      ],
      logFile: join(directory, 'controller.log'),
    };
  });
  return startTarget(specs, removeData, options.signal);
}

function portOffsets(nodes: number): readonly number[] {
  return Array.from({ length: nodes }, (_, index) => index * MEMBER_PORT_DISTANCE).flatMap(
    (offset) => [offset, offset + HTTP_PORT_DISTANCE],
  );
}
