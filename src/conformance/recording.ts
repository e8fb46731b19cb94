/**
 * What upstream answered, as a file: a line of JSON for each session, then one for each of its steps.
 * Whatever is at its default is left out, which halves the file.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../lib/project-root.js';
import type { Act, Ask, Outcome, Reply, SessionPlan, Told } from './exchange.js';

export interface SessionRecord {
  readonly plan: SessionPlan;
  readonly told: readonly Told[];
}

export interface Recording {
  /** Version of RocketMQ. */
  readonly peer: string;
  readonly seed: number;
  readonly sessions: readonly SessionRecord[];
}

export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

interface SessionLine extends SessionPlan {
  readonly peer: string;
  readonly seed: number;
}
interface StepLine extends Omit<Ask, 'do' | 'request'> {
  readonly act?: Act['do'];
  /** What came at the listener. */
  readonly push?: Partial<Reply> | string;
  readonly ask?: Ask['request'];
  readonly reply?: Partial<Reply> | string;
}

export const recordingPath = (peer: string): string =>
  join(projectRoot(), 'src', 'conformance', 'testdata', `upstream-${peer}.jsonl`);

/** @throws {RecordingError} when there is none of that version, or it is no recording. */
export function readRecording(peer: string): Recording {
  const path = recordingPath(peer);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new RecordingError(`there is no recording of ${peer} either: ${path}`);
  }
  return parseRecording(text);
}

export function writeRecording(recording: Recording): string {
  const path = recordingPath(recording.peer);
  writeFileSync(path, formatRecording(recording));
  return path;
}

export function formatRecording({ peer, seed, sessions }: Recording): string {
  const lines = sessions.flatMap(({ plan, told }) => {
    const { members, name, properties } = plan;
    const first: SessionLine = { peer, seed, name, members, properties };
    return [first, ...told.map(stepLine)].map((line) => JSON.stringify(line));
  });
  return `${lines.join('\n')}\n`;
}

/** @throws {RecordingError} naming the line that is wrong. */
export function parseRecording(text: string): Recording {
  const sessions: { plan: SessionPlan; told: Told[] }[] = [];
  let peer = '';
  let seed = 0;
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const value = parsed(line, index + 1);
    if ('peer' in value) {
      ({ peer, seed } = value);
      const { members, name, properties } = value;
      sessions.push({ plan: { name, members, properties }, told: [] });
    } else {
      const session = sessions.at(-1);
      if (session === undefined) throw new RecordingError(`line ${index + 1}: before any session`);
      session.told.push(toldIn(value, index + 1));
    }
  }
  if (sessions.length === 0) throw new RecordingError('holds no session');
  return { peer, seed, sessions };
}

function parsed(line: string, number: number): SessionLine | StepLine {
  try {
    return JSON.parse(line) as SessionLine | StepLine;
  } catch {
    throw new RecordingError(`line ${number}: not JSON`);
  }
}

function stepLine({ outcome, step }: Told): StepLine {
  if (step.do === 'await-push') {
    return outcome === null ? {} : { push: shortReply(outcome) };
  }
  if (step.do !== 'ask') return { act: step.do, ...(step.on !== undefined && { on: step.on }) };
  const { do: _, request, ...rest } = step;
  return { ask: request, ...rest, ...(outcome !== null && { reply: shortReply(outcome) }) };
}

function shortReply(outcome: Outcome): Partial<Reply> | string {
  if (typeof outcome === 'string') return outcome;
  return Object.fromEntries(Object.entries(outcome).filter(([, value]) => value !== null));
}

function toldIn({ act, ask, push, reply, ...rest }: StepLine, number: number): Told {
  if (push !== undefined) {
    return { step: { do: 'await-push' }, outcome: wholeReply(push, number) };
  }
  if (act !== undefined) return { step: { do: act, ...rest }, outcome: null };
  if (ask === undefined || reply === undefined) {
    throw new RecordingError(`line ${number}: neither asks nor acts`);
  }
  return { step: { do: 'ask', request: ask, ...rest }, outcome: wholeReply(reply, number) };
}

function wholeReply(reply: Partial<Reply> | string, number: number): Outcome {
  if (reply === 'closed' || reply === 'silent') return reply;
  if (typeof reply === 'string' || reply.code === undefined) {
    throw new RecordingError(`line ${number}: not a reply`);
  }
  return { code: reply.code, remark: null, extFields: null, body: null, ...reply };
}
