/** What passes between the main thread and a load worker during one trial. */
import type { RecorderTotals } from '../measure/recorder.js';
import type { Interval } from '../measure/results.js';
import type { ClientTls } from '../net/tls.js';
import type { WorkloadPoint } from '../workload/points.js';
import type { ElectionResult } from './elections.js';

/** The task of one worker for one trial. */
export interface TrialSpec {
  readonly workload: WorkloadPoint;
  readonly members: readonly string[];
  /** Before the number in the name of every broker set. */
  readonly setPrefix: string;
  readonly worker: number;
  readonly workers: number;
  readonly seed: number;
  /** Local addresses that connections are dialled from in turn; none: the system chooses. */
  readonly sources: readonly string[];
  /** How members are dialled; undefined: plainly. */
  readonly tls?: ClientTls | undefined;
}

/** Phases in which requests are counted. */
export type MeteredPhase = 'warm-up' | 'measure';
export type Phase = 'connect' | 'prepare' | MeteredPhase;

export type FromWorker =
  | { readonly kind: 'phase'; readonly phase: Phase }
  /** Ready for a phase; it begins when the main thread says when. */
  | { readonly kind: 'ready'; readonly phase: MeteredPhase }
  | IntervalMessage;

/** What happened since the last such message, histograms encoded. */
export interface IntervalMessage {
  readonly kind: 'interval';
  readonly phase: MeteredPhase;
  /** Requests that were due. */
  readonly asked: number;
  readonly interval: Interval;
}

export type ToWorker =
  /** The phase that all are ready for begins at this time of the wall clock. */
  | { readonly kind: 'go'; readonly atWallMs: number }
  /** Ends the trial early and keeps what was measured. */
  | { readonly kind: 'stop' };

/** What one worker measured. */
export interface WorkerResult {
  readonly measuredMs: number;
  readonly wasStopped: boolean;
  readonly totals: RecorderTotals;
  readonly asked: number;
  readonly sent: number;
  readonly inFlightAtEnd: number;
  /** Successes that came after the window, by operation: in the histograms, not among those in time. */
  readonly okAfterWindow: Readonly<Record<string, number>>;
  readonly eventLoopUtilization: number;
  /** Time on a processor over the window, in [0, 1]; null where the system does not tell. */
  readonly cpuShare: number | null;
  /** One-way heartbeats in the window. */
  readonly beats: number;
  /** One mark for every millisecond with an acknowledged write; null for loads that do not write. */
  readonly acknowledged: Uint8Array | null;
  readonly setsComplete: number | null;
  /** Null for loads that lose no masters. */
  readonly elections: ElectionResult | null;
}

/** A worker that could not do its task says why; errors lose their class between threads. */
export type WorkerOutcome =
  | { readonly kind: 'done'; readonly result: WorkerResult }
  | { readonly kind: 'failed'; readonly message: string };
