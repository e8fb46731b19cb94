/**
 * The suite: upstream is asked first, and what it answered is what our builds have to answer.
 *
 * A recording and a live run are the same thing here, for a live run only makes the recording anew.
 */
import { lightJavaFlags, startJava } from '../target/java.js';
import { startCluster } from '../target/ours.js';
import type { PeerVersion } from '../target/peers.js';
import { type RunningTarget, TargetError } from '../target/target.js';
import { compare } from './compare.js';
import { deviationsFrom } from './deviations.js';
import { LeaderMovedError, NeverHeldError, play } from './driver.js';
import {
  type Ask,
  type AwaitPush,
  fixed,
  isReply,
  type Outcome,
  type Script,
  type SessionPlan,
  type Told,
} from './exchange.js';
import type { Recording, SessionRecord } from './recording.js';
import { quietProperties, type Session, sessions } from './sessions.js';

/** On a machine that is busy enough leaders lose their office and starts run out of time; twice is another matter. */
const ATTEMPTS_MAX = 2;

/** What a run tells on its way, and how it is told to stop. */
export interface Watcher {
  /** Ends the run with its reason; every process has ended by then. */
  readonly signal?: AbortSignal;
  /** @param who `5.4.0`, or a build; `at` counts this session's steps, of `of` where that is known */
  step(who: string, session: string, at: number, of: number | null): void;
  sessionEnded(who: string, session: string, exchanges: number): void;
}

export interface RecordOptions {
  readonly version: PeerVersion;
  readonly seed: number;
  /** Generated ones, beyond those that are written by hand. */
  readonly exchanges: number;
}

export interface Mismatch {
  readonly build: string;
  readonly session: string;
  /** Of the step in its session. */
  readonly index: number;
  readonly step: Ask | AwaitPush;
  readonly differences: readonly string[];
}

export interface BuildResult {
  readonly build: string;
  readonly exchanges: number;
  /** Id of a deviation → exchanges that it explains, alone or with others. */
  readonly explained: ReadonlyMap<string, number>;
  readonly unexplained: readonly Mismatch[];
}

/** Asks upstream. @throws {PeersError | TargetError | WireError | LeaderMovedError} */
export async function record(options: RecordOptions, watcher: Watcher): Promise<Recording> {
  const { exchanges, seed, version } = options;
  const records: SessionRecord[] = [];
  for (const session of sessions(seed, exchanges)) {
    records.push(await recordSession(session, version, watcher));
  }
  return { peer: version, seed, sessions: records };
}

async function recordSession(
  session: Session,
  version: PeerVersion,
  watcher: Watcher,
): Promise<SessionRecord> {
  const start = (): Promise<RunningTarget> =>
    startJava({
      mode: 'dledger',
      version,
      nodes: session.members,
      flags: lightJavaFlags,
      properties: propertiesOf(session),
      ...(watcher.signal !== undefined && { signal: watcher.signal }),
    });
  const onStep = (at: number): void => {
    watcher.signal?.throwIfAborted();
    watcher.step(version, session.name, at, null);
  };
  const told = await playWhole(start, session.script, onStep, isLateOrRaced);
  watcher.sessionEnded(version, session.name, asksIn(told));
  const { members, name, properties } = session;
  return { plan: { name, members, properties }, told };
}

/** Asks a build the same, and compares. @throws {TargetError | WireError | LeaderMovedError} */
export async function replay(
  recording: Recording,
  build: string,
  watcher: Watcher,
): Promise<BuildResult> {
  const explained = new Map<string, number>();
  const unexplained: Mismatch[] = [];
  const known = deviationsFrom(recording.peer);
  let exchanges = 0;
  for (const { plan, told } of recording.sessions) {
    const start = (): Promise<RunningTarget> =>
      startCluster({
        build,
        nodes: plan.members,
        durability: 'background',
        properties: propertiesOf(plan),
        ...(watcher.signal !== undefined && { signal: watcher.signal }),
      });
    const steps = told.map(({ step }) => step);
    const answers = await playWhole(
      start,
      () => fixed(steps),
      (at) => {
        watcher.signal?.throwIfAborted();
        watcher.step(build, plan.name, at, steps.length);
      },
    );
    const leaderSaid = leaderMemory();
    for (const [index, { step, outcome: ours }] of answers.entries()) {
      const upstream = told[index]?.outcome ?? null;
      const isAnswered = step.do === 'ask' || step.do === 'await-push';
      if (!isAnswered || ours === null || upstream === null) continue;
      exchanges += 1;
      const leader = leaderSaid(step, upstream);
      const pair = { upstream, ours, ...(leader !== undefined && { leader }) };
      const comparison = compare(step, pair, known);
      if (comparison.result === 'explained') {
        for (const id of comparison.by) explained.set(id, (explained.get(id) ?? 0) + 1);
      } else if (comparison.result === 'unexplained') {
        const { differences } = comparison;
        unexplained.push({ build, session: plan.name, index, step, differences });
      }
    }
    watcher.sessionEnded(build, plan.name, asksIn(told));
  }
  return { build, exchanges, explained, unexplained };
}

/** What upstream's leader said last to the same request, this one included. */
function leaderMemory(): (step: Ask | AwaitPush, upstream: Outcome) => Outcome | undefined {
  const said = new Map<string, Outcome>();
  return (step, upstream) => {
    if (step.do !== 'ask') return undefined;
    const request = JSON.stringify(step.request);
    if ((step.to ?? 'leader') === 'leader') said.set(request, upstream);
    return said.get(request);
  };
}

/** Plays a script on a fresh group; once more from the start where the machine was too busy for it. */
async function playWhole(
  start: () => Promise<RunningTarget>,
  script: () => Script,
  onStep: (at: number) => void,
  isExcused = isLate,
): Promise<readonly Told[]> {
  for (let attempt = 1; ; attempt += 1) {
    let target: RunningTarget | null = null;
    const told: Told[] = [];
    try {
      target = await start();
      await play(target, script(), (next) => {
        told.push(next);
        onStep(told.length);
      });
      return told;
    } catch (error) {
      if (!isExcused(error) || attempt >= ATTEMPTS_MAX) throw error;
    } finally {
      await target?.close();
    }
  }
}

const isLate = (error: unknown): boolean =>
  error instanceof LeaderMovedError || error instanceof TargetError;

/**
 * Upstream begins the election for a broker whose connection is lost on another thread, before it has
 * taken the broker off its table of the living. On a busy machine the election wins the race, finds the
 * old master alive, and does nothing. Ours have no such excuse.
 *
 * @source rocketmq DefaultBrokerHeartbeatManager.onBrokerChannelClose
 */
const isLateOrRaced = (error: unknown): boolean => isLate(error) || error instanceof NeverHeldError;

function propertiesOf(plan: SessionPlan): Readonly<Record<string, string>> {
  return { ...quietProperties, ...plan.properties };
}

export function exchangesIn({ sessions: records }: Recording): number {
  return records.reduce((sum, { told }) => sum + asksIn(told), 0);
}

function asksIn(told: readonly Told[]): number {
  return told.filter(({ outcome }) => outcome !== null).length;
}

/** Reply codes that upstream gave, each once, ascending: a run that never met one proved less. */
export function codesIn({ sessions: records }: Recording): readonly number[] {
  const codes = new Set<number>();
  for (const { told } of records) {
    for (const { outcome, step } of told) {
      const isAnswer = step.do === 'ask' && outcome !== null && isReply(outcome);
      if (isAnswer) codes.add(outcome.code);
    }
  }
  return [...codes].sort((a, b) => a - b);
}
