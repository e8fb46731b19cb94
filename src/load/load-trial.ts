/**
 * One worker's part of a trial on ready broker sets: connect, prepare, warm up, drain, reset, measure, drain.
 *
 * Warm-up runs the same load as the measurement. Between the two everything in flight is waited for, so
 * that no answer of the one falls into the other.
 */
import { Prng } from '../lib/prng.js';
import type { LoadPoint } from '../workload/points.js';
import type { OperationName } from '../workload/schema.js';
import { Arrivals } from './arrivals.js';
import { ClosedLoop } from './closed-loop.js';
import { Driver } from './driver.js';
import { type BrokerSet, connectionsPerMember, fleetOf } from './fleet.js';
import { Heartbeats } from './heartbeats.js';
import { LeaderFinder } from './leader.js';
import { Links } from './links.js';
import type { MeteredPhase, TrialSpec, WorkerResult } from './messages.js';
import { Meter } from './meter.js';
import { type ArrivalStream, OpenLoop } from './open-loop.js';
import { AlterSyncStateSets, type Operation, RoundRobin, rereader } from './operations.js';
import { PrepareError, prepare } from './prepare.js';
import type { TrialContext } from './trial.js';

const FIND_LEADER_MS = 60_000;
/** A JVM that has just started needs its time: 80 s for a thousand sets on a busy machine. */
const PREPARE_MS = 300_000;
/** Beyond the request timeout nothing is in flight any more. */
const DRAIN_SLACK_MS = 250;

interface Loop {
  start(): void;
  stop(): void;
  readonly asked: number;
}

