/**
 * Runs seeds on as many threads as asked for, in order, until there are no more or one is told to stop.
 */
import { Worker } from 'node:worker_threads';
import type { RunResult } from '../sim/run.js';
import type { SimOverrides } from '../sim/swarm.js';

export interface Verdict
  extends Pick<
    RunResult,
    'seed' | 'violation' | 'traceHash' | 'simulatedMs' | 'events' | 'operations' | 'decided'
  > {
  readonly build: string;
  readonly subject: string;
  readonly coverage: readonly (readonly [string, number])[];
}

export interface PoolOptions {
  readonly jobs: number;
  readonly overrides: SimOverrides;
  /** The next seed; null when there is none. */
  readonly next: () => number | null;
  readonly onVerdict: (verdict: Verdict) => void;
}

/** Rejects when a thread ends by itself: a run must end with a verdict, whatever it meets. */
export async function runSeeds({ jobs, next, onVerdict, overrides }: PoolOptions): Promise<void> {
  const workers = Array.from({ length: jobs }, () => {
    const worker = new Worker(new URL('./sim-worker.js', import.meta.url), {
      workerData: overrides,
    });
    return { worker, done: work(worker) };
  });
  try {
    await Promise.all(workers.map(({ done }) => done));
  } finally {
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
  }

  function work(worker: Worker): Promise<void> {
    return new Promise((resolve, reject) => {
      const ask = (): void => {
        const seed = next();
        if (seed === null) resolve();
        else worker.postMessage(seed);
      };
      worker.on('message', (verdict: Verdict) => {
        onVerdict(verdict);
        ask();
      });
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`a simulation thread ended with ${code}`)));
      ask();
    });
  }
}
