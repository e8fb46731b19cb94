/**
 * Reads by ReadIndex: they leave the log, and any member may answer.
 *
 * One proof of leadership covers every read that waits for it; each is then answered from applied
 * state, on the leader or, for reads that followers may serve, where it arrived.
 *
 * @source Ongaro thesis §6.4
 */
import type { Log } from '../src/engine/log-engine.js';
import type { ReadPath, ReadWork } from '../src/server/parts.js';

export function readIndexFirst(log: Log, options: { readonly followerReads: boolean }): ReadPath {
  /** Reads of one proof share one list, so a proof costs one promise, however many reads it covers. */
  let gathered: { readonly proof: Promise<void>; readonly works: ReadWork[] } | null = null;

  const answer = ({ works }: { readonly works: readonly ReadWork[] }): void => {
    for (const work of works) {
      if (work.givenUp) work.drop();
      else work.deliver(work.compute());
    }
  };

  return {
    servedBy: options.followerReads ? 'any-member' : 'leader',
    proof: 'read-index',
    read(work) {
      const proof = log.readBarrier();
      if (gathered?.proof === proof) {
        gathered.works.push(work);
        return 'accepted';
      }
      const batch = { proof, works: [work] };
      gathered = batch;
      void proof.then(
        () => answer(batch),
        (error: unknown) => {
          for (const waiting of batch.works) waiting.fail(error);
        },
      );
      return 'accepted';
    },
  };
}
