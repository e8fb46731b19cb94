/**
 * `quorumark cluster`: several controllers in processes of their own, until told to stop.
 */
import { setTimeout as after } from 'node:timers/promises';
import { type ClusterOptions, startCluster } from '../target/ours.js';
import type { MemberExit, RunningTarget } from '../target/target.js';
import { ExitCode } from './exit-codes.js';
import { aborted, stopSignal } from './stop.js';

export interface ClusterCommand extends ClusterOptions {
  /** Bring back members that exit. */
  readonly restart: boolean;
}

/** Between an exit and the restart, so that a member that cannot run does not spin. */
const RESTART_PAUSE_MS = 500;
const RESTART_ATTEMPTS_MAX = 5;

/** @throws {TargetError} when the cluster does not start. */
export async function runCluster({ restart, ...options }: ClusterCommand): Promise<ExitCode> {
  const stop = stopSignal();
  let cluster: RunningTarget;
  try {
    cluster = await startCluster({ ...options, signal: stop });
  } catch (error) {
    if (stop.aborted) return ExitCode.Ok;
    throw error;
  }
  try {
    console.log(readyLine(cluster));
    const allGone = new Promise<void>((resolve) => {
      cluster.onExit((exit) => {
        console.log(exitLine(exit, cluster.addresses.length));
        if (restart) void bringBack(cluster, exit.member.id, stop);
        else if (exit.left === 0) resolve();
      });
    });
    await Promise.race([aborted(stop), allGone]);
    return stop.aborted ? ExitCode.Ok : ExitCode.TargetFailed;
  } finally {
    await cluster.close();
  }
}

export function readyLine(cluster: RunningTarget): string {
  const pids = cluster.members().map(({ pid }) => pid);
  return `ready ${cluster.addresses.join(';')} pids ${pids.join(',')}`;
}

export function exitLine({ member, how, left }: MemberExit, members: number): string {
  return `member ${member.id} (pid ${member.pid}) exited: ${how}; ${left} of ${members} members left`;
}

async function bringBack(cluster: RunningTarget, id: string, stop: AbortSignal): Promise<void> {
  for (let attempt = 1; attempt <= RESTART_ATTEMPTS_MAX && !stop.aborted; attempt += 1) {
    await after(RESTART_PAUSE_MS);
    if (stop.aborted) return;
    try {
      const { pid } = await cluster.restart(id);
      console.log(`member ${id} is back (pid ${pid})`);
      return;
    } catch (error) {
      console.log(
        `restart ${attempt} of ${RESTART_ATTEMPTS_MAX}: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
}
