/**
 * One child process that runs one member: started, watched, and never left behind.
 *
 * The child says `listening` over the IPC channel. It leads a process group of its own, so that
 * Ctrl-C reaches the parent alone and the parent decides the order of events; when the parent dies
 * the channel breaks, and that is the child's sign to go (`onParentGone`).
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { parseAddress } from '../net/address.js';
import { TargetError } from './target.js';

export interface MemberProgram {
  /** Names the member in messages. */
  readonly id: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Gets the output of every start of this member. */
  readonly logFile: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** For programs that do not say that they listen: the address at which it shows. */
  readonly listening?: { readonly at: string; readonly timeoutMs: number };
}

export interface MemberProcess {
  readonly pid: number;
  readonly hasExited: boolean;
  /** `SIGKILL`, `code 5`. Never rejects. */
  readonly exited: Promise<string>;
  /** False when it has exited already. */
  signal(signal: NodeJS.Signals): boolean;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when it has exited. */
  stop(graceMs: number): Promise<void>;
}

/** What a child tells its parent when it accepts connections. */
export const LISTENING = 'listening';

const LISTEN_TIMEOUT_MS = 20_000;
const LAST_WORDS_BYTES = 4_096;
const ACCEPT_PAUSE_MS = 100;

/**
 * Starts a member; resolves when it listens.
 *
 * @throws {TargetError} START_FAILED with its last words; the process has ended by then.
 */
export async function startMember(program: MemberProgram): Promise<MemberProcess> {
  mkdirSync(dirname(program.logFile), { recursive: true });
  const log = openSync(program.logFile, 'a');
  const { listening: shows } = program;
  const child = spawn(program.command, program.args, {
    stdio: ['ignore', log, log, ...(shows === undefined ? ['ipc' as const] : [])],
    detached: true,
    env: { ...process.env, ...program.env },
  });
  closeSync(log);
  const member = watch(child);
  const gaveUp = new AbortController();
  const outcome = await Promise.race([
    shows === undefined ? listening(child) : accepting(shows.at, gaveUp.signal),
    member.exited,
    after(shows?.timeoutMs ?? LISTEN_TIMEOUT_MS, 'no word in time', {
      signal: gaveUp.signal,
    }).catch(() => ''),
  ]);
  gaveUp.abort();
  if (outcome === LISTENING) return member;
  await member.stop(0);
  const words = lastWords(program.logFile);
  throw new TargetError('START_FAILED', program.id, words?.replace(/^error: /, '') ?? outcome);
}

/** The last line of a log file that is not a frame of a stack, or null. */
export function lastWords(logFile: string): string | null {
  const bytes = Buffer.alloc(LAST_WORDS_BYTES);
  const file = openSync(logFile, 'r');
  const from = Math.max(0, statSync(logFile).size - bytes.length);
  const length = readSync(file, bytes, 0, bytes.length, from);
  closeSync(file);
  const lines = bytes.toString('utf8', 0, length).trimEnd().split('\n');
  return lines.findLast((line) => !/^\s+at /.test(line)) || null;
}

/** In the child: tells the parent, if there is one, that connections are accepted. */
export function sayListening(): void {
  process.send?.(LISTENING);
}

/** In the child: calls back once when the parent that started it is gone, however it ended. */
export function onParentGone(callback: () => void): void {
  if (process.send !== undefined) process.once('disconnect', callback);
}

function watch(child: ChildProcess): MemberProcess {
  let hasExited = false;
  const exited = new Promise<string>((resolve) => {
    const end = (how: string): void => {
      hasExited = true;
      resolve(how);
    };
    child.once('exit', (code, signal) => end(signal ?? `code ${code}`));
    child.once('error', (error) => {
      if (child.pid === undefined) end(error.message);
    });
  });
  return {
    pid: child.pid ?? 0,
    get hasExited() {
      return hasExited;
    },
    exited,
    signal: (signal) => !hasExited && child.kill(signal),
    async stop(graceMs) {
      if (hasExited) return;
      child.kill('SIGTERM');
      // A stopped process does not see SIGTERM before it goes on.
      child.kill('SIGCONT');
      const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(force);
    },
  };
}

/** Asks again until somebody accepts a connection. */
async function accepting(address: string, signal: AbortSignal): Promise<string> {
  const target = parseAddress(address);
  assert(target !== null, `not an address: ${address}`);
  while (!signal.aborted) {
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect(target);
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.end());
    });
    if (accepted) return LISTENING;
    await after(ACCEPT_PAUSE_MS);
  }
  return 'gave up';
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('message', (message) => {
      if (message === LISTENING) resolve(LISTENING);
    });
  });
}
