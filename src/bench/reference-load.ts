/**
 * The load on a reference store: a fixed number of writes or proved reads outstanding, and nothing
 * else. Its result has the shape of every other trial's, so that it stands in the same report.
 *
 * One thread is enough to look at: it is the bench's own, so its processor time counts against the
 * trial as a worker's does.
 */
import { setTimeout as after } from 'node:timers/promises';
import { ClientError } from '../client/errors.js';
import { ResponseCode } from '../lib/codes.js';
import type { LoadOptions } from '../load/generator.js';
import { type LoadResult, mergeResults } from '../load/merge.js';
import { decode, mergeHistograms } from '../measure/histogram.js';
import { Recorder } from '../measure/recorder.js';
import type { Interval } from '../measure/results.js';
import type { ReferenceClient, ReferenceName } from '../target/reference.js';
import { connectReference } from '../target/start-reference.js';
import type { LoadPoint, WorkloadPoint } from '../workload/points.js';

const US_PER_MS = 1_000;
/** A place whose request got no answer waits as long before its next one. */
const RETRY_MS = 25;

export interface ReferenceLoadOptions
  extends Pick<LoadOptions, 'members' | 'signal' | 'onProgress' | 'onMeasureStart'> {
  readonly store: ReferenceName;
  readonly workload: WorkloadPoint;
}

/** @throws {ClientError} when the store cannot be reached or prepared. */
export async function runReferenceLoad(options: ReferenceLoadOptions): Promise<LoadResult> {
  const { workload } = options;
  if (workload.kind !== 'load' || workload.load.mode !== 'closed') {
    throw new Error(`a reference store does not meet ${workload.name}`);
  }
  const progress = (phase: string): void => options.onProgress?.({ ...nothingYet, phase });
  progress('connect');
  const client = await connectReference(options.store, options.members);
  try {
    progress('prepare');
    await client.prepare(workload.sets);
    const load = new ClosedLoad(client, workload, options);
    if (workload.warmUpMs > 0) await load.run('warm-up', workload.warmUpMs);
    options.onMeasureStart?.(Date.now());
    return await load.run('measure', workload.durationMs);
  } finally {
    await client.close();
  }
}

const nothingYet = { askedPerSecond: 0, achievedPerSecond: 0, p50Us: 0, p99Us: 0, errors: 0 };

class ClosedLoad {
  readonly #client: ReferenceClient;
  readonly #workload: LoadPoint;
  readonly #options: ReferenceLoadOptions;
  readonly #outstanding: number;
  readonly #isWrite: boolean;
  /** As the controllers' trials call it: the operation that this one stands for. */
  readonly #operation: string;

  constructor(client: ReferenceClient, workload: LoadPoint, options: ReferenceLoadOptions) {
    const { load } = workload;
    this.#client = client;
    this.#workload = workload;
    this.#options = options;
    this.#outstanding = load.mode === 'closed' ? load.outstanding : 1;
    this.#isWrite = load.mode === 'closed' && load.mix.alterSyncStateSet !== undefined;
    this.#operation = this.#isWrite ? 'alterSyncStateSet' : 'getReplicaInfo';
  }

  /** One window, and until everything in flight is answered. */
  async run(phase: string, lengthMs: number): Promise<LoadResult> {
    const recorder = new Recorder([this.#operation]);
    const intervals: Interval[] = [];
    const signal = this.#options.signal;
    const startMs = performance.now();
    const endMs = startMs + lengthMs;
    let takenMs = startMs;
    let sent = 0;
    let late = 0;
    const isOpen = (): boolean => performance.now() < endMs && signal?.aborted !== true;

    const take = (): void => {
      const nowMs = performance.now();
      const interval = recorder.takeInterval(Math.round(takenMs - startMs), nowMs - takenMs);
      takenMs = nowMs;
      intervals.push(interval);
      this.#tell(phase, interval);
    };
    const ask = async (set: number): Promise<void> => {
      const sentMs = performance.now();
      sent += 1;
      try {
        const answer = await (this.#isWrite ? this.#client.write(set) : this.#client.read(set));
        const nowMs = performance.now();
        if (answer === 'fenced') {
          recorder.recordRejected(this.#operation, ResponseCode.FencedSyncStateSetEpoch);
          await this.#client.read(set);
          return;
        }
        if (nowMs >= endMs) late += 1;
        recorder.recordOk(
          this.#operation,
          (nowMs - sentMs) * US_PER_MS,
          (nowMs - sentMs) * US_PER_MS,
        );
      } catch (error) {
        recorder.recordFailed(
          this.#operation,
          error instanceof ClientError ? error.code : 'REFUSED_BY_STORE',
        );
        await after(RETRY_MS);
      }
    };
    /** The sets of one place are its own, so that a set has one request in flight at most. */
    const place = async (first: number): Promise<void> => {
      let set = first;
      while (isOpen()) {
        await ask(set);
        set += this.#outstanding;
        if (set >= this.#workload.sets) set = first;
      }
    };

    const usage = watchUsage();
    const timer = setInterval(take, this.#workload.intervalMs);
    try {
      const places = Array.from({ length: this.#outstanding }, (_, index) =>
        place(index % this.#workload.sets),
      );
      await after(lengthMs, undefined, { signal }).catch(() => {});
      clearInterval(timer);
      const used = usage();
      const measuredMs = performance.now() - startMs;
      take();
      await Promise.all(places);
      const result = mergeResults(
        this.#workload,
        [
          {
            ...used,
            measuredMs,
            wasStopped: signal?.aborted === true,
            totals: recorder.totals(),
            asked: sent,
            sent,
            inFlightAtEnd: 0,
            okAfterWindow: { [this.#operation]: late },
            beats: 0,
            acknowledged: null,
            setsComplete: null,
            elections: null,
          },
        ],
        0,
      );
      return { ...result, intervals };
    } finally {
      clearInterval(timer);
      recorder.destroy();
    }
  }

  #tell(phase: string, { operations, lengthMs }: Interval): void {
    const times = decode(mergeHistograms(operations.map(({ responseTime }) => responseTime)));
    const perSecond = (count: number): number => (count * 1_000) / Math.max(1, lengthMs);
    const ok = operations.reduce((sum, operation) => sum + operation.ok, 0);
    const errors = operations.reduce((sum, { notOk }) => sum + notOk, 0);
    this.#options.onProgress?.({
      phase,
      askedPerSecond: perSecond(ok + errors),
      achievedPerSecond: perSecond(ok),
      p50Us: times.percentileUs(50),
      p99Us: times.percentileUs(99),
      errors,
    });
  }
}

/** What this process used of one processor: its load workers wait meanwhile. */
function watchUsage(): () => { eventLoopUtilization: number; cpuShare: number } {
  const loop = performance.eventLoopUtilization();
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    const tookMs = Math.max(1, performance.now() - startMs);
    return {
      eventLoopUtilization: performance.eventLoopUtilization(loop).utilization,
      cpuShare: Math.min(1, (user + system) / US_PER_MS / tookMs),
    };
  };
}
