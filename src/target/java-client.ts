/**
 * Runs `peers/java/SendAndReceive.java`, upstream's client that says one fact a line.
 *
 * It is compiled once for all the clients of a run: to compile costs more than to run.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { projectRoot } from '../lib/project-root.js';
import { quietLog } from './java.js';
import { smallJvm } from './java-broker.js';
import { lastWords } from './member-process.js';
import type { Peers } from './peers.js';
import { TargetError } from './target.js';

export interface JavaClient {
  /** All that it said so far, oldest first. */
  readonly lines: readonly string[];
  /** Ends its input, by which a client that goes on and on knows that it is to end. */
  finish(): void;
  /** Why it ended, when it did not end well. */
  readonly failure: TargetError | null;
  /** Resolves with all lines when it has ended well. @throws {TargetError} with its last words */
  readonly done: Promise<readonly string[]>;
  /** By force. */
  close(): Promise<void>;
}

export interface JavaClientOptions {
  readonly peers: Peers;
  /** Where `compileJavaClient` put it. */
  readonly classes: string;
  /** Holds its home and what it said on stderr. */
  readonly directory: string;
  /** `send`, `read`, … and what follows: the program's head says. */
  readonly args: readonly string[];
}

/** A client that said more is ended: no scenario sends a tenth of it. */
const LINES_MAX = 200_000;
/** The longest scenario, on a machine that is busy with other things. */
const RUN_MS_MAX = 900_000;
const HEAP_MB = 128;
const CLASS = 'SendAndReceive';

/** @throws {TargetError} START_FAILED with what the compiler said */
export async function compileJavaClient(peers: Peers, classes: string): Promise<void> {
  const source = join(projectRoot(), 'peers', 'java', `${CLASS}.java`);
  const args = ['-J-XX:TieredStopAtLevel=1', '-nowarn', '-cp', peers.classPath, '-d', classes];
  await promisify(execFile)('javac', [...args, source]).catch((error: Error) => {
    throw new TargetError('START_FAILED', `javac ${source}`, error.message);
  });
}

/** Never throws: how it ended is told by `done`. */
export function startJavaClient(options: JavaClientOptions): JavaClient {
  const { peers, classes, directory, args } = options;
  mkdirSync(directory, { recursive: true });
  const log = join(directory, 'logback.xml');
  writeFileSync(log, quietLog);
  const errors = join(directory, 'stderr.log');
  const file = openSync(errors, 'a');
  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'java', ...smallJvm(HEAP_MB), `-Duser.home=${directory}`],
      `-Drmq.logback.configurationFile=${log}`,
      ...['-cp', `${classes}:${peers.classPath}`, CLASS],
      ...args,
    ],
    // In a group of its own, so that Ctrl-C reaches the parent alone.
    { stdio: ['pipe', 'pipe', file], detached: true, timeout: RUN_MS_MAX, killSignal: 'SIGKILL' },
  );
  closeSync(file);
  // Whoever ends first: the pipe may break, and that it ended is told by `done`.
  child.stdin?.on('error', () => {});
  const lines: string[] = [];
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (lines.push(line) > LINES_MAX) child.kill('SIGKILL');
    });
  }
  let failure: TargetError | null = null;
  const done = once(child, 'close').then(([code, signal]) => {
    if (code === 0) return lines;
    const how = signal ?? `code ${code}`;
    failure = new TargetError('START_FAILED', `java ${args[0]}`, `${how}: ${lastWords(errors)}`);
    throw failure;
  });
  // Handled where it is awaited; a client that is closed early may end as it likes.
  done.catch(() => {});
  return {
    lines,
    get failure() {
      return failure;
    },
    finish: () => child.stdin?.end(),
    done,
    async close() {
      child.kill('SIGKILL');
      await done.catch(() => {});
    },
  };
}
