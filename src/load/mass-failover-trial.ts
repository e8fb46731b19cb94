/**
 * One worker's part of a mass failure: the masters of all its sets are lost at the same moment, by
 * closed connections or by silence, and the controllers elect new ones.
 *
 * Only the wire is used, so any controller can be asked. The brokers are the real ones' state
 * machines, with connections of their own; they learn of a new master by polling (1004), as real ones
 * do when no push reaches them. When a set was elected is seen by a bulk reader (1006) on a
 * connection of its own, which looks at each set every 25 ms or as often as it is answered.
 */
import { Prng } from '../lib/prng.js';
import type { MassFailoverPoint } from '../workload/points.js';
import { BulkReader } from './bulk-reader.js';
import { entryOfCode } from './catalog.js';
import { cleanUp } from './clean-up.js';
import { Elections } from './elections.js';
import { connectionsPerMember, fleetOf } from './fleet.js';
import { Heartbeats } from './heartbeats.js';
import { LeaderFinder } from './leader.js';
import { Links } from './links.js';
import { LiveFleet } from './live-fleet.js';
import type { TrialSpec, WorkerResult } from './messages.js';
import { Meter } from './meter.js';
import { PrepareError, prepare } from './prepare.js';
import type { TrialContext } from './trial.js';

const CONNECT_MS = 60_000;
/** JRaft makes an entry of every heartbeat, and a thousand sets beat 3,000 times a second meanwhile. */
const PREPARE_MS = 600_000;
/** Where beats alone are more than a target can take, not one set gets ready, however long one waits. */
const STALLED_MS = 240_000;
const WINDOW_MAX = 65_536;
const DRAIN_MS = 500;
const CLEAN_UP_MS = 10_000;
const VERIFY_MS = 10_000;
/** Between two looks at a set while its election may happen; before that it cannot, and a few do. */
const LOOK_MS = 25;
const IDLE_LOOK_MS = 500;
/** Looking closely starts so much before the first beat can be missed. */
const LOOK_AHEAD_MS = 300;

