/** Clusters of our own controllers whose members have addresses of their own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCluster } from './ours.js';

test('members at hosts of their own share one port', { timeout: 60_000 }, async (context) => {
  if (process.platform !== 'linux') {
    context.skip('127.0.0.2 and 127.0.0.3 are there without further ado on Linux only');
    return;
  }
  const hosts = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
  const cluster = await startCluster({ build: 'optimized', durability: 'background', hosts });
  try {
    const [port] = cluster.addresses.map((address) => address.split(':')[1]);
    assert.deepEqual(
      cluster.addresses,
      hosts.map((host) => `${host}:${port}`),
    );
    const doors = new Set(cluster.members().map(({ httpAddress }) => httpAddress));
    assert.equal(doors.size, 3, 'their HTTP doors are on one host');
    assert.ok(cluster.addresses.includes((await cluster.leader()).address));
  } finally {
    await cluster.close();
  }
});
