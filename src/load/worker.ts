/**
 * The load worker: a thread's entry. One task is one worker's part of one trial.
 */
import { readFileSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { connect, tlsRuntime } from '../client/connection.js';
import { systemClock } from '../lib/clock.js';
import type { FromWorker, ToWorker, TrialSpec, WorkerOutcome } from './messages.js';
import { Stop } from './stop.js';
import { runTrial, type TrialContext, type Usage } from './trial.js';

export default async function work({
  spec,
  port,
}: {
  readonly spec: TrialSpec;
  readonly port: MessagePort;
}): Promise<WorkerOutcome> {
  const stop = new Stop(systemClock);
  let go: (atWallMs: number) => void = () => {};
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'stop') stop.request();
    else go(message.atWallMs);
  });
  const post = (message: FromWorker): void => port.postMessage(message);
  const context: TrialContext = {
    clock: systemClock,
    connect: connectBy(spec.tls),
    stop,
    post,
    ready(phase) {
      return new Promise((resolve) => {
        go = (atWallMs) => resolve(performance.now() + (atWallMs - Date.now()));
        stop.whenRequested(() => resolve(performance.now()));
        post({ kind: 'ready', phase });
      });
    },
    usage: watchUsage,
  };
  try {
    return { kind: 'done', result: await runTrial(spec, context) };
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  } finally {
    port.close();
  }
}

function connectBy(tls: TrialSpec['tls']): TrialContext['connect'] {
  if (tls === undefined) return connect;
  // Between threads a Buffer becomes a bare Uint8Array, which node:tls takes all the same.
  const runtime = tlsRuntime(tls);
  return (address, options) => connect(address, { ...options, runtime });
}

function watchUsage(): () => Usage {
  const loopBefore = performance.eventLoopUtilization();
  const cpuBeforeMs = threadCpuMs();
  const startMs = performance.now();
  return () => {
    const cpuMs = threadCpuMs();
    const tookMs = performance.now() - startMs;
    const known = cpuBeforeMs !== null && cpuMs !== null && tookMs > 0;
    return {
      eventLoopUtilization: performance.eventLoopUtilization(loopBefore).utilization,
      cpuShare: known ? (cpuMs - cpuBeforeMs) / tookMs : null,
    };
  };
}

/**
 * This thread's time on a processor, where Linux tells it; null elsewhere.
 *
 * @source Linux Documentation/scheduler/sched-stats: the first figure of schedstat, in nanoseconds
 */
function threadCpuMs(): number | null {
  try {
    const [onCpuNs] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
    return Number(onCpuNs) / 1e6;
  } catch {
    return null;
  }
}
