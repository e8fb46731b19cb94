/**
 * What controllers say about broker sets, as plain facts: the replies to 1001–1004 and 1006.
 *
 * A body that cannot be read counts as no answer; the caller asks again.
 */
import { ResponseCode } from '../lib/codes.js';
import {
  decodeElectMasterBody,
  decodeReplicasInfo,
  decodeSyncStateSet,
} from '../remoting/bodies.js';
import type { RemotingCommand } from '../remoting/command.js';
import { BodyError } from '../remoting/errors.js';
import { readMaster } from '../remoting/headers.js';
import type { SetFacts } from './fleet.js';
import type { Answer, Call } from './simulated-broker.js';

export interface SetView extends SetFacts {
  /** Ids of every registered replica. */
  readonly registered: readonly number[];
}

/** The sets that a 1006 reply knows; masterId 0 when a set has no master. Null for any other reply. */
export function viewsOf(reply: RemotingCommand | null): ReadonlyMap<string, SetView> | null {
  const body = reply?.code === ResponseCode.Success ? reply.body : null;
  const table = body === null ? null : readable(() => decodeReplicasInfo(body));
  if (table === null) return null;
  const views = new Map<string, SetView>();
  for (const [name, info] of table) {
    const inSync = info.inSyncReplicas.map((replica) => replica.brokerId);
    const others = info.notInSyncReplicas.map((replica) => replica.brokerId);
    views.set(name, {
      registered: [...inSync, ...others],
      masterId: info.masterBrokerId ?? 0,
      masterEpoch: info.masterEpoch,
      syncStateSet: inSync.sort((a, b) => a - b),
      syncStateSetEpoch: info.syncStateSetEpoch,
    });
  }
  return views;
}

/** The facts in a 1004 reply; null for any other reply. */
export function factsOf(reply: RemotingCommand | null): SetFacts | null {
  if (reply?.code !== ResponseCode.Success) return null;
  const set = readable(() => decodeSyncStateSet(reply.body));
  if (set === null) return null;
  const { masterBrokerId, masterEpoch } = readMaster(reply.extFields);
  return {
    masterId: masterBrokerId ?? 0,
    masterEpoch: masterEpoch ?? 0,
    syncStateSet: set.syncStateSet,
    syncStateSetEpoch: set.syncStateSetEpoch,
  };
}

/** What a broker reads in the reply to one of its calls. */
export function answerOf(call: Call, reply: RemotingCommand): Answer {
  const set = readable(() =>
    call === 'elect' ? decodeElectMasterBody(reply.body) : syncStateSetOf(call, reply),
  );
  return {
    code: reply.code,
    extFields: reply.extFields ?? {},
    syncStateSet: set?.syncStateSet ?? null,
    syncStateSetEpoch: set !== null && 'syncStateSetEpoch' in set ? set.syncStateSetEpoch : null,
  };
}

function syncStateSetOf(call: Call, reply: RemotingCommand) {
  const hasSet = call === 'register' || call === 'replica-info' || call === 'alter';
  return hasSet ? decodeSyncStateSet(reply.body) : null;
}

function readable<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof BodyError) return null;
    throw error;
  }
}
