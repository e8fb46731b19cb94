/**
 * Upstream's brokers and clients on our controllers. Without a JDK or the peers there is one skipped
 * test that says so. Each scenario runs once, on one build; with `REAL_BROKERS=others` on the other one.
 */
import { test } from 'node:test';
import { findPeers, type Peers, PeersError } from '../target/peers.js';
import { Lab } from './lab.js';
import { scenarios } from './scenarios.js';

const TIMEOUT_MS = 900_000;
const builds = ['baseline', 'optimized'];
const shift = process.env['REAL_BROKERS'] === 'others' ? 1 : 0;

const peers = peersOrWhyNot();
if (typeof peers === 'string') {
  test('real brokers', (context) => context.skip(peers));
} else {
  for (const [at, scenario] of scenarios.entries()) {
    const build = builds[(at + shift) % builds.length] as string;
    test(`${build}: ${scenario.shows}`, { timeout: TIMEOUT_MS }, async (context) => {
      const { byName = false } = scenario;
      const tell = (line: string): void => context.diagnostic(line);
      const lab = await Lab.open({ build, peers, byName, tell });
      try {
        await scenario.run(lab);
      } finally {
        await lab.close();
      }
    });
  }
}

function peersOrWhyNot(): Peers | string {
  try {
    return findPeers('5.4.0');
  } catch (error) {
    if (error instanceof PeersError) return error.message;
    throw error;
  }
}