export async function runMassFailoverTrial(
  spec: TrialSpec,
  workload: MassFailoverPoint,
  context: TrialContext,
): Promise<WorkerResult> {
  const { clock, stop } = context;
  const { heartbeatEveryMs, heartbeatTimeoutMs, loss, giveUpAfterMs } = workload;
  const { sets: count, replicas } = workload;
  const sets = fleetOf({
    ...spec,
    prefix: spec.setPrefix,
    sets: count,
    replicas,
    heartbeatTimeoutMs,
  });
  const wires = {
    members: spec.members,
    windowMax: WINDOW_MAX,
    requestTimeoutMs: workload.requestTimeoutMs,
    connect: context.connect,
    clock,
  };
  /** The brokers' own. */
  const links = new Links({
    ...wires,
    connectionsPerMember: connectionsPerMember(workload, sets),
    sources: spec.sources,
  });
  /** For preparing and looking: nothing of it dies with a broker. */
  const tools = new Links({ ...wires, connectionsPerMember: workload.connectionsPerWorker });
  const leader = new LeaderFinder(tools, clock);
  const heartbeats = new Heartbeats({
    brokers: sets.flatMap((set) => set.brokers),
    everyMs: heartbeatEveryMs,
    links,
    clock,
  });
  const meter = new Meter({ operations: [], clock, post: context.post });
  let elections: Elections | null = null;
  const fleet = new LiveFleet({
    sets,
    links,
    leader,
    clock,
    prng: new Prng(spec.seed + spec.worker),
    isRegistered: true,
    beatMs: heartbeatEveryMs,
    heartbeatTimeoutMs,
    outcomes: {
      answered: (code, sentMs, nowMs, answer) =>
        meter.callAnswered(entryOfCode(code).name, sentMs, nowMs, answer),
      failed: (code, why) => meter.callFailed(entryOfCode(code).name, why),
      late: (ms) => meter.late(ms),
    },
    watch: {
      inStep: () => {},
      learnt: ({ set, id }, masterId, masterEpoch) =>
        elections?.learnt(set, id, { masterId, masterEpoch }, clock.nowMs()),
    },
  });
  const reader = new BulkReader({
    links: tools,
    leader,
    clock,
    seen: (set, view, askedMs, nowMs) => elections?.seen(set, view, askedMs, nowMs),
  });

  try {
    context.post({ kind: 'phase', phase: 'connect' });
    tools.open();
    links.open();
    leader.start();
    const found = await stop.pollUntil(
      () => leader.isSure && tools.settled && links.settled,
      CONNECT_MS,
    );
    if (!found && !stop.isRequested) {
      const wanted = spec.members.length * connectionsPerMember(workload, sets);
      throw new PrepareError(
        `${leader.isSure ? 'a leader' : 'no leader'} was found, and ${links.openCount} of ${wanted} connections were open after ${CONNECT_MS} ms`,
      );
    }
    heartbeats.start();
    context.post({ kind: 'phase', phase: 'prepare' });
    const bounds = { deadlineMs: PREPARE_MS, stalledMs: STALLED_MS };
    await prepare({ sets, links: tools, leader, clock, stop, ...bounds });
    fleet.goOn();
    heartbeats.stop();
    await stop.sleepUntil((await context.ready('warm-up')) + workload.warmUpMs);

    const startMs = await context.ready('measure');
    await stop.sleepUntil(startMs);
    const endMs = startMs + giveUpAfterMs;
    const usage = context.usage();
    const { intervalMs } = workload;
    const sentBefore = fleet.sent;
    const beatsBefore = fleet.beats;
    const asked = (): number => fleet.sent - sentBefore;
    meter.open({ number: 1, phase: 'measure', startMs, endMs, intervalMs, asked });
    const isWanted = !stop.isRequested;
    const ballots = new Elections(sets, startMs);
    elections = ballots;
    if (isWanted) {
      for (const set of sets) {
        const master = set.broker(set.masterId);
        fleet.lose(master);
        links.forsake(master.lane, loss);
      }
      ballots.lossTookMs = clock.nowMs() - startMs;
      const soonestMs = loss === 'closed' ? 0 : heartbeatTimeoutMs - heartbeatEveryMs;
      const closelyMs = startMs + soonestMs - LOOK_AHEAD_MS;
      reader.start(
        sets,
        (set) => !ballots.isElected(set),
        () => (clock.nowMs() < closelyMs ? IDLE_LOOK_MS : LOOK_MS),
      );
    }
    await stop.pollUntil(() => ballots.isComplete, giveUpAfterMs);
    reader.stop();
    const electedAllMs = clock.nowMs();
    const used = usage();
    if (isWanted && ballots.isComplete) {
      await stop.pollUntil(() => ballots.isTold, workload.settleMs);
    }
    const windowMs = meter.close();
    const measuredMs = isWanted ? windowMs : 0;
    const inFlightAtEnd = fleet.inFlight;
    const sent = fleet.sent - sentBefore;
    const beats = fleet.beats - beatsBefore;
    // Whoever is master now must be who was elected.
    if (isWanted && electedAllMs < endMs) {
      const check = reader.readAll(sets);
      ballots.isChecked = await stop.pollUntil(check.isDone, VERIFY_MS);
    }
    const result = ballots.result();
    fleet.stop();
    await stop.pollUntil(() => fleet.inFlight === 0, DRAIN_MS);
    await cleanUp({ sets, links: tools, leader, stop, deadlineMs: CLEAN_UP_MS });
    return {
      ...meter.result(),
      ...used,
      measuredMs,
      wasStopped: stop.isRequested,
      asked: sent,
      sent,
      inFlightAtEnd,
      beats,
      acknowledged: null,
      setsComplete: null,
      elections: result,
    };
  } finally {
    heartbeats.stop();
    fleet.stop();
    reader.stop();
    leader.stop();
    links.close();
    tools.close();
    meter.destroy();
  }
}
