/**
 * Sockets, open files and ports that a load needs, and whether this machine has them.
 *
 * Asked before anything starts: running out of them in the middle of a trial looks like a slow
 * controller. Node raises its own soft limit of open files to the hard one when it starts, and
 * what it starts inherits that, so the hard limit is what counts.
 */
import { readFileSync } from 'node:fs';
import type { WorkloadPoint } from '../workload/points.js';

export interface SocketNeeds {
  readonly workload: string;
  /** Connections of the load to each member. */
  readonly perMember: number;
  /** Connections of the load to all members. */
  readonly total: number;
}

/** What the system grants to one process. */
export interface SystemLimits {
  /** `ulimit -Hn`; a process has no more files and sockets open at once. */
  readonly openFilesMax: number;
  /** First and last local port that a connection may get. */
  readonly ports: readonly [first: number, last: number];
}

/** 127.0.0.1 to 127.0.0.64. */
const SOURCES_MAX = 64;
/** Files, pipes, links among members and their pushes, and what lingers from the last trial. */
const FILES_BESIDE = 512;
/** Ports may still be waiting (TIME_WAIT) or be somebody else's. */
const PORTS_USED_MAX = 0.8;
const WIDEN =
  'Widen them: `sysctl net.ipv4.ip_local_port_range="1024 65535"`. Or ask for less: --sets.';

/** @source rocketmq has no such bound; ours is `connectionsMax` (src/server/config.ts) */
export const MEMBER_CONNECTIONS_MAX_DEFAULT = 10_000;

export function socketNeeds(point: WorkloadPoint, members: number, workers: number): SocketNeeds {
  const shared = workers * point.connectionsPerWorker;
  const own = point.sets * point.replicas;
  const perMember =
    point.connections === 'shared' ? shared : point.kind === 'mass-failover' ? own + shared : own;
  return { workload: point.name, perMember, total: members * perMember };
}

/** For `connectionsMax` of a member: what comes in, with room for members, tools and pushes. */
export function memberConnections(needs: readonly SocketNeeds[]): number {
  const most = Math.max(0, ...needs.map(({ perMember }) => perMember));
  return Math.max(MEMBER_CONNECTIONS_MAX_DEFAULT, most + FILES_BESIDE);
}

/**
 * Local addresses to dial from, so that there are ports enough: none while the system's own choice
 * will do, else 127.0.0.1, 127.0.0.2, and so on.
 */
export function sourceAddresses(needs: SocketNeeds, limits: SystemLimits | null): string[] {
  if (limits === null) return [];
  const each = portsOf(limits);
  // One address has that many ports to every member; an address that we choose shares them among all.
  if (needs.perMember <= each) return [];
  const count = Math.ceil(needs.total / each);
  return Array.from({ length: count }, (_, at) => `127.0.0.${at + 1}`);
}

/**
 * What is missing, a paragraph each, with what there is and how to get more; empty when all is there.
 *
 * @param isElsewhere whether some member is on another machine, which no address of loopback reaches
 */
export function shortages(
  needs: readonly SocketNeeds[],
  limits: SystemLimits | null,
  isElsewhere = false,
): string[] {
  if (limits === null) return [];
  return needs.flatMap((need) => {
    const lacking: string[] = [];
    const files = need.total + FILES_BESIDE;
    const { openFilesMax } = limits;
    if (files > openFilesMax) {
      lacking.push(
        `${need.workload}: needs ${number(files)} open files in this process ` +
          `(${number(need.total)} connections, ${FILES_BESIDE} besides) and ` +
          `${number(need.perMember + FILES_BESIDE)} in each controller; the hard limit is ${number(openFilesMax)}.\n` +
          `  Raise it: as root \`ulimit -Hn ${files}\` before the bench, or \`prlimit --pid $$ --nofile=${files}\` from a root shell;\n` +
          `  for good \`nofile\` in /etc/security/limits.conf, LimitNOFILE= of a service, --ulimit nofile=${files} of a container.\n` +
          `  Or ask for less: --sets, or shared connections where the workload allows them.`,
      );
    }
    const sources = sourceAddresses(need, limits).length;
    const [first, last] = limits.ports;
    if (isElsewhere && sources > 0) {
      lacking.push(
        `${need.workload}: needs ${number(need.perMember)} local ports to each member and may take ${number(portsOf(limits))} ` +
          `of ${first} to ${last}: on another machine, which addresses of loopback do not reach.\n` +
          `  ${WIDEN}`,
      );
    } else if (sources > SOURCES_MAX) {
      lacking.push(
        `${need.workload}: needs ${number(need.total)} local ports, and would take more than ${SOURCES_MAX} ` +
          `addresses of loopback with the ports ${first} to ${last}.\n` +
          `  ${WIDEN}`,
      );
    }
    return lacking;
  });
}

/** Of this process; null where the system does not tell (anything but Linux). */
export function readLimits(): SystemLimits | null {
  try {
    return parseLimits(
      readFileSync('/proc/self/limits', 'utf8'),
      readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'),
    );
  } catch {
    return null;
  }
}

/** @returns null for text in another shape. */
export function parseLimits(limits: string, portRange: string): SystemLimits | null {
  const hard = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(limits)?.[1];
  const ports = /^\s*(\d+)\s+(\d+)/.exec(portRange);
  if (hard === undefined || ports === null) return null;
  const openFilesMax = hard === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(hard);
  return { openFilesMax, ports: [Number(ports[1]), Number(ports[2])] };
}

const portsOf = ({ ports: [first, last] }: SystemLimits): number =>
  Math.max(1, Math.floor((last - first + 1) * PORTS_USED_MAX));

const number = (value: number): string => value.toLocaleString('en-US');
