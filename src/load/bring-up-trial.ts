/**
 * One worker's part of a bring-up: every broker of its share starts at the same moment.
 *
 * Measured from that moment until every set has a master and all replicas in step, by what the
 * controllers acknowledged to the masters.
 */
import { Prng } from '../lib/prng.js';
import type { BringUpPoint } from '../workload/points.js';
import { BringUp } from './bring-up.js';
import { entryOfCode } from './catalog.js';
import { cleanUp } from './clean-up.js';
import { connectionsPerMember, fleetOf } from './fleet.js';
import { LeaderFinder } from './leader.js';
import { Links } from './links.js';
import type { TrialSpec, WorkerResult } from './messages.js';
import { Meter } from './meter.js';
import type { TrialContext } from './trial.js';

const CONNECT_MS = 60_000;
/** A member may have the whole fleet asking at once; the brokers' own order bounds it. */
const WINDOW_MAX = 65_536;
const DRAIN_MS = 500;
const CLEAN_UP_MS = 5_000;

export async function runBringUpTrial(
  spec: TrialSpec,
  workload: BringUpPoint,
  context: TrialContext,
): Promise<WorkerResult> {
  const { clock, stop } = context;
  const { sets: count, replicas } = workload;
  const sets = fleetOf({ ...spec, prefix: spec.setPrefix, sets: count, replicas });
  const links = new Links({
    members: spec.members,
    connectionsPerMember: connectionsPerMember(workload, sets),
    sources: spec.sources,
    windowMax: WINDOW_MAX,
    requestTimeoutMs: workload.requestTimeoutMs,
    connect: context.connect,
    clock,
  });
  const leader = new LeaderFinder(links, clock);
  const meter = new Meter({ operations: [], clock, post: context.post });

  try {
    context.post({ kind: 'phase', phase: 'connect' });
    links.open();
    leader.start();
    await stop.pollUntil(() => leader.isSure && links.settled, CONNECT_MS);
    const startMs = await context.ready('measure');
    await stop.sleepUntil(startMs);
    const endMs = startMs + workload.giveUpAfterMs;
    const fleet = new BringUp({
      sets,
      links,
      leader,
      clock,
      prng: new Prng(spec.seed + spec.worker),
      outcomes: {
        answered: (code, sentMs, nowMs, answer) =>
          meter.callAnswered(entryOfCode(code).name, sentMs, nowMs, answer),
        failed: (code, why) => meter.callFailed(entryOfCode(code).name, why),
        late: (ms) => meter.late(ms),
      },
    });
    const usage = context.usage();
    const { intervalMs } = workload;
    const asked = (): number => fleet.sent;
    meter.open({ number: 1, phase: 'measure', startMs, endMs, intervalMs, asked });
    let completeMs: number | null = sets.length === 0 ? startMs : null;
    fleet.onComplete = (nowMs) => {
      completeMs = nowMs;
    };
    if (!stop.isRequested) fleet.start();
    await stop.pollUntil(() => completeMs !== null, workload.giveUpAfterMs);
    const used = usage();
    meter.close();
    const measuredMs = fleet.sent === 0 ? 0 : (completeMs ?? clock.nowMs()) - startMs;
    const inFlightAtEnd = fleet.inFlight;
    const { sent, beats, setsComplete } = fleet;
    fleet.stop();
    await stop.pollUntil(() => fleet.inFlight === 0, DRAIN_MS);
    await cleanUp({ sets, links, leader, stop, deadlineMs: CLEAN_UP_MS });
    return {
      ...meter.result(),
      ...used,
      measuredMs,
      wasStopped: stop.isRequested,
      asked: sent,
      sent,
      inFlightAtEnd,
      beats,
      acknowledged: meter.acknowledged,
      setsComplete,
      elections: null,
    };
  } finally {
    leader.stop();
    links.close();
    meter.destroy();
  }
}
