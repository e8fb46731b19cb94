import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decode, EMPTY_HISTOGRAM, HISTOGRAM_US_MAX, mergeHistograms } from './histogram.js';
import { Recorder } from './recorder.js';

const counts = (recorder: Recorder) =>
  recorder.totals().operations.map(({ name, ok, rejected, failed, responseTime, serviceTime }) => ({
    name,
    ok,
    rejected,
    failed,
    responses: decode(responseTime).count,
    services: decode(serviceTime).count,
  }));

test('outcomes are counted by operation, and only successes are timed', () => {
  const recorder = new Recorder(['idle']);
  recorder.recordOk('write', 1_500.4, 900);
  recorder.recordOk('write', 2_500, 800);
  recorder.recordRejected('write', 2001);
  recorder.recordRejected('write', 2001);
  recorder.recordRejected('write', 2);
  recorder.recordFailed('read', 'TIMEOUT');
  recorder.recordLateness(40);
  assert.deepEqual(counts(recorder), [
    { name: 'idle', ok: 0, rejected: {}, failed: {}, responses: 0, services: 0 },
    { name: 'write', ok: 2, rejected: { 2: 1, 2001: 2 }, failed: {}, responses: 2, services: 2 },
    { name: 'read', ok: 0, rejected: {}, failed: { TIMEOUT: 1 }, responses: 0, services: 0 },
  ]);
  const [, write] = recorder.totals().operations;
  assert.equal(decode(write?.responseTime ?? '').percentileUs(50), 1_500);
  assert.equal(decode(write?.serviceTime ?? '').maxUs, 900);
  assert.equal(decode(recorder.totals().lateness).maxUs, 40);
  recorder.destroy();
});

test('an interval holds what came since the last, and leaves out what was silent', () => {
  const recorder = new Recorder();
  recorder.recordOk('write', 100, 100);
  recorder.recordFailed('read', 'SHED');
  const first = recorder.takeInterval(0, 1_000);
  assert.equal(first.startMs, 0);
  assert.equal(first.lengthMs, 1_000);
  assert.deepEqual(
    first.operations.map(({ name, ok, notOk }) => ({ name, ok, notOk })),
    [
      { name: 'write', ok: 1, notOk: 0 },
      { name: 'read', ok: 0, notOk: 1 },
    ],
  );
  recorder.recordOk('write', 300, 200);
  recorder.recordOk('write', 300, 200);
  const second = recorder.takeInterval(1_000, 1_000);
  assert.deepEqual(
    second.operations.map(({ name, ok, responseTime }) => [name, ok, decode(responseTime).count]),
    [['write', 2, 2]],
  );
  assert.deepEqual(recorder.takeInterval(2_000, 1_000).operations, []);
  recorder.destroy();
});

/** Two encodings of one distribution may differ in the range that they reserve. */
function distribution(encoded = ''): number[] {
  const { count, maxUs, meanUs, percentileUs } = decode(encoded);
  return [count, maxUs, meanUs, ...[0, 10, 25, 50, 75, 90, 99, 100].map(percentileUs)];
}

test('intervals and what follows them add up to the totals', () => {
  const step = fc.oneof(fc.constant('interval' as const), fc.nat(5_000_000));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const recorder = new Recorder(['write']);
      const parts: string[] = [];
      const whole = new Recorder(['write']);
      const interval = (): void => {
        const [write] = recorder.takeInterval(0, 1).operations;
        parts.push(write?.responseTime ?? EMPTY_HISTOGRAM);
      };
      for (const one of steps) {
        if (one === 'interval') {
          interval();
          continue;
        }
        recorder.recordOk('write', one, one);
        whole.recordOk('write', one, one);
      }
      const [before] = recorder.totals().operations;
      interval();
      const [after] = recorder.totals().operations;
      const [expected] = whole.totals().operations;
      assert.equal(before?.ok, expected?.ok);
      assert.equal(after?.ok, expected?.ok);
      const merged = mergeHistograms(parts);
      for (const found of [before?.responseTime, after?.responseTime, merged]) {
        assert.deepEqual(distribution(found), distribution(expected?.responseTime));
      }
      recorder.destroy();
      whole.destroy();
    }),
    { seed: 20_261_122, numRuns: 100 },
  );
});

test('a reset forgets the warm-up and keeps the names', () => {
  const recorder = new Recorder();
  recorder.recordOk('write', 9_000, 9_000);
  recorder.recordRejected('write', 2);
  recorder.recordLateness(5);
  recorder.recordLateness(-1);
  recorder.reset();
  assert.deepEqual(recorder.takeInterval(0, 1).operations, []);
  assert.deepEqual(counts(recorder), [
    { name: 'write', ok: 0, rejected: {}, failed: {}, responses: 0, services: 0 },
  ]);
  assert.equal(recorder.totals().lateness, EMPTY_HISTOGRAM);
  assert.equal(recorder.totals().clamped, 0);
  recorder.recordOk('write', 10, 10);
  assert.equal(decode(recorder.totals().operations[0]?.responseTime ?? '').maxUs, 10);
  recorder.destroy();
});

test('what no clock can have measured is counted, and never dropped', () => {
  const recorder = new Recorder();
  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY, HISTOGRAM_US_MAX * 2]) {
    recorder.recordOk('write', bad, 1);
  }
  const { clamped, operations } = recorder.totals();
  assert.equal(clamped, 4);
  assert.equal(operations[0]?.ok, 4);
  const reader = decode(operations[0]?.responseTime ?? '');
  assert.equal(reader.count, 4);
  assert.ok(reader.maxUs >= HISTOGRAM_US_MAX);
  recorder.destroy();
});

test('what leaves is plain data, fit for another thread', () => {
  const recorder = new Recorder();
  recorder.recordOk('write', 10, 10);
  const interval = recorder.takeInterval(0, 1_000);
  assert.deepEqual(structuredClone(interval), interval);
  assert.deepEqual(structuredClone(recorder.totals()), recorder.totals());
  recorder.destroy();
});
