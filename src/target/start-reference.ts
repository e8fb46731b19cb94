/**
 * Finds and starts the reference stores, three members each, and says which version they are.
 */
import { findEtcd, startEtcd } from './etcd.js';
import { EtcdClient } from './etcd-client.js';
import { findZookeeper } from './peers.js';
import type { ReferenceClient, ReferenceName } from './reference.js';
import type { RunningTarget } from './target.js';
import { startZookeeper } from './zookeeper.js';
import { ZookeeperClient } from './zookeeper-client.js';

/** Where the programs are, when they are not on the path. */
export interface ReferencePaths {
  readonly etcd?: string | undefined;
}

/** @throws {PeersError} NOT_INSTALLED, saying what to do about it. */
export function referenceVersion(store: ReferenceName, paths: ReferencePaths = {}): string {
  switch (store) {
    case 'etcd':
      return findEtcd(paths.etcd).version;
    case 'zookeeper': {
      const { version, jvm } = findZookeeper();
      return `${version}, ${jvm}`;
    }
  }
}

/** @throws {PeersError | TargetError} */
export function startReference(
  store: ReferenceName,
  signal: AbortSignal,
  paths: ReferencePaths = {},
): Promise<RunningTarget> {
  switch (store) {
    case 'etcd':
      return startEtcd({ signal, path: paths.etcd });
    case 'zookeeper':
      return startZookeeper(signal);
  }
}

/** @throws {ClientError} when it cannot be reached. */
export function connectReference(
  store: ReferenceName,
  addresses: readonly string[],
): Promise<ReferenceClient> {
  switch (store) {
    case 'etcd':
      return EtcdClient.open(addresses);
    case 'zookeeper':
      return ZookeeperClient.open(addresses);
  }
}
