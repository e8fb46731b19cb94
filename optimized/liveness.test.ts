/** When silence is noticed, and how often a controller that hears from everybody looks up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../src/lib/prng.js';
import { VirtualClock } from '../src/lib/virtual-clock.js';
import { controllerConfig } from '../src/server/config.js';
import { HeartbeatTable } from '../src/server/heartbeat-table.js';
import { timingWheel } from './liveness.js';

/** What the file promises: not at the next scan, but when the time is up. */
const LATE_MAX_MS = 51;

/** A member with a wheel, and brokers that say for how long each of their beats counts. */
function stage() {
  const clock = new VirtualClock();
  const table = new HeartbeatTable({ nowMs: () => clock.nowMs(), entriesMax: 1_000 });
  const silentMs = new Map<number, number>();
  let timersSet = 0;
  const liveness = timingWheel({
    log: { isServing: true, append: () => assert.fail(), readBarrier: () => assert.fail() },
    clock: {
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
      endOfTurn: (action) => clock.endOfTurn(action),
      every: (periodMs, action) => clock.every(periodMs, action),
      after: (delayMs, action) => {
        timersSet += 1;
        return clock.after(delayMs, action);
      },
    },
    table,
    actions: {
      isServing: () => true,
      masterOf: () => 1,
      setsWithDeadMaster: () => [],
      elect: async () => {},
    },
    options: controllerConfig({
      selfId: 'n0',
      peers: [{ id: 'n0', host: '127.0.0.1', port: 1, address: '127.0.0.1:1' }],
      storePath: 'unused',
    }),
  });
  liveness.start();
  const beat = (broker: number, timeoutMs: number): void => {
    const source = { close: () => silentMs.set(broker, clock.nowMs()) };
    const entry = table.beat(
      {
        clusterName: 'cluster-a',
        brokerName: `broker-${broker}`,
        brokerId: 1,
        brokerAddress: `127.0.0.1:${broker}`,
        timeoutMs,
        epoch: 1,
        maxOffset: 0,
        confirmOffset: 0,
        electionPriority: null,
      },
      source,
    );
    if (entry !== null) liveness.arrived(entry);
  };
  return { beat, clock, liveness, silentMs, table, timersSet: () => timersSet };
}

for (let seed = 1; seed <= 20; seed += 1) {
  test(`seed ${seed}: silence is noticed when the time is up, whoever else is watched`, () => {
    const { beat, clock, liveness, silentMs, table } = stage();
    const chance = new Prng(seed);
    const lastBeatMs = new Map<number, number>();
    const timeoutMs = (broker: number): number => 700 + 977 * (broker % 60);
    for (let round = 0; round < 200; round += 1) {
      const broker = chance.between(0, 120);
      if (!silentMs.has(broker)) {
        beat(broker, timeoutMs(broker));
        lastBeatMs.set(broker, clock.nowMs());
      }
      clock.advance(chance.between(0, 400));
    }
    clock.advance(60_000);
    assert.equal(table.size, 0);
    assert.deepEqual([...silentMs.keys()].sort(), [...lastBeatMs.keys()].sort());
    for (const [broker, atMs] of silentMs) {
      const lateMs = atMs - (lastBeatMs.get(broker) as number) - timeoutMs(broker);
      assert.ok(lateMs > 0 && lateMs <= LATE_MAX_MS, `broker ${broker} was ${lateMs} ms late`);
    }
    liveness.stop();
  });
}

test('a few brokers that beat wake nobody twenty times a second', () => {
  const { beat, clock, liveness, timersSet } = stage();
  for (let second = 0; second < 100; second += 1) {
    for (let broker = 0; broker < 10; broker += 1) beat(broker, 10_000);
    clock.advance(1_000);
  }
  assert.ok(timersSet() < 100, `${timersSet()} timers in 100 s`);
  liveness.stop();
  const before = timersSet();
  clock.advance(60_000);
  assert.equal(timersSet(), before, 'and none once it has stopped');
});
