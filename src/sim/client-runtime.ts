/**
 * The client side of a simulated run: shipped connections over simulated streams and time.
 */
import { RemotingConnection } from '../client/connection.js';
import type { Expirable } from '../client/sweep.js';
import type { ClientRuntime, ConnectionOptions } from '../client/types.js';
import type { SimNetwork } from './network.js';
import type { ProcessClock } from './process-clock.js';

/** How late a deadline may be noticed. */
const SWEEP_MS = 500;

/** What one process dials with. */
export function clientRuntime(
  network: SimNetwork,
  host: string,
  clock: ProcessClock,
): ClientRuntime {
  const watched = new Set<Expirable>();
  let isSweeping = false;
  const sweep = (): void => {
    for (const expirable of [...watched]) expirable.expire(clock.nowMs());
    isSweeping = watched.size > 0;
    if (isSweeping) clock.after(SWEEP_MS, sweep);
  };
  return {
    dial: ({ host: name, port }) => network.dial(host, clock, `${name}:${port}`),
    nowMs: () => clock.nowMs(),
    watch(expirable) {
      watched.add(expirable);
      if (isSweeping) return;
      isSweeping = true;
      clock.after(SWEEP_MS, sweep);
    },
    unwatch: (expirable) => watched.delete(expirable),
  };
}

export const connectWith =
  (runtime: ClientRuntime) =>
  (address: string, options: ConnectionOptions): RemotingConnection =>
    new RemotingConnection(address, { ...options, runtime });
