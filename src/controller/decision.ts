/**
 * What comes of a command: the reply, the events to log first, and whom to tell besides.
 */
import type { ControllerEvent } from './event.js';
import type { Field, Reply } from './reply.js';

/** The 1008 that follows an election, for every member whose heartbeat is alive. */
export interface RoleChange {
  readonly clusterName: string | null;
  readonly brokerName: string;
  /** All registered members, by ascending id; the caller leaves out the dead. */
  readonly members: readonly { readonly brokerId: number; readonly address: string }[];
  readonly fields: readonly Field[];
  /** JSON text. */
  readonly body: string;
}

export interface Decision {
  /** To be sent once `events` are committed and applied; at once where there are none. */
  readonly reply: Reply;
  /** At most one: upstream logs one event per request. A refusal may log one too (2004). */
  readonly events: readonly ControllerEvent[];
  /** Non-null after a successful election only. */
  readonly roleChange: RoleChange | null;
}

const noEvents: readonly ControllerEvent[] = [];

export function onlyReply(reply: Reply): Decision {
  return { reply, events: noEvents, roleChange: null };
}

export function logged(reply: Reply, event: ControllerEvent): Decision {
  return { reply, events: [event], roleChange: null };
}
