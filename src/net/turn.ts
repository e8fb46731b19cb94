/**
 * Decides when gathered output leaves: once per event-loop turn for all connections together; and when
 * a turn has read enough, so that timers and members are not kept waiting by thousands of clients.
 *
 * Output made while sockets are being read (libuv's poll phase) waits for the check phase, so that
 * everything the turn produces for one connection goes into one write. Output made later in the
 * turn (a group commit runs in the check phase, a timer before the next poll) leaves when the
 * callback that made it returns, because waiting would mean waiting for another poll.
 *
 * Node does not tell its phase, so everyone who reads sockets calls `pollPhaseStarted`.
 *
 * Simulated runs have no phases: each event is a turn, and output leaves when it ends.
 */

export interface Flushable {
  /** Writes out what is gathered. Called once per `flushThisTurn`; must not throw. */
  flush(): void;
}

/** Has bytes that it may take in a turn with time left. */
export interface Reader {
  /** Called once per `readInTime`; must not throw. */
  read(): void;
}

/** What a turn may spend on clients, in milliseconds: a fast heartbeat's period is several times that. */
export const TURN_MS_MAX = 20;

let phase: 'poll' | 'check' = 'check';
let hasPhases = true;
let flushScheduled = false;
let waiting: Flushable[] = [];
let turnBeganMs = 0;
/** Each once, in the order in which they came: no more than there are connections. */
const readers = new Set<Reader>();

/** Have output leave at the end of each callback. For the rest of this thread's life. */
export function withoutPhases(): void {
  hasPhases = false;
}

/** Call first in every handler of socket data. */
export function pollPhaseStarted(): void {
  if (phase === 'poll' || !hasPhases) return;
  phase = 'poll';
  turnBeganMs = performance.now();
  setImmediate(checkPhaseStarted);
}

/** Whether this turn has read for so long that the rest should wait for the next. */
export function turnIsSpent(): boolean {
  return hasPhases && performance.now() - turnBeganMs > TURN_MS_MAX;
}

/** Have `reader` read in a later turn, after those that wait already. */
export function readInTime(reader: Reader): void {
  if (readers.size === 0) setImmediate(readWaiting);
  readers.add(reader);
}

/** Have `output` flushed before the event loop waits again. Call once per gathering, not per frame. */
export function flushThisTurn(output: Flushable): void {
  waiting.push(output);
  if (phase === 'poll' || flushScheduled) return;
  flushScheduled = true;
  process.nextTick(flushWaiting);
}

function checkPhaseStarted(): void {
  phase = 'check';
  if (waiting.length > 0) flushWaiting();
}

function flushWaiting(): void {
  flushScheduled = false;
  const outputs = waiting;
  waiting = [];
  for (const output of outputs) output.flush();
}

function readWaiting(): void {
  turnBeganMs = performance.now();
  for (const reader of readers) {
    readers.delete(reader);
    reader.read();
    if (turnIsSpent()) break;
  }
  if (readers.size > 0) setImmediate(readWaiting);
}
