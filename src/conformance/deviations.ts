/**
 * The known differences between upstream and us, as code: each says when it may be met, and what
 * the two replies look like with it taken away. An exchange is explained when nothing is left.
 * Each has a row of the same id in docs/compatibility.md. Pure.
 */
import { RequestCode, ResponseCode } from '../lib/codes.js';
import { LenientJsonError, parseLenientJson } from '../remoting/lenient-json.js';
import { type Deviation, each, ofState, type Pair } from './deviation.js';
import { type Ask, isReply, type Reply } from './exchange.js';
import { settingsDeviations } from './settings-deviations.js';

export const deviations: readonly Deviation[] = [
  // First, so that the others apply to what the leader said.
  { id: 'follower-reads', takenAway: followerRead },
  { id: 'map-keys', takenAway: each(withStrictBody) },
  { id: 'id-order', takenAway: each(withAscendingIds) },
  { id: 'exception-text', takenAway: each(withoutExceptionText) },
  { id: 'bad-body', takenAway: undecodable },
  { id: 'odd-numbers', takenAway: oddNumber },
  { id: 'fastjson-1', peer: '5.3.3', takenAway: fastjsonOne },
  { id: 'nameless-beat', takenAway: namelessBeat },
  { id: 'odd-header', takenAway: oddHeader },
  { id: 'ids-beyond-numbers', takenAway: idBeyondNumbers },
  { id: 'ascii-text', takenAway: beyondAscii },
  ...settingsDeviations,
  // Last, for they expect ids in their order.
  { id: 'offsets-by-value', takenAway: ofState('offsets-by-value', withOtherMaster) },
  { id: 'priorities-by-value', takenAway: ofState('priorities-by-value', withOtherMaster) },
  { id: 'shared-connection', takenAway: ofState('shared-connection', withLostSlaves) },
];

/** Those that may show against one version of upstream. */
export function deviationsFrom(peer: string): readonly Deviation[] {
  return deviations.filter((deviation) => (deviation.peer ?? peer) === peer);
}

