/**
 * How a command that serves in the foreground is told to stop.
 */
import { ExitCode } from './exit-codes.js';

/**
 * Aborts at the first SIGTERM or SIGINT, with the signal's name as reason, and lets the command end
 * in order. A second signal ends the process at once.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(ExitCode.Interrupted);
    controller.abort(signal);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return controller.signal;
}

/** Resolves when the signal is aborted, perhaps at once. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
