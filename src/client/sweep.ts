/**
 * One coarse timer for all deadlines of a thread: 100,000 requests a second must not mean as many
 * timers.
 */

export interface Expirable {
  /** @param nowMs on the clock of the connection's runtime */
  expire(nowMs: number): void;
}

/** How late a deadline may be noticed. */
const SWEEP_MS = 10;

const watched = new Set<Expirable>();
let timer: NodeJS.Timeout | null = null;

/** Have `expire` called every 10 ms until `unwatch`. Does not keep the process alive. */
export function watch(expirable: Expirable): void {
  watched.add(expirable);
  // In the check phase, because a reply that has already arrived is not late: it is read first.
  timer ??= setInterval(() => setImmediate(sweep), SWEEP_MS).unref();
}

export function unwatch(expirable: Expirable): void {
  watched.delete(expirable);
  if (watched.size > 0 || timer === null) return;
  clearInterval(timer);
  timer = null;
}

function sweep(): void {
  const nowMs = performance.now();
  for (const expirable of watched) expirable.expire(nowMs);
}
