/** What passes between the main thread and a load worker during one trial. */
import type { Interval, Operation } from '../measure/results.js';
import type { WorkloadPoint } from '../workload/points.js';

/** The task of one worker for one trial. */
export interface TrialSpec {
  readonly workload: WorkloadPoint;
  readonly members: readonly string[];
  /** Before the number in the name of every broker set. */
  readonly setPrefix: string;
  readonly worker: number;
  readonly workers: number;
  readonly seed: number;
}

export type Phase = 'connect' | 'prepare' | 'warm-up' | 'measure' | 'drain';

export type FromWorker =
  /** Ready for a phase; it begins when the main thread says when. */
  | { readonly kind: 'ready'; readonly phase: 'warm-up' | 'measure' }
  | ProgressMessage
  /** One interval of the measured window, its histograms encoded. */
  | { readonly kind: 'interval'; readonly interval: Interval };

export interface ProgressMessage {
  readonly kind: 'progress';
  readonly phase: Phase;
  /** All figures since the last message of this worker. */
  readonly asked: number;
  readonly ok: number;
  readonly errors: number;
  readonly elapsedMs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly latenessP99Us: number;
}

export type ToWorker =
  | { readonly kind: 'go'; readonly atWallMs: number }
  /** Ends the trial early and keeps what was measured. */
  | { readonly kind: 'stop' };

export type WorkerOperation = Omit<Operation, 'proof'>;

/** What one worker measured. */
export interface WorkerResult {
  readonly measuredMs: number;
  readonly wasStopped: boolean;
  readonly operations: readonly WorkerOperation[];
  /** Encoded. */
  readonly lateness: string;
  readonly asked: number;
  readonly sent: number;
  readonly inFlightAtEnd: number;
  /** Successes that came after the window: in the histograms, not in `ok`. */
  readonly okAfterWindow: number;
  readonly eventLoopUtilization: number;
  /** Time on a processor over the window, in [0, 1]; null where the system does not tell. */
  readonly cpuShare: number | null;
  /** One-way heartbeats in the window. */
  readonly beats: number;
  /** One mark for every millisecond with an acknowledged write; null for loads that do not write. */
  readonly acknowledged: Uint8Array | null;
  readonly setsComplete: number | null;
}

/** A worker that could not do its task says why; errors lose their class between threads. */
export type WorkerOutcome =
  | { readonly kind: 'done'; readonly result: WorkerResult }
  | { readonly kind: 'failed'; readonly message: string };
