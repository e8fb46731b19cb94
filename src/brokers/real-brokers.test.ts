/**
 * Upstream's brokers and clients on our controllers. Without a JDK or the peers there is one skipped
 * test that says so. Each scenario runs once, on one build; `REAL_BROKERS=all` runs all on both.
 */
import { test } from 'node:test';
import { findPeers, type Peers, PeersError } from '../target/peers.js';
import { Lab } from './lab.js';
import { scenarios } from './scenarios.js';

const TIMEOUT_MS = 900_000;
const builds = ['baseline', 'optimized'];
const runsAll = process.env['REAL_BROKERS'] === 'all';

const peers = peersOrWhyNot();
if (typeof peers === 'string') {
  test('real brokers', (context) => context.skip(peers));
} else {
  for (const [at, scenario] of scenarios.entries()) {
    for (const build of runsAll ? builds : [builds[at % builds.length] as string]) {
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
}

function peersOrWhyNot(): Peers | string {
  try {
    return findPeers('5.4.0');
  } catch (error) {
    if (error instanceof PeersError) return error.message;
    throw error;
  }
}
