import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadWorkloads } from '../workload/parse.js';
import { workloadPoints } from '../workload/points.js';
import { onJvm, onNode, type SteadyRule, untilSteady, warmUpPoint, warmUpWords } from './warm.js';

const after = (rule: SteadyRule, rates: readonly number[]) => {
  let next = 0;
  return untilSteady(rule, async () => rates[next++ % rates.length] ?? 0);
};

for (const { name, rates, windows, steady } of [
  { name: 'alike at once', rates: [800, 850, 840], windows: 3, steady: true },
  { name: 'that grow, then stay', rates: [100, 400, 700, 760, 750], windows: 5, steady: true },
  { name: 'that fall, then stay', rates: [900, 500, 495, 505], windows: 4, steady: true },
  { name: 'that differ by a tenth', rates: [900, 1_000, 1_000, 1_000], windows: 4, steady: true },
  {
    name: 'that rise by a twelfth',
    rates: [100, 108, 117, 127, 138, 149, 162, 175, 190, 206],
    windows: onJvm.windowsMax,
    steady: false,
  },
  { name: 'that never stay', rates: [100, 200], windows: onJvm.windowsMax, steady: false },
  { name: 'of nothing', rates: [0], windows: onJvm.windowsMax, steady: false },
]) {
  test(`warm-up on a JVM: rates ${name} take ${windows} windows and ${steady ? 'are' : 'are not'} steady`, async () => {
    const warmUp = await after(onJvm, rates);
    assert.deepEqual(
      { windows: warmUp.ratesPerSecond.length, steady: warmUp.steady },
      { windows, steady },
    );
  });
}

for (const { name, rates, windows, steady } of [
  { name: 'alike at once', rates: [800, 850, 840], windows: 3, steady: true },
  { name: 'that grow, then waver', rates: [100, 300, 340, 240, 350], windows: 5, steady: true },
  { name: 'that rise by a twentieth', rates: [100, 105, 110], windows: 3, steady: true },
  { name: 'that fall', rates: [900, 500, 300], windows: 3, steady: true },
  {
    name: 'that rise by a ninth',
    rates: [100, 112, 125, 139, 155, 172],
    windows: onNode.windowsMax,
    steady: false,
  },
  { name: 'of nothing', rates: [0], windows: onNode.windowsMax, steady: false },
]) {
  test(`warm-up on Node: rates ${name} take ${windows} windows and ${steady ? 'are' : 'are not'} steady`, async () => {
    const warmUp = await after(onNode, rates);
    assert.deepEqual(
      { windows: warmUp.ratesPerSecond.length, steady: warmUp.steady },
      { windows, steady },
    );
  });
}

test('warm-up ends when the bench is told to stop', async () => {
  const warmUp = await untilSteady(
    onJvm,
    () => Promise.reject(new Error('asked')),
    () => true,
  );
  assert.deepEqual(warmUp.ratesPerSecond, []);
});

test('warm-up is said in one line', () => {
  const windowMs = 2_000;
  assert.equal(
    warmUpWords({ windowMs, ratesPerSecond: [640, 1_830, 1_850], steady: true }),
    'warmed over 3 windows of 2 s: 640, 1,830, 1,850/s',
  );
  assert.match(
    warmUpWords({ windowMs, ratesPerSecond: [1, 9], steady: false }),
    /^not steady over/,
  );
});

for (const workload of loadWorkloads()) {
  test(`warm-up for ${workload.name} is a closed loop without a fault, that its sets can carry`, () => {
    for (const point of workloadPoints(workload)) {
      const { load, fault, sets, warmUpMs } = warmUpPoint(point);
      assert.equal(load.mode, 'closed');
      assert.ok(load.mode === 'closed' && load.outstanding >= 1 && load.outstanding <= sets);
      assert.deepEqual([fault, warmUpMs], [undefined, 0]);
    }
  });
}
