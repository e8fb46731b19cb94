/**
 * What a trial in a worker needs of the world around it; tests hand in a virtual clock and no sockets.
 */
import type { Clock } from '../lib/clock.js';
import { runBringUpTrial } from './bring-up-trial.js';
import type { Connect } from './links.js';
import { runLoadTrial } from './load-trial.js';
import { runMassFailoverTrial } from './mass-failover-trial.js';
import type { FromWorker, MeteredPhase, TrialSpec, WorkerResult } from './messages.js';
import type { Stop } from './stop.js';

export interface Usage {
  readonly eventLoopUtilization: number;
  readonly cpuShare: number | null;
}

export interface TrialContext {
  readonly clock: Clock;
  readonly connect: Connect;
  readonly stop: Stop;
  post(message: FromWorker): void;
  /**
   * Tells the main thread that this worker is ready for a phase.
   *
   * @returns when the phase begins for all workers, on this worker's clock; now, when told to stop.
   */
  ready(phase: MeteredPhase): Promise<number>;
  /** Begins to watch what this thread uses; the returned function says how much it was. */
  usage(): () => Usage;
}

export function runTrial(spec: TrialSpec, context: TrialContext): Promise<WorkerResult> {
  const { workload } = spec;
  switch (workload.kind) {
    case 'bring-up':
      return runBringUpTrial(spec, workload, context);
    case 'mass-failover':
      return runMassFailoverTrial(spec, workload, context);
    case 'load':
      return runLoadTrial(spec, workload, context);
  }
}
