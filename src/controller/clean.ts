/**
 * 1011: an operator removes replicas, or a whole broker set, from the books.
 *
 * Upstream's traps are kept, because operators' scripts meet them (see docs/compatibility.md): with
 * `isCleanLivingBroker` the ids are ignored and the whole set goes; a list of nothing but
 * semicolons names nobody, passes every check, and the whole set goes as well.
 *
 * @source rocketmq ReplicasInfoManager.cleanBrokerData (5.x, 8fc57f1)
 */
import { ResponseCode } from '../lib/codes.js';
import type { CleanBrokerData } from './command.js';
import { type Decision, logged, onlyReply } from './decision.js';
import type { LivenessView } from './liveness.js';
import { nullPointer, refusal, success } from './reply.js';
import { ascending, isKnown, type StateView } from './state.js';

export function decideCleanBrokerData(
  state: StateView,
  command: CleanBrokerData,
  liveness: LivenessView,
): Decision {
  const { clusterName, brokerName, isCleanLivingBroker } = command;
  if (brokerName === null) return onlyReply(nullPointer);
  const set = state.brokerSets.get(brokerName);
  const idsText = command.brokerControllerIdsToClean ?? '';
  let brokerIds: readonly number[] = [];
  if (!isCleanLivingBroker && isBlank(idsText)) {
    // A half-known set with a master counts as alive, too.
    if ((set?.sync?.masterBrokerId ?? null) !== null) {
      return refuse(`Broker ${brokerName} is still alive, clean up failure`);
    }
  } else if (!isCleanLivingBroker) {
    const parsed = parseIds(idsText);
    if (!parsed.ok) {
      return refuse(
        'Please set the option <brokerControllerIdsToClean> according to the format, exception: ' +
          `java.lang.NumberFormatException: For input string: "${parsed.bad}"`,
      );
    }
    brokerIds = parsed.ids;
    for (const id of brokerIds) {
      if (liveness.isAlive(clusterName, brokerName, id)) {
        return refuse(`Broker [${brokerName},  ${id}] is still alive, clean up failure`);
      }
    }
  }
  if (!isKnown(set)) {
    return refuse(`Broker ${brokerName} is not existed,clean broker data failure.`);
  }
  return logged(success(null, null), { kind: 'broker-data-cleaned', brokerName, brokerIds });
}

function refuse(remark: string): Decision {
  return onlyReply(refusal(ResponseCode.InvalidCleanBrokerMetadata, remark));
}

type ParsedIds =
  | { readonly ok: true; readonly ids: readonly number[] }
  | { readonly ok: false; readonly bad: string };

/** Java's split: empty parts at the end do not count, those before do (and are no numbers). */
function parseIds(text: string): ParsedIds {
  const parts = text.split(';');
  while (parts.at(-1) === '') parts.pop();
  const ids = new Set<number>();
  for (const part of parts) {
    const id = /^[+-]?[0-9]+$/.test(part) ? Number(part) : Number.NaN;
    if (!Number.isSafeInteger(id)) return { ok: false, bad: part };
    ids.add(id);
  }
  return { ok: true, ids: ascending(ids) };
}

/** White space beyond ASCII is left to fail as a number: refusing is the safe side. */
function isBlank(text: string): boolean {
  return /^[\t\n\v\f\r ]*$/.test(text);
}