/** JSON with bare integer keys, which is none, as JSON. */
function withStrictBody(reply: Reply): Reply {
  if (reply.body === null || isJson(reply.body)) return reply;
  try {
    return { ...reply, body: JSON.stringify(parseLenientJson(reply.body, { numbers: 'value' })) };
  } catch (error) {
    if (error instanceof LenientJsonError) return reply;
    throw error;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Ids are a hash set's upstream, so their order says nothing. */
function withAscendingIds(reply: Reply): Reply {
  if (reply.body === null || !isJson(reply.body)) return reply;
  const ascending = (name: string, value: unknown): unknown => {
    if (!Array.isArray(value)) return value;
    if (name === 'syncStateSet') return value.toSorted((a, b) => a - b);
    if (name === 'inSyncReplicas' || name === 'notInSyncReplicas') {
      return value.toSorted((a, b) => a.brokerId - b.brokerId);
    }
    return value;
  };
  return { ...reply, body: JSON.stringify(JSON.parse(reply.body, ascending)) };
}

const FRAME = /, [\w.$@/]+\.[\w$<>]+\([\w$.: ]+\)$/;
/** What JVMs since 14 say about a null pointer, which depends on the names in the byte code. */
const NULL_POINTER = /(NullPointerException): Cannot .*$/s;

function withoutExceptionText(reply: Reply): Reply {
  if (reply.code !== ResponseCode.SystemError || reply.remark === null) return reply;
  return { ...reply, remark: reply.remark.replace(FRAME, '').replace(NULL_POINTER, '$1') };
}

/** A body that neither side could make sense of: each says so in the words of its own reader. */
function undecodable(pair: Pair, { request }: Ask): Pair {
  const { ours, upstream } = pair;
  if (request.body === undefined || !isReply(ours) || !isReply(upstream)) return pair;
  const bothFailed =
    ours.code === ResponseCode.SystemError && upstream.code === ResponseCode.SystemError;
  const weCouldNotRead = ours.remark?.startsWith('com.alibaba.fastjson2.JSONException') === true;
  const itThrew = /^[\w.]+(?:Exception|Error)\b/.test(upstream.remark ?? '');
  if (!bothFailed || !weCouldNotRead || !itThrew) return pair;
  return { ours, upstream: { ...upstream, remark: ours.remark } };
}

/** No integer where one is due in 1001: upstream's reader cuts or converts it, and goes on. */
function oddNumber(pair: Pair, { request }: Ask): Pair {
  const { ours } = pair;
  if (request.code !== RequestCode.AlterSyncStateSet || !isJson(request.body ?? '')) return pair;
  const body = JSON.parse(request.body ?? '') as Readonly<Record<string, unknown>> | null;
  const ids: unknown = body?.['syncStateSet'];
  const numbers = [...(Array.isArray(ids) ? (ids as unknown[]) : []), body?.['syncStateSetEpoch']];
  const isOdd = (value: unknown): boolean =>
    value === null ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && !Number.isInteger(value));
  const isOurs =
    isReply(ours) &&
    ours.code === ResponseCode.SystemError &&
    / is not an int/.test(ours.remark ?? '');
  return numbers.some(isOdd) && isOurs ? { ours, upstream: ours } : pair;
}

/**
 * fastjson 1 makes nothing of an empty object or list, where fastjson 2 fails, and fails at an empty
 * text; it skips a byte order mark, and reads headers with bare keys.
 */
function fastjsonOne(pair: Pair, { request }: Ask): Pair {
  const { ours } = pair;
  const { body = '', header = '' } = request;
  const isItsOwn = ['""', '[]', '{}'].includes(body) || body.startsWith('\ufeff');
  const asFastjsonTwo =
    isReply(ours) &&
    ours.code === ResponseCode.SystemError &&
    /^com\.alibaba\.fastjson2\.JSONException|^not set any response code$/.test(ours.remark ?? '');
  const isMet = /^\{[a-z]/.test(header) ? ours === 'closed' : isItsOwn && asFastjsonTwo;
  return isMet ? { ...pair, upstream: ours } : pair;
}

/** The first beat without a name is taken upstream, and every later one fails; here, all fail. */
function namelessBeat(pair: Pair, { request }: Ask): Pair {
  const { ours, upstream } = pair;
  const { brokerName, clusterName } = request.extFields ?? {};
  const hasNames = brokerName !== undefined && clusterName !== undefined;
  if (request.code !== RequestCode.BrokerHeartbeat || hasNames) return pair;
  const taken = isReply(upstream) && upstream.code === 0;
  return taken && isReply(ours) && ours.code === ResponseCode.SystemError
    ? { ours, upstream: ours }
    : pair;
}

/** Headers that no client writes are refused by closing, where upstream makes something of them. */
function oddHeader(pair: Pair, { request }: Ask): Pair {
  const isNested = Object.values(request.extFields ?? {}).some(
    (value) => typeof value === 'object' && value !== null,
  );
  const hasFraction = /"(?:code|flag|opaque|version)":-?\d+\.\d/.test(request.header ?? '');
  return pair.ours === 'closed' && (isNested || hasFraction)
    ? { ...pair, upstream: 'closed' }
    : pair;
}

/** What a request with an id that is no JavaScript number is answered here. */
const AS_IF_NO_NUMBER: ReadonlyMap<number, RegExp> = new Map([
  [RequestCode.AlterSyncStateSet, /, not \{null\}$/],
  [RequestCode.RegisterBroker, /NullPointerException$/],
  [RequestCode.CleanBrokerData, /NumberFormatException/],
  [RequestCode.ApplyBrokerId, /NullPointerException$/],
]);

function idBeyondNumbers(pair: Pair, { request }: Ask): Pair {
  const { ours } = pair;
  const answer = AS_IF_NO_NUMBER.get(request.code);
  const isBeyond = Object.values(request.extFields ?? {}).some(
    (value) => /^-?\d{16,}$/.test(String(value)) && !Number.isSafeInteger(Number(value)),
  );
  const isOurs = isReply(ours) && answer?.test(ours.remark ?? '') === true;
  return isBeyond && isOurs ? { ours, upstream: ours } : pair;
}

/** A member that does not lead proves a read, and answers as upstream's leader. */
function followerRead(pair: Pair, { request, to = 'leader' }: Ask): Pair {
  const { leader, ours, upstream } = pair;
  const isRead =
    request.code === RequestCode.GetReplicaInfo || request.code === RequestCode.GetSyncStateData;
  const refused = isReply(upstream) && upstream.code === ResponseCode.NotLeader;
  const isAnswered = isReply(ours) && ours.code !== ResponseCode.NotLeader;
  return to !== 'leader' && isRead && refused && isAnswered && leader !== undefined
    ? { ...pair, upstream: leader }
    : pair;
}

/** Digits and blanks of other scripts are neither here. */
function beyondAscii(pair: Pair, { request }: Ask): Pair {
  const { ours } = pair;
  const answer = AS_IF_NO_NUMBER.get(request.code);
  const isBeyond = Object.values(request.extFields ?? {}).some((value) =>
    /^[\p{Nd}\p{Zs}]+$/u.test(String(value).replace(/[ -~]/g, '')),
  );
  const isOurs = isReply(ours) && answer?.test(ours.remark ?? '') === true;
  return isBeyond && isOurs ? { ours, upstream: ours } : pair;
}

/** The election took the other one of replicas 2 and 3. */
function withOtherMaster(upstream: Reply): Reply {
  const swapped = (text: string): string =>
    text.replace(/(?<=rokerId":"?|10\.0\.0\.|syncStateSet":\[)[23]\b/g, (id) =>
      id === '2' ? '3' : '2',
    );
  const { body, extFields } = upstream;
  return withAscendingIds({
    ...upstream,
    extFields: JSON.parse(swapped(JSON.stringify(extFields))) as Reply['extFields'],
    body: body === null ? null : swapped(body),
  });
}

/** All that used the lost connection, hence all that are not in step, are dead. */
function withLostSlaves(upstream: Reply): Reply {
  const lost = (name: string, value: unknown): unknown =>
    name === 'notInSyncReplicas'
      ? (value as readonly object[]).map((replica) => ({ ...replica, alive: false }))
      : value;
  return { ...upstream, body: JSON.stringify(JSON.parse(upstream.body ?? 'null', lost)) };
}
