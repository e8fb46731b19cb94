/**
 * How many connections the system lets a process have. Beyond its open files new connections fail
 * before anybody could make room for them, so the port has to be full sooner.
 */
import { openFilesMax } from '../lib/open-files.js';

/** Members' places, links, the log, HTTP. */
const FILES_BESIDE = 512;

/** @param files open files of a process at most; where the system does not tell, no limit is known */
export function connectionsThatFit(
  connectionsMax: number,
  files: number = openFilesMax() ?? Number.POSITIVE_INFINITY,
): number {
  return Math.min(connectionsMax, Math.floor(files - Math.min(FILES_BESIDE, files / 2)));
}
