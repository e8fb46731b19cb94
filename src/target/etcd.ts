/**
 * Starts three members of etcd with its defaults: every batch of its log is synced before it is
 * acknowledged.
 *
 * @source etcd 3.4 Documentation/op-guide/clustering.md (static bootstrap)
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freeBasePort } from './free-ports.js';
import { PeersError } from './peers.js';
import { type MemberSpec, ProcessGroup } from './process-group.js';
import { dataDirectory, groupTarget } from './start-target.js';
import type { RunningTarget } from './target.js';

export interface Etcd {
  readonly path: string;
  /** `etcd 3.4.23`. */
  readonly version: string;
}

export interface EtcdOptions {
  /** Of the program; default: the one on the path. */
  readonly path?: string | undefined;
  readonly signal?: AbortSignal;
}

const MEMBERS = [0, 1, 2];
const MEMBER_PORT_DISTANCE = 10;
const PEER_PORT_DISTANCE = 1;
const LISTEN_TIMEOUT_MS = 60_000;

/** @throws {PeersError} NOT_INSTALLED when there is no such program. */
export function findEtcd(path = 'etcd'): Etcd {
  try {
    const said = execFileSync(path, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const version = /^etcd Version: (\S+)/m.exec(said)?.[1];
    if (version !== undefined) return { path, version: `etcd ${version}` };
  } catch {
    // Said below, with what to do about it.
  }
  throw new PeersError(
    'NOT_INSTALLED',
    `no etcd at '${path}': install it (Debian: etcd-server) or say --etcd PATH`,
  );
}

/** Resolves when every member listens; a leader may still be missing then. @throws {PeersError | TargetError} */
export async function startEtcd({ path, signal }: EtcdOptions = {}): Promise<RunningTarget> {
  const etcd = findEtcd(path);
  const offsets = MEMBERS.map((index) => index * MEMBER_PORT_DISTANCE);
  const base = await freeBasePort(
    offsets.flatMap((offset) => [offset, offset + PEER_PORT_DISTANCE]),
  );
  const { data, removeData } = dataDirectory(undefined);
  const addressOf = (offset: number): string => `127.0.0.1:${base + offset}`;
  const peerUrl = (offset: number): string => `http://${addressOf(offset + PEER_PORT_DISTANCE)}`;
  const cluster = offsets.map((offset, index) => `n${index}=${peerUrl(offset)}`).join(',');
  const specs = offsets.map((offset, index): MemberSpec => {
    const directory = join(data, `n${index}`);
    mkdirSync(directory, { recursive: true });
    const client = `http://${addressOf(offset)}`;
    return {
      id: `n${index}`,
      address: addressOf(offset),
      httpAddress: addressOf(offset),
      command: 'setpriv',
      // Nobody is left behind when this process is killed: etcd does not watch a channel.
      args: [
        ...['--pdeathsig', 'KILL', etcd.path, '--name', `n${index}`],
        ...['--data-dir', join(directory, 'data'), '--logger', 'zap', '--log-level', 'warn'],
        ...['--listen-client-urls', client, '--advertise-client-urls', client],
        ...['--listen-peer-urls', peerUrl(offset)],
        ...['--initial-advertise-peer-urls', peerUrl(offset)],
        ...['--initial-cluster', cluster, '--initial-cluster-state', 'new'],
      ],
      logFile: join(directory, 'etcd.log'),
      listening: { at: addressOf(offset), timeoutMs: LISTEN_TIMEOUT_MS },
    };
  });
  try {
    signal?.throwIfAborted();
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
