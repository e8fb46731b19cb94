import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeEnvironment, environmentSchema } from './environment.js';

test('the environment is told in full, and tells nothing personal', async (t) => {
  const dataDirectory = fs.mkdtempSync(join(os.tmpdir(), 'quorumark-environment-'));
  t.after(() => fs.rmSync(dataDirectory, { recursive: true }));
  const environment = await describeEnvironment({ dataDirectory });
  assert.deepEqual(environmentSchema.parse(structuredClone(environment)), environment);
  assert.ok(environment.probes.fdatasyncMs !== null);
  assert.ok(environment.probes.clockStepNs > 0);
  assert.deepEqual(fs.readdirSync(dataDirectory), [], 'the probe cleans up');

  const text = JSON.stringify(environment);
  assert.ok(!text.includes(dataDirectory));
  assert.ok(!text.includes(os.homedir()));
  assert.doesNotMatch(text, /hostname|username|"\//i);
});

test('a disk that cannot be probed is told as unknown', async () => {
  const dataDirectory = join(os.tmpdir(), 'quorumark-not-there', String(process.pid));
  const { probes } = await describeEnvironment({ dataDirectory });
  assert.equal(probes.fdatasyncMs, null);
});
