/**
 * Turns member processes into a target that serves, or into nothing at all.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { discoverLeader } from '../client/discover.js';
import { type MemberSpec, ProcessGroup } from './process-group.js';
import { type MemberExit, type RunningTarget, TargetError } from './target.js';

/** DLedger's own timing may need several vote rounds of 2 s. */
const SERVE_TIMEOUT_MS = 45_000;
/** And a JVM that has just started on a busy machine may miss some of them. */
export const SERVE_TIMEOUT_OF_JVM_MS = 180_000;
/** How long one look at the members takes at most. */
const ROUND_MS = 1_000;
const LEADER_TIMEOUT_MS = 15_000;

/** Starts the processes of a target and waits until one of them serves as leader. */
export async function startTarget(
  specs: readonly MemberSpec[],
  removeData: () => void,
  signal?: AbortSignal,
  serveTimeoutMs = SERVE_TIMEOUT_MS,
): Promise<RunningTarget> {
  const addresses = specs.map(({ address }) => address);
  const target = await ProcessGroup.start(specs).then(
    (group) => groupTarget(group, addresses, removeData),
    (error: unknown) => {
      removeData();
      throw error;
    },
  );
  try {
    await untilServing(target, signal, serveTimeoutMs);
    return target;
  } catch (error) {
    await target.close();
    throw error;
  }
}

/** Every member names the same leader, and that one serves. */
async function untilServing(
  target: RunningTarget,
  signal: AbortSignal | undefined,
  timeoutMs: number,
): Promise<void> {
  let exit: MemberExit | null = null;
  const stopListening = target.onExit((member) => {
    exit ??= member;
  });
  const deadline = performance.now() + timeoutMs;
  try {
    while (performance.now() < deadline) {
      signal?.throwIfAborted();
      if (exit !== null) throw exitedEarly(exit);
      const leaders = await Promise.all(
        target.addresses.map((address) =>
          discoverLeader({ addresses: [address], deadlineMs: ROUND_MS }).catch(() => null),
        ),
      );
      const [leader] = leaders;
      if (leader !== null && leaders.every((other) => other === leader)) return;
    }
  } finally {
    stopListening();
  }
  throw new TargetError('NO_LEADER', target.addresses.join(';'));
}

function exitedEarly({ member, how, lastWords }: MemberExit): TargetError {
  return new TargetError('START_FAILED', member.id, lastWords ?? how);
}

/** A directory to keep, or a temporary one with the function that removes it. */
export function dataDirectory(wanted: string | undefined): {
  readonly data: string;
  readonly removeData: () => void;
} {
  if (wanted !== undefined) return { data: resolve(wanted), removeData: () => {} };
  const data = mkdtempSync(join(tmpdir(), 'quorumark-'));
  return { data, removeData: () => rmSync(data, { recursive: true, force: true }) };
}

/** A group of processes, seen as a target; whoever calls waits until it serves. */
export function groupTarget(
  group: ProcessGroup,
  addresses: readonly string[],
  removeData: () => void,
): RunningTarget {
  return {
    addresses,
    members: () => group.members(),
    async leader() {
      const address = await discoverLeader({ addresses, deadlineMs: LEADER_TIMEOUT_MS }).catch(
        (error: Error) => {
          throw new TargetError('NO_LEADER', addresses.join(';'), error.message);
        },
      );
      const leader = group.members().find((member) => member.address === address);
      if (leader === undefined) throw new TargetError('NO_LEADER', address);
      return leader;
    },
    kill: (id, signal) => group.kill(id, signal),
    restart: (id) => group.restart(id),
    onExit: (listener) => group.onExit(listener),
    async close() {
      await group.close();
      removeData();
    },
  };
}
