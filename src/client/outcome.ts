/**
 * What an answer, or the lack of one, lets us believe about a request.
 *
 * - `ok`: it was done.
 * - `rejected`: it was decided against, or never reached anyone. It has no effect to come.
 * - `indefinite`: a write that may take effect yet; a history keeps it open (Jepsen's `:info`).
 *
 * A read that fails has no effect to wait for, so it is never indefinite.
 *
 * @source controller semantics: code 1 covers exceptions, lost leadership and the 5 s limit, all of
 *   which may come after the append; 2, 3 and 2007 are always answered before it.
 */
import { ResponseCode } from '../lib/codes.js';
import type { RemotingCommand } from '../remoting/command.js';
import { type ClientFailureCode, clientFailures } from './errors.js';

export type Outcome =
  | { readonly kind: 'ok' }
  | { readonly kind: 'rejected'; readonly why: ClientFailureCode | number }
  | { readonly kind: 'indefinite'; readonly why: ClientFailureCode | number };

/** JRaft mode's "apply failed": not in our own vocabulary, but the Java controllers are measured too. */
const JRAFT_INTERNAL_ERROR = 2015;

/** Takes what `Done` was given. */
export function outcomeOf(
  access: 'read' | 'write',
  failure: ClientFailureCode | null,
  reply: RemotingCommand | null,
): Outcome {
  if (failure === null && reply?.code === ResponseCode.Success) return { kind: 'ok' };
  const why = failure ?? reply?.code ?? ResponseCode.SystemError;
  const isDefinite =
    typeof why === 'number' ? !indefiniteCodes.has(why) : clientFailures[why].definite;
  return { kind: access === 'read' || isDefinite ? 'rejected' : 'indefinite', why };
}

const indefiniteCodes: ReadonlySet<number> = new Set([
  ResponseCode.SystemError,
  JRAFT_INTERNAL_ERROR,
]);
