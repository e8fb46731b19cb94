/**
 * One live process per directory: two stores over one log would overwrite each other's entries.
 *
 * The lock is a file `lock` that names its holder by pid and, where /proc tells it, start time, so
 * that the lock of a killed process, or of an earlier process with the same pid, is taken over.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { StoreError } from './errors.js';

export interface DirectoryLock {
  release(): void;
}

/**
 * Locks `directory` for this process until `release`.
 *
 * @throws {StoreError} STORE_LOCKED when a live process, this one included, holds it.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, 'lock');
  const own = `${process.pid} ${startTime(process.pid)}\n`;
  // Linking a finished file makes lock and content appear in one step: nobody reads half a pid.
  const draft = join(directory, `lock.${process.pid}`);
  fs.writeFileSync(draft, own);
  try {
    while (!linked(draft, path)) removeIfStale(directory, path);
  } finally {
    fs.rmSync(draft, { force: true });
  }
  return { release: () => fs.rmSync(path, { force: true }) };
}

function linked(draft: string, path: string): boolean {
  try {
    fs.linkSync(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function removeIfStale(directory: string, path: string): void {
  const found = contentOf(path);
  if (found === undefined) return; // Released meanwhile.
  const [pid, started] = found.trim().split(' ');
  const holder = Number(pid);
  if (isAlive(holder) && (!started || started === startTime(holder))) {
    throw new StoreError('STORE_LOCKED', `store in ${directory} is locked by process ${holder}`);
  }
  // Renamed before it is removed: if another process took the lock over since we read it, what we
  // moved is its live lock, and goes back.
  const aside = `${path}.stale.${process.pid}`;
  try {
    fs.renameSync(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  if (contentOf(aside) !== found) linked(aside, path);
  fs.rmSync(aside, { force: true });
}

function contentOf(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM'); // It lives, and is not ours to signal.
  }
}

/** In clock ticks since boot; empty where there is no /proc. @source proc(5), field 22 of stat */
function startTime(pid: number): string {
  const stat = contentOf(`/proc/${pid}/stat`);
  if (stat === undefined) return '';
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[19] ?? '';
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
