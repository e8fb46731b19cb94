/**
 * What one load worker saw: outcomes counted and times recorded, per operation.
 *
 * Two histogram records per answered request: its response time goes into the running interval,
 * and from there into the whole when the interval ends; its service time into the whole directly.
 * What leaves is plain data with encoded histograms, to be copied to the main thread.
 */
import assert from 'node:assert/strict';
import type { WasmHistogram } from 'hdr-histogram-js';
import { encodeHistogram, HISTOGRAM_US_MAX, mergeHistograms, newHistogram } from './histogram.js';
import type { Interval, Operation } from './results.js';

export { decode, EMPTY_HISTOGRAM, type HistogramReader, mergeHistograms } from './histogram.js';

export type OperationTotals = Pick<
  Operation,
  'name' | 'ok' | 'rejected' | 'failed' | 'responseTime' | 'serviceTime'
>;

export interface RecorderTotals {
  readonly operations: readonly OperationTotals[];
  /** Actual minus intended send. */
  readonly lateness: string;
  /** Values that no clock can have measured (negative, not a number, above 12 days), recorded as the nearest bound. */
  readonly clamped: number;
}

/** Operations, and different outcomes of one, that a recorder tells apart; more is a bug. */
const NAMES_MAX = 256;

class OperationRecord {
  readonly name: string;
  ok = 0;
  intervalOk = 0;
  intervalNotOk = 0;
  readonly rejected = new Map<number, number>();
  readonly failed = new Map<string, number>();
  /** Of the running interval. */
  readonly interval = newHistogram();
  /** Of the intervals before it. */
  readonly response = newHistogram();
  readonly service = newHistogram();

  constructor(name: string) {
    this.name = name;
  }

  endInterval(): void {
    this.ok += this.intervalOk;
    this.intervalOk = 0;
    this.intervalNotOk = 0;
    if (this.interval.totalCount === 0) return;
    this.response.add(this.interval);
    this.interval.reset();
  }

  reset(): void {
    this.endInterval();
    this.ok = 0;
    this.rejected.clear();
    this.failed.clear();
    this.response.reset();
    this.service.reset();
  }

  destroy(): void {
    for (const histogram of [this.interval, this.response, this.service]) histogram.destroy();
  }
}

export class Recorder {
  readonly #operations = new Map<string, OperationRecord>();
  readonly #lateness = newHistogram();
  #clamped = 0;

  /** @param operations that the totals list even if none was recorded; others are added as they come. */
  constructor(operations: readonly string[] = []) {
    for (const name of operations) this.#operation(name);
  }

  /** An answer with success. Both times in microseconds, fractions allowed. */
  recordOk(operation: string, responseUs: number, serviceUs: number): void {
    const record = this.#operation(operation);
    record.intervalOk += 1;
    this.#record(record.interval, responseUs);
    this.#record(record.service, serviceUs);
  }

  /** An answer with another response code. */
  recordRejected(operation: string, code: number): void {
    const record = this.#operation(operation);
    record.intervalNotOk += 1;
    count(record.rejected, code);
  }

  /** No answer; `why` is a client failure's code. */
  recordFailed(operation: string, why: string): void {
    const record = this.#operation(operation);
    record.intervalNotOk += 1;
    count(record.failed, why);
  }

  /** Actual minus intended send, in microseconds. */
  recordLateness(latenessUs: number): void {
    this.#record(this.#lateness, latenessUs);
  }

  /** Ends the running interval, which the caller has timed, and starts the next. */
  takeInterval(startMs: number, lengthMs: number): Interval {
    const operations = [...this.#operations.values()].map((record) => {
      const { name, intervalOk: ok, intervalNotOk: notOk } = record;
      const responseTime = encodeHistogram(record.interval);
      record.endInterval();
      return { name, ok, notOk, responseTime };
    });
    return { startMs, lengthMs, operations: operations.filter(({ ok, notOk }) => ok + notOk > 0) };
  }

  /** All since the start or the last `reset`, the running interval included. */
  totals(): RecorderTotals {
    const operations = [...this.#operations.values()].map((record): OperationTotals => {
      const responseTime = mergeHistograms([
        encodeHistogram(record.response),
        encodeHistogram(record.interval),
      ]);
      return {
        name: record.name,
        ok: record.ok + record.intervalOk,
        rejected: Object.fromEntries(record.rejected),
        failed: Object.fromEntries(record.failed),
        responseTime,
        serviceTime: encodeHistogram(record.service),
      };
    });
    return { operations, lateness: encodeHistogram(this.#lateness), clamped: this.#clamped };
  }

  /** Forgets everything: called when the warm-up is over and drained. */
  reset(): void {
    for (const record of this.#operations.values()) record.reset();
    this.#lateness.reset();
    this.#clamped = 0;
  }

  /** Frees the histograms, which live outside the heap. The recorder is not to be used after it. */
  destroy(): void {
    for (const record of this.#operations.values()) record.destroy();
    this.#operations.clear();
    this.#lateness.destroy();
  }

  #operation(name: string): OperationRecord {
    let record = this.#operations.get(name);
    if (record === undefined) {
      assert(this.#operations.size < NAMES_MAX, `more than ${NAMES_MAX} operations`);
      record = new OperationRecord(name);
      this.#operations.set(name, record);
    }
    return record;
  }

  #record(histogram: WasmHistogram, valueUs: number): void {
    if (valueUs >= 0 && valueUs <= HISTOGRAM_US_MAX) {
      histogram.recordValue(Math.round(valueUs));
      return;
    }
    this.#clamped += 1;
    histogram.recordValue(valueUs > HISTOGRAM_US_MAX ? HISTOGRAM_US_MAX : 0);
  }
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  assert(counts.size < NAMES_MAX || counts.has(key), `more than ${NAMES_MAX} outcomes`);
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
