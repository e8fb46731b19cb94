/**
 * Admission, the legacy way: sixteen handlers feed one queue, and one event runs at a time.
 *
 * A handler stays with its request until the answer, so at most sixteen requests are ever inside;
 * the rest wait in front. All broker sets share the one queue, reads and writes alike.
 *
 * @source rocketmq ControllerManager.controllerRequestExecutor (16 threads, queue 50,000) and
 *   DLedgerController.EventScheduler (one thread, queue 1,024) (5.x, 8fc57f1)
 */
import { BoundedQueue } from '../src/lib/bounded-queue.js';
import type { Admission, AdmittedCall, Work } from '../src/server/parts.js';

/** @source rocketmq DLedgerController.EventScheduler.eventQueue */
const EVENTS_WAITING_MAX = 1_024;

export function oneAtATime(options: {
  readonly handlersMax: number;
  readonly handlerQueueMax: number;
}): Admission {
  const calls = new BoundedQueue<AdmittedCall>(options.handlerQueueMax);
  const events = new BoundedQueue<Work>(EVENTS_WAITING_MAX);
  const handled = new Set<AdmittedCall>();
  let isRunning = false;
  let isBeginning = false;

  /** A loop, not recursion: a call that is answered at once frees its handler before `begin` returns. */
  const beginNext = (): void => {
    if (isBeginning) return;
    isBeginning = true;
    while (handled.size < options.handlersMax) {
      const call = calls.poll();
      if (call === undefined) break;
      handled.add(call);
      call.begin();
    }
    isBeginning = false;
  };

  const runNext = (): void => {
    if (isRunning) return;
    isRunning = true;
    for (let work = events.poll(); work !== undefined; work = events.poll()) {
      // A caller that gave up is still executed: upstream's events do not know it.
      const outcome = work.run();
      if (outcome !== undefined) {
        void outcome.then(() => {
          isRunning = false;
          runNext();
        });
        return;
      }
    }
    isRunning = false;
  };

  return {
    get waiting() {
      return calls.size + events.size;
    },
    admit(call) {
      if (calls.offer(call) === 'full') return 'busy';
      beginNext();
      return 'accepted';
    },
    ended(call) {
      handled.delete(call);
      beginNext();
    },
    inOrder(_brokerName, work) {
      if (events.offer(work) === 'full') return 'busy';
      runNext();
      return 'accepted';
    },
  };
}
