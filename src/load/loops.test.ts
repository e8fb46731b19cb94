import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../lib/prng.js';
import { VirtualClock } from '../lib/virtual-clock.js';
import { Arrivals } from './arrivals.js';
import { ClosedLoop, REST_MS } from './closed-loop.js';
import { OpenLoop } from './open-loop.js';

function all(arrivals: Arrivals, nowMs: number): number[] {
  const times: number[] = [];
  for (let dueMs = arrivals.take(nowMs); dueMs >= 0; dueMs = arrivals.take(nowMs)) {
    times.push(dueMs);
  }
  return times;
}

test('even arrivals keep their gap, and none is due at or after the end', () => {
  const arrivals = new Arrivals({ startMs: 100, endMs: 110, ratePerSecond: 400 });
  assert.deepEqual(all(arrivals, 104), [100, 102.5]);
  assert.deepEqual(all(arrivals, 1_000), [105, 107.5]);
  assert.equal(arrivals.count, 4);
});

test('even arrivals do not drift over an hour', () => {
  const arrivals = new Arrivals({ startMs: 0, endMs: 3_600_000, ratePerSecond: 300 });
  const times = all(arrivals, 3_600_000);
  assert.equal(times.length, 300 * 3_600);
  assert.equal(times.at(-300), 3_599_000);
});

test('Poisson arrivals have the mean gap, exponential spread, and are the same for the same seed', () => {
  const arrivals = () =>
    new Arrivals({ startMs: 0, endMs: 100_000, ratePerSecond: 500, poisson: new Prng(7) });
  const times = all(arrivals(), 100_000);
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  assert(Math.abs(times.length - 50_000) < 1_000, `${times.length} arrivals`);
  const overMean = gaps.filter((gap) => gap > 2).length / gaps.length;
  assert(Math.abs(overMean - Math.exp(-1)) < 0.02, `${overMean} of the gaps exceed the mean`);
  assert.deepEqual(all(arrivals(), 1_000), times.slice(0, all(arrivals(), 1_000).length));
});

test('the open loop sends all that is due each millisecond, from its intended time', () => {
  const clock = new VirtualClock();
  const arrivals = new Arrivals({ startMs: 0, endMs: 100, ratePerSecond: 2_000 });
  const sent: string[] = [];
  const late: number[] = [];
  const loop = new OpenLoop({
    clock,
    streams: [{ arrivals, send: (dueMs) => sent.push(`${dueMs}@${clock.nowMs()}`) }],
    late: (ms) => late.push(ms),
  });
  loop.start();
  clock.advance(2);
  loop.stop();
  assert.deepEqual(sent, ['0@1', '0.5@1', '1@1', '1.5@2', '2@2']);
  assert.deepEqual(late, [1, 0.5, 0, 0.5, 0]);
  clock.advance(10);
  assert.equal(loop.asked, 5, 'stopped, yet it sends');
});

test('between two milliseconds whoever is awake may drain too; a stopped loop sends nothing', () => {
  const clock = new VirtualClock();
  const arrivals = new Arrivals({ startMs: 0, endMs: 100, ratePerSecond: 10_000 });
  const loop = new OpenLoop({ clock, streams: [{ arrivals, send: () => {} }], late: () => {} });
  loop.start();
  clock.advance(0.25);
  loop.drain();
  assert.equal(loop.asked, 3);
  loop.stop();
  clock.advance(10);
  loop.drain();
  assert.equal(loop.asked, 3);
});

test('after a stall the open loop sends what it missed, and each is as late as it was', () => {
  const clock = new VirtualClock();
  const arrivals = new Arrivals({ startMs: 0, endMs: 1_000, ratePerSecond: 100 });
  const late: number[] = [];
  let stalls = 0;
  const loop = new OpenLoop({
    // A clock that jumps while nobody drains: the thread was off the processor.
    clock: { ...asClock(clock), nowMs: () => clock.nowMs() + stalls },
    streams: [{ arrivals, send: () => {} }],
    late: (ms) => late.push(ms),
  });
  loop.start();
  stalls = 45;
  clock.advance(1);
  assert.deepEqual(late, [46, 36, 26, 16, 6]);
});

function asClock(clock: VirtualClock) {
  return {
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs(),
    after: clock.after.bind(clock),
    every: clock.every.bind(clock),
    endOfTurn: clock.endOfTurn.bind(clock),
  };
}

test('the closed loop keeps its places filled, and no more', () => {
  let sent = 0;
  const send = () => {
    sent += 1;
    return true;
  };
  const loop = new ClosedLoop({ clock: new VirtualClock(), places: 3, send });
  loop.start();
  assert.equal(sent, 3);
  loop.settled(false);
  assert.equal(sent, 4);
  loop.stop();
  loop.settled(false);
  assert.equal(sent, 4, 'stopped, yet it sends');
});

test('a place whose request failed rests before it asks again; the others go on', () => {
  const clock = new VirtualClock();
  let sent = 0;
  const send = () => {
    sent += 1;
    return true;
  };
  const loop = new ClosedLoop({ clock, places: 3, send });
  loop.start();
  loop.settled(true);
  loop.settled(true);
  loop.settled(false);
  assert.equal(sent, 4);
  clock.advance(REST_MS);
  assert.equal(sent, 6);
});

test('places that cannot send rest too: a dead controller does not make the loop spin', () => {
  const clock = new VirtualClock();
  let tried = 0;
  const send = () => {
    tried += 1;
    return false;
  };
  const loop = new ClosedLoop({ clock, places: 4, send });
  loop.start();
  clock.advance(10 * REST_MS);
  assert.equal(tried, 4 * 11);
  assert.equal(loop.asked, 0);
});
