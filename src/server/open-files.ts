/**
 * How many connections the system lets a process have. Beyond its open files new connections fail
 * before anybody could make room for them, so the port has to be full sooner.
 */
import { readFileSync } from 'node:fs';

/** Members' places, links, the log, HTTP. */
const FILES_BESIDE = 512;

/** @param files open files of a process at most */
export function connectionsThatFit(connectionsMax: number, files: number = openFilesMax()): number {
  return Math.min(connectionsMax, Math.floor(files - Math.min(FILES_BESIDE, files / 2)));
}

/** Node raises the soft limit to the hard one by itself. Infinite where the system does not tell. */
function openFilesMax(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
