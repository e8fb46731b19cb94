/** The ZooKeeper client against ZooKeeper, where it is installed; its frames have tests of their own. */
import { test } from 'node:test';
import { findZookeeper, PeersError } from './peers.js';
import { fences } from './testing/fences.js';
import { startZookeeper } from './zookeeper.js';
import { ZookeeperClient } from './zookeeper-client.js';

/** Null when nothing is. */
function whatIsMissing(): string | null {
  try {
    findZookeeper();
    return null;
  } catch (error) {
    if (error instanceof PeersError) return error.message;
    throw error;
  }
}

test('ZooKeeper itself fences a change by the version that was seen', {
  timeout: 300_000,
  skip: whatIsMissing() ?? false,
}, async () => {
  const target = await startZookeeper(new AbortController().signal);
  try {
    const first = await ZookeeperClient.open(target.addresses);
    const second = await ZookeeperClient.open(target.addresses);
    await fences(first, second);
    await first.close();
    await second.close();
  } finally {
    await target.close();
  }
});
