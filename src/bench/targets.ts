/**
 * From a target's description to its running processes, and back to what the report says of it.
 */
import { DEFAULT_THREADS } from '../load/generator.js';
import { memberConnections, socketNeeds } from '../load/resources.js';
import type { Operation, Target } from '../measure/results.js';
import { startFloor } from '../target/floor.js';
import { javaFlags, startJava } from '../target/java.js';
import { startCluster } from '../target/ours.js';
import { findPeers } from '../target/peers.js';
import type { RunningTarget } from '../target/target.js';
import type { WorkloadPoint } from '../workload/points.js';
import { javaModeOf, type TargetSpec } from './plan.js';

/** Three members, as the group that the product is for. */
export const MEMBERS = 3;

/** @throws {TargetError} when it does not start; nothing is left running then. */
export function startTarget(
  spec: TargetSpec,
  signal: AbortSignal,
  workloads: readonly WorkloadPoint[],
): Promise<RunningTarget> {
  if (spec.kind === 'floor') return startFloor({ durability: spec.durability, signal });
  const mode = javaModeOf(spec.build);
  if (mode !== null) {
    return startJava({ mode, processReadEvent: spec.processReadEvent, signal });
  }
  return startCluster({
    build: spec.build,
    nodes: MEMBERS,
    durability: spec.durability,
    handoff: spec.handoff,
    electionProfile: spec.electionProfile,
    properties: {
      processReadEvent: String(spec.processReadEvent),
      connectionsMax: String(
        memberConnections(workloads.map((point) => socketNeeds(point, MEMBERS, DEFAULT_THREADS))),
      ),
    },
    signal,
  });
}

/** @param version this program's; a Java peer has its own. */
export function describeTarget(spec: TargetSpec, version: string): Target {
  const { name, kind, title, durability, handoff, electionProfile } = spec;
  const target = {
    name,
    kind,
    title,
    members: MEMBERS,
    durability,
    handoff,
    electionProfile,
    version,
  };
  if (kind !== 'java') return target;
  const peers = findPeers();
  return {
    ...target,
    title: `${title}; ${peers.jvm}; ${javaFlags.join(' ')}`,
    version: `rocketmq ${peers.version}`,
  };
}

/** What an answer to 1004 or 1006 proves on this target; 1012 likewise. */
export function readProof(spec: TargetSpec): Operation['proof'] {
  if (spec.kind === 'floor') return 'unproved';
  if (spec.build === 'java-jraft') return 'log';
  const [base = '', ...replaced] = spec.build.split('+');
  const reads = replaced.findLast((part) => part.startsWith('reads='))?.slice('reads='.length);
  if ((reads ?? base) === 'optimized') return 'read-index';
  return spec.processReadEvent ? 'log' : 'unproved';
}
