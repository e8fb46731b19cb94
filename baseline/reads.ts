/**
 * Reads, the legacy way: they wait in the queue, behind writes, and only the leader answers.
 *
 * As shipped an answer proves nothing: a deposed leader that has not noticed may answer from stale
 * state. With `processReadEvent` the value is computed first, and an empty entry is committed
 * before it is handed out.
 *
 * @source rocketmq DLedgerController.ControllerEventHandler.run (5.x, 8fc57f1)
 */
import type { Log } from '../src/engine/log-engine.js';
import type { Admission, ReadPath } from '../src/server/parts.js';

const EMPTY_ENTRY = new Uint8Array(0);

export function behindWrites(
  log: Log,
  admission: Admission,
  options: { readonly processReadEvent: boolean },
): ReadPath {
  return {
    servedBy: 'leader',
    /** An operator may turn the proof on and off. */
    get proof() {
      return options.processReadEvent ? 'log' : 'unproved';
    },
    read: (work) =>
      admission.inOrder(work.brokerName, {
        get givenUp() {
          return work.givenUp;
        },
        drop: () => work.drop(),
        run() {
          const reply = work.compute();
          if (!options.processReadEvent) {
            work.deliver(reply);
            return undefined;
          }
          return log.append(EMPTY_ENTRY).then(
            () => work.deliver(reply),
            (error: unknown) => work.fail(error),
          );
        },
      }),
  };
}
