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
import { fleetOf } from './fleet.js';
import { LeaderFinder } from './leader.js';
import { Links } from './links.js';
import type { TrialSpec, WorkerResult } from './messages.js';
import { Meter } from './meter.js';
import type { TrialContext } from './trial.js';

const CONNECT_MS = 20_000;
/** A member may have the whole fleet asking at once; the brokers' own order bounds it. */
const WINDOW_MAX = 65_536;
const DRAIN_MS = 500;

export const bringUpOperations = [
  'getMetadataInfo',
  'getNextBrokerId',
  'applyBrokerId',
  'registerBroker',
  'electMaster',
  'alterSyncStateSet',
  'getReplicaInfo',
] as const;

export async function runBringUpTrial(
  spec: TrialSpec,
  workload: BringUpPoint,
  context: TrialContext,
): Promise<WorkerResult> {
  const { clock, stop } = context;
  const links = new Links({
    members: spec.members,
    connectionsPerMember: workload.connectionsPerWorker,
    windowMax: WINDOW_MAX,
    requestTimeoutMs: workload.requestTimeoutMs,
    connect: context.connect,
    clock,
  });
  const leader = new LeaderFinder(links, clock);
  const { sets: count, replicas } = workload;
  const sets = fleetOf({ ...spec, prefix: spec.setPrefix, sets: count, replicas });
  const meter = new Meter({
    recorder: context.recorder(bringUpOperations),
    clock,
    windowMs: workload.giveUpAfterMs,
    post: context.post,
  });

  try {
    context.post(meter.progress('connect', 0));
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
          meter.answeredCall(entryOfCode(code).name, sentMs, nowMs, answer),
        failed: (code, why) => meter.failedCall(entryOfCode(code).name, why),
        late: (ms) => meter.late(ms),
      },
    });
    const usage = context.usage();
    meter.open({
      window: 1,
      startMs,
      endMs,
      phase: 'measure',
      asked: () => fleet.sent,
      intervalMs: workload.intervalMs,
    });
    let completeMs: number | null = sets.length === 0 ? startMs : null;
    fleet.onComplete = (nowMs) => {
      completeMs = nowMs;
    };
    fleet.start();
    await stop.pollUntil(() => completeMs !== null, workload.giveUpAfterMs);
    const used = usage();
    const measuredMs = (completeMs ?? clock.nowMs()) - startMs;
    const inFlightAtEnd = fleet.inFlight;
    const { sent, beats, setsComplete } = fleet;
    meter.close();
    fleet.stop();
    await stop.pollUntil(() => fleet.inFlight === 0, DRAIN_MS);
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
    };
  } finally {
    leader.stop();
    links.close();
  }
}
