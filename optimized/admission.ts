/**
 * Admission by lanes: each broker set has its own order, and only that.
 *
 * Commands on different broker sets share no state, so they run side by side. A lane is free again
 * when its work's events are applied (or known to be lost), never merely when they were sent. Work
 * whose client has given up is dropped before it costs anything.
 */
import { BoundedQueue } from '../src/lib/bounded-queue.js';
import type { Admission, Work } from '../src/server/parts.js';

/** Works that wait in one lane; a client with more than this on one broker set is told to slow down. */
const LANE_WAITING_MAX = 1_024;

interface Lane {
  /** Made when a second work arrives: most lanes never need it. */
  waiting: BoundedQueue<Work> | null;
}

export function lanePerBrokerSet(options: { readonly requestsWaitingMax: number }): Admission {
  /** Only lanes with work in them. */
  const lanes = new Map<string, Lane>();
  let inFlight = 0;
  let waiting = 0;

  /** Runs works until one has to be waited for, or the lane is empty and goes away. */
  const drain = (brokerName: string, lane: Lane, first: Work): void => {
    let work: Work | undefined = first;
    while (work !== undefined) {
      if (work.givenUp) {
        work.drop();
      } else {
        const outcome = work.run();
        if (outcome !== undefined) {
          void outcome.then(() => next(brokerName, lane));
          return;
        }
      }
      work = take(lane);
    }
    lanes.delete(brokerName);
  };

  const take = (lane: Lane): Work | undefined => {
    const work = lane.waiting?.poll();
    if (work !== undefined) waiting -= 1;
    return work;
  };

  const next = (brokerName: string, lane: Lane): void => {
    const work = take(lane);
    if (work === undefined) lanes.delete(brokerName);
    else drain(brokerName, lane, work);
  };

  return {
    get waiting() {
      return waiting;
    },
    admit(call) {
      if (inFlight >= options.requestsWaitingMax) return 'busy';
      inFlight += 1;
      call.begin();
      return 'accepted';
    },
    ended() {
      inFlight -= 1;
    },
    inOrder(brokerName, work) {
      const lane = lanes.get(brokerName);
      if (lane === undefined) {
        const fresh: Lane = { waiting: null };
        lanes.set(brokerName, fresh);
        drain(brokerName, fresh, work);
        return 'accepted';
      }
      lane.waiting ??= new BoundedQueue(LANE_WAITING_MAX);
      if (lane.waiting.offer(work) === 'full') return 'busy';
      waiting += 1;
      return 'accepted';
    },
  };
}
