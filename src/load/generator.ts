/**
 * Runs one trial's load: a task for each worker thread, started together, merged at the end.
 *
 * Only intervals, progress and results cross between threads, never a single request.
 */
import { cpus } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { decode, mergeHistograms } from '../measure/histogram.js';
import type { Interval } from '../measure/results.js';
import type { ClientTls } from '../net/tls.js';
import type { WorkloadPoint } from '../workload/points.js';
import { type LoadResult, mergeIntervals, mergeResults } from './merge.js';
import type {
  FromWorker,
  IntervalMessage,
  MeteredPhase,
  Phase,
  ToWorker,
  TrialSpec,
  WorkerOutcome,
  WorkerResult,
} from './messages.js';
import { readLimits, socketNeeds, sourceAddresses } from './resources.js';

export type { LoadResult } from './merge.js';

export class LoadError extends Error {
  override readonly name = 'LoadError';
  readonly code = 'LOAD_FAILED';
}

export interface LoadOptions {
  readonly workload: WorkloadPoint;
  /** `host:port` of every member. */
  readonly members: readonly string[];
  /** How members are dialled; undefined: plainly. */
  readonly tls?: ClientTls | undefined;
  /** A workload of few sets or places uses fewer threads than there are. */
  readonly pool: LoadPool;
  readonly seed: number;
  /** Ends the trial early; what was measured is kept and marked partial. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** When the measured window starts, a few milliseconds ahead: to sample processes, to plan faults. */
  readonly onMeasureStart?: ((startEpochMs: number) => void) | undefined;
}

export interface LoadProgress {
  /** `connect`, `prepare`, `warm-up` or `measure`; a word for people. */
  readonly phase: string;
  /** Over the last interval, as everything here; 0 where nothing is sent yet. */
  readonly askedPerSecond: number;
  readonly achievedPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Rejected and failed. */
  readonly errors: number;
}

/** One core is left for the controllers. */
export const DEFAULT_THREADS = Math.max(1, cpus().length - 1);

/**
 * Worker threads for the trials of one run, each busy with one task at a time. Kept from trial to
 * trial: a thread that has to compile its code anew sends late for the first second.
 */
export class LoadPool {
  readonly threads: number;
  readonly #pool: Piscina<Task, WorkerOutcome>;

  /** @param threads default: one less than there are cores. */
  constructor(threads = DEFAULT_THREADS) {
    this.threads = threads;
    this.#pool = new Piscina<Task, WorkerOutcome>({
      filename: workerFile,
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: 1,
      // A worker that waits for its next task must not block its own event loop.
      atomics: 'disabled',
    });
  }

  run(task: Task, signal: AbortSignal): Promise<WorkerOutcome> {
    return this.#pool.run(task, { transferList: [task.port], signal });
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

interface Task {
  readonly spec: TrialSpec;
  readonly port: MessagePort;
}

/** Between the word to start and the start, so that every worker hears it in time. */
const START_AHEAD_MS = 20;
const CONTROL_TIMER_MS = 1;
/** A worker that was told to stop and does not come back in this time is ended. */
const STOP_GRACE_MS = 5_000;
const workerFile = new URL('./worker.js', import.meta.url).href;

/**
 * Makes the load of one trial and says what came of it.
 *
 * @throws {LoadError} when a worker could not do its part: no leader found, sets that would not get
 *   ready, or stopped before anything was measured.
 */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { workload, members, seed, signal } = options;
  const { pool, tls } = options;
  const workers = workerCount(workload, pool.threads);
  const sources = sourceAddresses(socketNeeds(workload, members.length, workers), readLimits());
  const kill = new AbortController();
  const crew = new Crew(options, workers);
  let grace: NodeJS.Timeout | undefined;
  const stop = (): void => {
    crew.tellAll({ kind: 'stop' });
    grace ??= setTimeout(() => kill.abort(), STOP_GRACE_MS);
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const tasks = Array.from({ length: workers }, async (_, worker) => {
      const { port1, port2 } = new MessageChannel();
      const heard = crew.join(port1);
      const setPrefix = prefixFor(workload, seed);
      const spec: TrialSpec = { workload, members, setPrefix, worker, workers, seed, sources, tls };
      const outcome = await pool.run({ spec, port: port2 }, kill.signal);
      // The others wait for this one at the next phase: none can start without it.
      if (outcome.kind === 'failed') stop();
      await heard;
      return outcome;
    });
    if (signal?.aborted === true) stop();
    const outcomes = await Promise.all(tasks).catch((cause: unknown) => {
      throw new LoadError(`a load worker was lost: ${String(cause)}`, { cause });
    });
    const results: WorkerResult[] = [];
    for (const outcome of outcomes) {
      if (outcome.kind === 'failed') throw new LoadError(outcome.message);
      results.push(outcome.result);
    }
    if (results.every(({ measuredMs }) => measuredMs === 0)) {
      throw new LoadError('stopped before anything was measured');
    }
    crew.finish();
    const merged = mergeResults(workload, results, crew.controlLatenessP99Us);
    return { ...merged, intervals: crew.intervals };
  } finally {
    clearTimeout(grace);
    signal?.removeEventListener('abort', stop);
    crew.dismiss();
  }
}

