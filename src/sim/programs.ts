/** What machines run: the shipped controller or the shipped key-value store, as a seed's options say. */

import { assembleKvMember } from '../kv/member.js';
import { MemoryState } from '../kv/memory-state.js';
import { encodePair } from '../kv/state.js';
import { configurationOf } from '../raft/configuration.js';
import { fastTiming } from '../raft/types.js';
import { controllerConfig, type Peer } from '../server/config.js';
import { assembleMember } from '../server/member.js';
import { ControllerMetrics } from '../server/metrics.js';
import type { ControllerBuild } from '../server/parts.js';
import type { Program, ProgramPorts } from './member-host.js';
import type { SimOptions } from './swarm.js';

export const GROUP = 'sim';

/** @param peers those that the group begins with. */
export function controllerProgram(
  ports: ProgramPorts,
  options: SimOptions,
  peers: readonly Peer[],
  build: ControllerBuild,
): Program {
  const isJoining = !peers.some(({ id }) => id === ports.id);
  const [host = '', port = '0'] = ports.address.split(':');
  const self = { id: ports.id, host, port: Number(port), address: ports.address };
  const member = assembleMember({
    ...ports,
    pushWindowBytesMax: options.pushWindowBytesMax,
    build,
    metrics: new ControllerMetrics({ address: ports.address, group: GROUP, peer_id: ports.id }),
    config: controllerConfig({
      group: GROUP,
      selfId: ports.id,
      peers: isJoining ? [...peers, self] : peers,
      isJoining,
      storePath: `/${ports.id}`,
      durability: options.durability,
      handoff: options.handoff,
      electionProfile: 'fast',
      electionRule: options.electionRule,
      preferredLeader: options.preferredLeader ? 'n0' : null,
      leaseReads: options.lease !== null,
      clockDriftMax: options.lease?.clockDriftMax ?? 0.1,
      snapshotEveryEntries: options.snapshotEveryEntries,
      entriesKept: options.entriesKept,
      processReadEvent: options.processReadEvent,
      followerReads: options.followerReads,
      enableElectUncleanMaster: options.uncleanElections,
      httpPort: 0,
    }),
  });
  const { controller, log, stateMachine } = member;
  return {
    log,
    stateMachine,
    controller,
    handle: (command, connection) => controller.handle(command, connection),
    connectionClosed: (connection) => controller.connectionClosed(connection),
    start: () => member.start(),
    stateBytes: () => controller.snapshot(),
  };
}

export function kvProgram(
  ports: ProgramPorts,
  options: SimOptions,
  peers: readonly Peer[],
): Program {
  const isJoining = !peers.some(({ id }) => id === ports.id);
  const state = new MemoryState();
  const member = assembleKvMember({
    ...ports,
    self: ports.id,
    configuration: isJoining
      ? []
      : configurationOf(peers.map(({ address, id }) => ({ id, address, role: 'voter' }))),
    timing: fastTiming,
    handoff: options.handoff,
    electionRule: options.electionRule,
    preferredLeader: options.preferredLeader ? 'n0' : null,
    leaseClockDriftMax: options.lease?.clockDriftMax ?? null,
    snapshots: { everyEntries: options.snapshotEveryEntries, entriesKept: options.entriesKept },
    pushWindowBytesMax: options.pushWindowBytesMax,
    state,
  });
  const { log, stateMachine } = member;
  return {
    log,
    stateMachine,
    controller: null,
    handle: (command, connection) => member.handle(command, connection),
    connectionClosed: () => {},
    start: () => member.start(),
    stateBytes: () => Buffer.concat(state.pairs().map(encodePair)),
  };
}
