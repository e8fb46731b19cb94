/**
 * A read that may be stale is no staler than it says, and than was asked: it shows every write that had been
 * acknowledged so long before the call.
 *
 * Why: a bound that is reported and not kept is worse than none, because somebody relies on it. It breaks
 * when freshness is counted from the wrong moment, or kept over a restart or a snapshot.
 *
 * Only certain violations count. A value is wrong when each write that may have made it was certainly
 * followed by another that had been acknowledged by then, or when nobody had begun to write it yet.
 */
import type { Operation } from '../history.js';
import type { KvInput, KvOutput } from '../kv-client.js';
import { Violation } from './violation.js';

/** Members' clocks run slower than the world's by less than this share. */
const CLOCK_DRIFT_MAX = 0.05;

interface Write {
  readonly value: number | null;
  readonly begunMs: number;
  /** When it was known to be done; Infinity: it may be done at any time. */
  readonly doneMs: number;
}

/** @throws {Violation} */
export function checkStaleReads(operations: readonly Operation[]): void {
  const writes = new Map<string, Write[]>();
  for (const operation of operations) {
    const write = writeOf(operation);
    if (write === null) continue;
    const others = writes.get(operation.partition) ?? [unwritten];
    others.push(write);
    writes.set(operation.partition, others);
  }
  for (const read of operations) {
    if ((read.input as KvInput).kind !== 'stale-get' || read.outcome !== 'ok') continue;
    judge(read, writes.get(read.partition) ?? [unwritten]);
  }
}

const unwritten: Write = {
  value: null,
  begunMs: Number.NEGATIVE_INFINITY,
  doneMs: Number.NEGATIVE_INFINITY,
};

function writeOf({ input, invokedAtMs, outcome, output, returnedAtMs }: Operation): Write | null {
  const { kind, value } = input as KvInput;
  if (kind !== 'put' && kind !== 'delete' && kind !== 'cas') return null;
  const isDone = outcome === 'ok';
  if (outcome === 'rejected' || (isDone && kind === 'cas' && !(output as KvOutput).done))
    return null;
  return {
    value: kind === 'delete' ? null : value,
    begunMs: invokedAtMs,
    doneMs: isDone ? returnedAtMs : Number.POSITIVE_INFINITY,
  };
}

function judge(read: Operation, writes: readonly Write[]): void {
  const { stalenessMs, value } = read.output as KvOutput;
  const { maxStalenessMs } = read.input as KvInput;
  // A state older than was asked is proved fresh first, after the call; its age counts from there.
  const ageMs = Math.min(stalenessMs, maxStalenessMs ?? 0);
  // Members round it up, on clocks that may be slow.
  const freshSinceMs = read.invokedAtMs - ageMs / (1 - CLOCK_DRIFT_MAX) - 1;
  const makers = writes.filter(
    (write) => write.value === value && write.begunMs <= read.returnedAtMs,
  );
  const isGone = (maker: Write): boolean =>
    writes.some(({ begunMs, doneMs }) => begunMs > maker.doneMs && doneMs < freshSinceMs);
  if (!makers.every(isGone)) return;
  throw new Violation(
    'stale-reads',
    `${read.partition}: ${value}, read at ${read.invokedAtMs.toFixed(1)} ms, was no more for longer than ` +
      `${stalenessMs} ms, its age by the answer, or ${maxStalenessMs} ms, which was asked for`,
  );
}
