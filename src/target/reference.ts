/**
 * Stores of other kinds that could hold the metadata of broker sets: what a bench may ask of them.
 *
 * They are no controllers (nobody elects a master there), so they are lines to look at, not sides of
 * a comparison. Each does the same two things: a change of a broker set's record that is refused when
 * somebody else changed it since it was read, and a read that proves it is the newest.
 */

export const referenceNames = ['etcd', 'zookeeper'] as const;
export type ReferenceName = (typeof referenceNames)[number];

/** `fenced`: another change came first; the next one reads the record anew. */
export type ReferenceAnswer = 'ok' | 'fenced';

export interface ReferenceClient {
  /** Makes the records of `sets` broker sets, each with a first value. */
  prepare(sets: number): Promise<void>;
  /** Changes the record of one set if it is as this client last saw it. At most one at a time for each set. */
  write(set: number): Promise<ReferenceAnswer>;
  /** Reads the newest record of one set. */
  read(set: number): Promise<ReferenceAnswer>;
  close(): Promise<void>;
}

/** What is kept of a broker set, as long as a controller's own record of it; every second one lacks a replica. */
export function recordOf(set: number, epoch: number): Buffer {
  const syncStateSet = epoch % 2 === 0 ? [1, 2, 3] : [1, 2];
  const record = { masterBrokerId: 1, masterEpoch: 1, syncStateSetEpoch: epoch, syncStateSet };
  return Buffer.from(
    JSON.stringify({ clusterName: 'quorumark', brokerName: `broker-${set}`, ...record }),
  );
}
