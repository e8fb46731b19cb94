/**
 * `quorumark conformance`: whether our controllers answer as upstream's Java controller does. Against
 * the Java controller where it can be started, otherwise against what it answered when recorded.
 */
import {
  type Recording,
  RecordingError,
  readRecording,
  writeRecording,
} from '../conformance/recording.js';
import {
  type BuildResult,
  codesIn,
  exchangesIn,
  type Mismatch,
  record,
  replay,
  type Watcher,
} from '../conformance/run.js';
import { findPeers, PeersError, type PeerVersion } from '../target/peers.js';
import { resolveBuild } from './builds.js';
import { ExitCode, InputError } from './exit-codes.js';
import { stopSignal } from './stop.js';

export interface ConformanceCommand {
  readonly peerVersion: PeerVersion;
  readonly seed: number;
  readonly exchanges: number;
  readonly record: boolean;
  readonly build: readonly string[];
}

const MISMATCHES_SHOWN = 10;
const LINE_CHARACTERS_MAX = 600;

export async function runConformance(command: ConformanceCommand): Promise<ExitCode> {
  for (const build of command.build) resolveBuild(build);
  const stop = stopSignal();
  try {
    return await compareAll(command, { ...shown, signal: stop });
  } catch (error) {
    if (stop.aborted) return ExitCode.Interrupted;
    throw error;
  }
}

async function compareAll(command: ConformanceCommand, watcher: Watcher): Promise<ExitCode> {
  const recording = await recordingFor(command, watcher);
  const exchanges = exchangesIn(recording);
  console.log(`upstream's codes: ${codesIn(recording).join(', ')}`);
  const results: BuildResult[] = [];
  for (const build of command.build) results.push(await replay(recording, build, watcher));
  for (const result of results) console.log(summaryOf(result));
  const unexplained = results.flatMap((result) => result.unexplained);
  for (const mismatch of unexplained.slice(0, MISMATCHES_SHOWN)) console.log(textOf(mismatch));
  if (unexplained.length > MISMATCHES_SHOWN) {
    console.log(`and ${unexplained.length - MISMATCHES_SHOWN} more, which may follow from these`);
  }
  console.log(`${exchanges} exchanges, ${unexplained.length} unexplained differences`);
  return unexplained.length === 0 ? ExitCode.Ok : ExitCode.CheckFailed;
}

async function recordingFor(command: ConformanceCommand, watcher: Watcher): Promise<Recording> {
  const { exchanges, peerVersion: version, seed } = command;
  try {
    findPeers(version);
  } catch (error) {
    if (!(error instanceof PeersError)) throw error;
    if (command.record) throw error;
    return recorded(version, error.message);
  }
  console.log(`live: RocketMQ ${version} is asked first, seed ${seed}`);
  const recording = await record({ version, seed, exchanges }, watcher);
  if (command.record) console.log(`recorded in ${writeRecording(recording)}`);
  return recording;
}

function recorded(version: PeerVersion, because: string): Recording {
  try {
    const recording = readRecording(version);
    console.log(
      `not live (${because}): compared with what ${version} answered to seed ${recording.seed}`,
    );
    return recording;
  } catch (error) {
    if (error instanceof RecordingError) throw new InputError(`${because}; ${error.message}`);
    throw error;
  }
}

const shown: Watcher = {
  step(who, session, at, of) {
    if (!process.stderr.isTTY || at % 25 !== 0) return;
    process.stderr.write(`\r\x1b[K${who}, ${session}: step ${at}${of === null ? '' : ` of ${of}`}`);
  },
  sessionEnded(who, session, exchanges) {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    console.log(`${who.padEnd(10)} ${session}: ${exchanges} exchanges`);
  },
};

function summaryOf({ build, exchanges, explained, unexplained }: BuildResult): string {
  const known = [...explained].map(([id, count]) => `${id} ${count}`).join(', ');
  return (
    `${build}: ${exchanges} compared, ${unexplained.length} unexplained; ` +
    `known (docs/compatibility.md): ${known === '' ? 'none met' : known}`
  );
}

function textOf({ build, differences, index, session, step }: Mismatch): string {
  const isAsked = step.do === 'ask';
  const asked = isAsked ? JSON.stringify(step.request) : 'a push to a broker (1008)';
  const to = isAsked ? `, to ${step.to ?? 'leader'}` : '';
  const lines = [asked, ...differences].map((line) => `  ${line.slice(0, LINE_CHARACTERS_MAX)}`);
  return [`${build}, ${session}, step ${index + 1}${to}:`, ...lines].join('\n');
}
