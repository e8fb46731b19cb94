/**
 * From a target's description to its running processes, and back to what the report says of it.
 */
import { DEFAULT_THREADS } from '../load/generator.js';
import { memberConnections, socketNeeds } from '../load/resources.js';
import type { Operation, Target } from '../measure/results.js';
import type { ClientTls } from '../net/tls.js';
import { loadClientTls, type TlsNames } from '../server/tls-files.js';
import { attachTarget } from '../target/address.js';
import { startFloor } from '../target/floor.js';
import { type JavaMode, javaFlags, javaFlagsDiffer, startJava } from '../target/java.js';
import { startCluster } from '../target/ours.js';
import { findPeers, libraryVersion, type Peers } from '../target/peers.js';
import { referenceVersion, startReference } from '../target/start-reference.js';
import type { RunningTarget } from '../target/target.js';
import type { WorkloadPoint } from '../workload/points.js';
import type { AddressTls, TargetSpec } from './plan.js';

/** Three members, as the group that the product is for. */
export const MEMBERS = 3;

/** @throws {TargetError} when it does not start; nothing is left running then. */
export function startTarget(
  spec: TargetSpec,
  signal: AbortSignal,
  workloads: readonly WorkloadPoint[],
): Promise<RunningTarget> {
  const { processReadEvent } = spec;
  switch (spec.kind) {
    case 'floor':
      return startFloor({ durability: spec.durability, signal });
    case 'java':
      return startJava({ mode: spec.mode, processReadEvent, signal });
    case 'address':
      return attachTarget(spec.addresses, loadAddressTls(spec.tls));
    case 'reference':
      return startReference(spec.store, signal, spec.paths);
    case 'build':
      return startCluster({
        build: spec.build,
        nodes: MEMBERS,
        durability: spec.durability,
        handoff: spec.handoff,
        electionProfile: spec.electionProfile,
        properties: {
          processReadEvent: String(processReadEvent),
          connectionsMax: String(
            memberConnections(
              workloads.map((point) => socketNeeds(point, MEMBERS, DEFAULT_THREADS)),
            ),
          ),
        },
        signal,
      });
  }
}

/** @throws {ConfigError} by the flag that named the file. */
export function loadAddressTls(tls: AddressTls | null): ClientTls | null {
  if (tls === null) return null;
  const { verifyServer, ...paths } = tls;
  return { ...loadClientTls({ ...paths, keyPassword: '' }, tlsFlags), verifyServer };
}

const tlsFlags: TlsNames = {
  certPath: '--address-cert',
  keyPath: '--address-key',
  keyPassword: 'a password',
  trustCertPath: '--address-ca',
};

/** @param version this program's; what is not ours has its own. */
export function describeTarget(spec: TargetSpec, version: string): Target {
  const { name, kind, title, durability, handoff, electionProfile } = spec;
  const members = spec.kind === 'address' ? spec.addresses.length : MEMBERS;
  const target = { name, kind, title, members, durability, handoff, electionProfile, version };
  switch (spec.kind) {
    case 'java': {
      const peers = findPeers();
      return {
        ...target,
        title: `${title}; ${peers.jvm}; ${javaFlags.join(' ')}: ${javaFlagsDiffer}`,
        version: [`rocketmq ${peers.version}`, raftLibrary(spec.mode, peers)].join(', '),
      };
    }
    case 'reference':
      return { ...target, version: referenceVersion(spec.store, spec.paths) };
    case 'address':
      return { ...target, version: 'unknown' };
    default:
      return target;
  }
}

/** `dledger 0.3.2`: it is released apart from the controller. */
function raftLibrary(mode: JavaMode, { version }: Peers): string {
  const library = mode === 'dledger' ? 'dledger' : 'jraft-core';
  return `${library} ${libraryVersion(version, library) ?? 'of unknown version'}`;
}

/** What an answer to 1004 or 1006 proves on this target; 1012 likewise. */
export function readProof(spec: TargetSpec): Operation['proof'] {
  switch (spec.kind) {
    case 'floor':
    case 'address':
      return 'unproved';
    case 'java':
      return spec.mode === 'jraft' ? 'log' : 'unproved';
    case 'reference':
      return spec.store === 'etcd' ? 'read-index' : 'unproved';
    case 'build': {
      const [base = '', ...replaced] = spec.build.split('+');
      const reads = replaced.findLast((part) => part.startsWith('reads='))?.slice('reads='.length);
      if ((reads ?? base) === 'optimized') return 'read-index';
      return spec.processReadEvent ? 'log' : 'unproved';
    }
  }
}
