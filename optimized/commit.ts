/**
 * Commits that share: whatever is decided in one turn goes into the log as one entry.
 *
 * One write, one flush, one push and one acknowledgement then carry them all. Under load a turn
 * reads many sockets, so the share grows with it; a single write waits for nobody.
 *
 * @source Ongaro thesis §10.2.1 (batching and pipelining)
 */
import { EventWriter } from '../src/controller/event.js';
import type { Log } from '../src/engine/log-engine.js';
import type { Clock } from '../src/lib/clock.js';
import type { CommitPath } from '../src/server/parts.js';

/** A larger share is ended at once; far under the 16 MiB frame that must carry it. */
const SHARE_BYTES_MAX = 256 * 1024;

export function groupCommit(log: Log, clock: Clock): CommitPath {
  const writer = new EventWriter();
  let share: { readonly committed: Promise<void>; readonly append: () => void } | null = null;

  const beginShare = () => {
    let append = (): void => {};
    const committed = new Promise<void>((resolve, reject) => {
      append = () => {
        share = null;
        log.append(writer.take()).then(() => resolve(), reject);
      };
    });
    const begun = { committed, append };
    clock.endOfTurn(() => {
      if (share === begun) begun.append();
    });
    return begun;
  };

  return {
    commit(events) {
      share ??= beginShare();
      const { committed } = share;
      for (const event of events) writer.append(event);
      if (writer.byteLength >= SHARE_BYTES_MAX) share.append();
      return committed;
    },
  };
}