export async function runLoadTrial(
  spec: TrialSpec,
  workload: LoadPoint,
  context: TrialContext,
): Promise<WorkerResult> {
  const { clock, stop } = context;
  const prng = new Prng(spec.seed + spec.worker);
  const { sets: count, replicas } = workload;
  const sets = fleetOf({ ...spec, prefix: spec.setPrefix, sets: count, replicas });
  const links = new Links({
    members: spec.members,
    connectionsPerMember: connectionsPerMember(workload, sets),
    sources: spec.sources,
    windowMax: workload.windowMax,
    requestTimeoutMs: workload.requestTimeoutMs,
    connect: context.connect,
    clock,
  });
  const leader = new LeaderFinder(links, clock);
  const brokers = sets.flatMap((set) => set.brokers);
  const heartbeats = new Heartbeats({
    brokers,
    everyMs: workload.heartbeatEveryMs,
    links,
    clock,
  });
  const writes = workload.load.mode !== 'timers' && 'alterSyncStateSet' in workload.load.mix;
  const meter = new Meter({
    operations: operationsOf(workload),
    clock,
    post: context.post,
  });
  const driver = new Driver({ links, leader, clock, outcomes: meter });
  const operations = operationTable({ workload, sets, links, leader, context });

  try {
    context.post({ kind: 'phase', phase: 'connect' });
    links.open();
    leader.start();
    const found = await stop.pollUntil(() => leader.isSure && links.settled, FIND_LEADER_MS);
    if (!found && !stop.isRequested) {
      throw new PrepareError(`no member of ${spec.members.join(', ')} said that it leads`);
    }
    heartbeats.start();
    context.post({ kind: 'phase', phase: 'prepare' });
    if (needsSets(workload)) {
      await prepare({ sets, links, leader, clock, deadlineMs: PREPARE_MS, stop });
    }
    if (workload.warmUpMs > 0) {
      await runWindow('warm-up', workload.warmUpMs, await context.ready('warm-up'));
    }
    const startMs = await context.ready('measure');
    const beatsBefore = heartbeats.sent;
    const sentBefore = driver.sent;
    const window = await runWindow('measure', workload.durationMs, startMs);
    return {
      ...meter.result(),
      ...window,
      wasStopped: stop.isRequested,
      sent: driver.sent - sentBefore,
      beats: heartbeats.sent - beatsBefore,
      acknowledged: writes ? meter.acknowledged : null,
      setsComplete: null,
      elections: null,
    };
  } finally {
    heartbeats.stop();
    leader.stop();
    links.close();
    meter.destroy();
  }

  async function runWindow(phase: MeteredPhase, lengthMs: number, startMs: number) {
    const endMs = startMs + lengthMs;
    await stop.sleepUntil(startMs);
    driver.window += 1;
    const loop = newLoop(startMs, endMs);
    const usage = context.usage();
    const { intervalMs } = workload;
    const asked = (): number => loop.asked;
    meter.open({ number: driver.window, phase, startMs, endMs, intervalMs, asked });
    const isWanted = !stop.isRequested;
    if (isWanted) {
      loop.start();
      await stop.sleepUntil(endMs);
      loop.stop();
    }
    const windowMs = meter.close();
    const measuredMs = isWanted ? windowMs : 0;
    const used = usage();
    const inFlightAtEnd = driver.inFlight;
    await drain();
    return { ...used, measuredMs, inFlightAtEnd, asked: loop.asked };
  }

  /** Told to stop, it does not wait: who is impatient gets what is there. */
  async function drain(): Promise<void> {
    await stop.pollUntil(() => driver.inFlight === 0, workload.requestTimeoutMs + DRAIN_SLACK_MS);
  }

  function newLoop(startMs: number, endMs: number): Loop {
    const { load } = workload;
    switch (load.mode) {
      case 'closed': {
        const pick = picker(load.mix);
        const loop = new ClosedLoop({
          clock,
          places: share(load.outstanding),
          send: () => driver.send(pick(), clock.nowMs()) === 'sent',
        });
        driver.onSettled = (rest) => loop.settled(rest);
        return loop;
      }
      case 'open': {
        const pick = picker(load.mix);
        const poisson = load.arrivals === 'poisson' ? prng.fork() : undefined;
        return openLoop([streamOf(load.ratePerSecond, pick, poisson)]);
      }
      case 'timers': {
        const all = workload.sets * workload.replicas;
        const polls = operations.get('getReplicaInfo');
        const refreshes = operations.get('getMetadataInfo');
        return openLoop([
          streamOf((all * 1_000) / load.replicaInfoEveryMs, () => polls),
          streamOf((all * 1_000) / load.metadataInfoEveryMs, () => refreshes),
        ]);
      }
    }

    function openLoop(streams: readonly ArrivalStream[]): OpenLoop {
      const loop = new OpenLoop({ clock, streams, late: (ms) => meter.late(ms) });
      driver.onSettled = () => loop.drain();
      return loop;
    }

    /** This worker's share of a rate, its even arrivals between those of the other workers. */
    function streamOf(
      ratePerSecond: number,
      pick: () => Operation,
      poisson?: Prng | undefined,
    ): ArrivalStream {
      const offsetMs = (1_000 / ratePerSecond) * spec.worker;
      const arrivals = new Arrivals({
        startMs: startMs + (poisson === undefined ? offsetMs : 0),
        endMs,
        ratePerSecond: ratePerSecond / spec.workers,
        poisson,
      });
      return {
        arrivals,
        send: (intendedMs) => {
          const operation = pick();
          const sent = driver.send(operation, intendedMs);
          if (sent === 'nothing-free') meter.shed(operation);
        },
      };
    }
  }

  /** Draws operations by their shares; the same seed draws the same ones. */
  function picker(
    mix: Readonly<Partial<Record<OperationName, number | undefined>>>,
  ): () => Operation {
    const choices: { readonly operation: Operation; readonly below: number }[] = [];
    let total = 0;
    for (const [name, weight] of Object.entries(mix) as [OperationName, number | undefined][]) {
      if (weight === undefined) continue;
      total += weight;
      choices.push({ operation: operations.get(name), below: total });
    }
    const draws = prng.fork();
    const [first] = choices;
    if (first === undefined) throw new Error('a mix without operations');
    if (choices.length === 1) return () => first.operation;
    return () => {
      const drawn = draws.unit() * total;
      return (choices.find((choice) => drawn < choice.below) ?? first).operation;
    };
  }

  /** The first workers take one more when the places cannot be shared out evenly. */
  function share(places: number): number {
    const { worker, workers } = spec;
    return Math.floor(places / workers) + (worker < places % workers ? 1 : 0);
  }
}

/** Names of what the workload measures. */
export function operationsOf({ load }: LoadPoint): OperationName[] {
  if (load.mode === 'timers') return ['getReplicaInfo', 'getMetadataInfo'];
  return (Object.keys(load.mix) as OperationName[]).filter((name) => load.mix[name] !== undefined);
}

/** Heartbeats and 1005 are answered from a member's memory: no set needs to be registered for them. */
export function needsSets(workload: LoadPoint): boolean {
  return operationsOf(workload).some((name) => name !== 'heartbeat' && name !== 'getMetadataInfo');
}

function operationTable({
  workload,
  sets,
  links,
  leader,
  context,
}: {
  readonly workload: LoadPoint;
  readonly sets: readonly BrokerSet[];
  readonly links: Links;
  readonly leader: LeaderFinder;
  readonly context: TrialContext;
}): { get(name: OperationName): Operation } {
  const { clock } = context;
  const brokers = sets.flatMap((set) => set.brokers);
  const table = new Map<OperationName, Operation>();
  for (const name of operationsOf(workload)) {
    table.set(
      name,
      name === 'alterSyncStateSet'
        ? new AlterSyncStateSets({ sets, clock, reread: rereader({ links, leader, clock }) })
        : new RoundRobin(name, { brokers, reads: workload.readsFrom }),
    );
  }
  return {
    get(name) {
      const operation = table.get(name);
      if (operation === undefined) throw new Error(`${name} is not in the mix`);
      return operation;
    },
  };
}
