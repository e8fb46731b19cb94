/**
 * Commits, the legacy way: each request's events are an entry of their own.
 *
 * Admission lets one event run at a time, so one entry is under way at a time: append, wait for
 * the quorum, apply, next.
 *
 * @source rocketmq DLedgerController.appendToDLedgerAndWait (5.x, 8fc57f1)
 */
import { encodeEvents } from '../src/controller/event.js';
import type { Log } from '../src/engine/log-engine.js';
import type { CommitPath } from '../src/server/parts.js';

export function oneByOne(log: Log): CommitPath {
  return { commit: (events) => log.append(encodeEvents(events)) };
}