/** No worker without a set, and none without a place in the window. */
function workerCount(workload: WorkloadPoint, threads: number): number {
  const closed = workload.kind === 'load' && workload.load.mode === 'closed';
  const places =
    closed && 'outstanding' in workload.load ? workload.load.outstanding : Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(threads, workload.sets, places));
}

/**
 * Prepared sets are shared by the trials on one cluster; sets of another size are other sets. A
 * bring-up wants sets that no controller has seen.
 */
function prefixFor(workload: WorkloadPoint, seed: number): string {
  if (workload.kind === 'load') return `r${workload.replicas}-`;
  return `b${seed.toString(36)}-${Date.now().toString(36)}-`;
}

/** The main thread's side of the workers of one trial. */
class Crew {
  readonly #options: LoadOptions;
  readonly #size: number;
  readonly #ports: MessagePort[] = [];
  /** Intervals that not every worker has ended yet, by phase and start. */
  readonly #open = new Map<string, IntervalMessage[]>();
  #phase: Phase | '' = '';
  #ready = 0;
  /** The main thread has little else to do meanwhile: its timers show what the machine is good for. */
  readonly #control = monitorEventLoopDelay({ resolution: CONTROL_TIMER_MS });
  /** Of the measured window, merged, in order. */
  readonly intervals: Interval[] = [];

  constructor(options: LoadOptions, size: number) {
    this.#options = options;
    this.#size = size;
  }

  /** @returns settled when the worker has closed its end and everything it said was heard. */
  join(port: MessagePort): Promise<void> {
    this.#ports.push(port);
    port.on('message', (message: FromWorker) => this.#hear(message));
    return new Promise((resolve) => {
      port.once('close', resolve);
    });
  }

  /** Ends intervals that some worker did not reach, because it was ready earlier. */
  finish(): void {
    for (const parts of [...this.#open.values()]) this.#end(parts);
    this.#open.clear();
    this.intervals.sort((a, b) => a.startMs - b.startMs);
  }

  tellAll(message: ToWorker): void {
    for (const port of this.#ports) port.postMessage(message);
  }

  /** How late the control's timers fired in the measured window; 0 before it. */
  get controlLatenessP99Us(): number {
    this.#control.disable();
    if (this.#control.count === 0) return 0;
    return Math.max(0, this.#control.percentile(99) / 1_000 - CONTROL_TIMER_MS * 1_000);
  }

  dismiss(): void {
    this.#control.disable();
    for (const port of this.#ports) port.close();
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case 'phase':
        this.#enter(message.phase);
        break;
      case 'ready':
        this.#ready += 1;
        if (this.#ready === this.#size) this.#start(message.phase);
        break;
      case 'interval':
        this.#collect(message);
        break;
    }
  }

  #start(phase: MeteredPhase): void {
    this.#ready = 0;
    const atWallMs = Date.now() + START_AHEAD_MS;
    this.tellAll({ kind: 'go', atWallMs });
    this.#enter(phase);
    if (phase === 'measure') {
      this.#control.enable();
      this.#options.onMeasureStart?.(atWallMs);
    }
  }

  #enter(phase: Phase): void {
    // Workers prepare at their own pace; the phase of the trial is the furthest of them.
    if (phases.indexOf(phase) <= phases.indexOf(this.#phase)) return;
    this.#phase = phase;
    this.#options.onProgress?.({ ...nothingYet, phase });
  }

  #collect(message: IntervalMessage): void {
    const key = `${message.phase} ${message.interval.startMs}`;
    const parts = this.#open.get(key) ?? [];
    parts.push(message);
    if (parts.length < this.#size) {
      this.#open.set(key, parts);
      return;
    }
    this.#open.delete(key);
    this.#end(parts);
  }

  #end(parts: readonly IntervalMessage[]): void {
    const [first] = parts;
    if (first === undefined) return;
    const interval = mergeIntervals(parts.map((part) => part.interval));
    if (first.phase === 'measure') this.intervals.push(interval);
    const { onProgress } = this.#options;
    if (onProgress === undefined) return;
    const { operations, lengthMs } = interval;
    const perSecond = (count: number): number => (count * 1_000) / Math.max(1, lengthMs);
    const times = decode(mergeHistograms(operations.map((operation) => operation.responseTime)));
    onProgress({
      phase: first.phase,
      askedPerSecond: perSecond(parts.reduce((sum, part) => sum + part.asked, 0)),
      achievedPerSecond: perSecond(operations.reduce((sum, { ok }) => sum + ok, 0)),
      p50Us: times.percentileUs(50),
      p99Us: times.percentileUs(99),
      errors: operations.reduce((sum, { notOk }) => sum + notOk, 0),
    });
  }
}

const phases: readonly (Phase | '')[] = ['', 'connect', 'prepare', 'warm-up', 'measure'];
const nothingYet = { askedPerSecond: 0, achievedPerSecond: 0, p50Us: 0, p99Us: 0, errors: 0 };
