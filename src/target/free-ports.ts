/**
 * Finds ports for a group of processes on this machine.
 */
import { createServer } from 'node:net';
import { TargetError } from './target.js';

/** Below the range that the kernel hands to outgoing connections, which could take a port in between. */
const FIRST = 20_000;
const LAST = 31_900;
const SPAN = 100;

/**
 * The first of a span of 100 ports of which all at `offsets` are free on 127.0.0.1 now.
 *
 * Processes start to look at different spans, so that two benches at once do not race for one.
 *
 * @throws {TargetError} NO_FREE_PORTS
 */
export async function freeBasePort(offsets: readonly number[]): Promise<number> {
  const spans = Math.floor((LAST - FIRST) / SPAN);
  for (let tried = 0; tried < spans; tried += 1) {
    const base = FIRST + ((process.pid + spansHandedOut + tried) % spans) * SPAN;
    const free = await Promise.all(offsets.map((offset) => isFree(base + offset)));
    if (!free.every(Boolean)) continue;
    spansHandedOut += tried + 1;
    return base;
  }
  throw new TargetError('NO_FREE_PORTS', `127.0.0.1:${FIRST}-${LAST}`);
}

/** A span that was handed out a moment ago may not be listened on yet. */
let spansHandedOut = 0;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      probe.close(() => resolve(true));
    });
  });
}
