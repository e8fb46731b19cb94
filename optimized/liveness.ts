/**
 * Liveness by timing wheel: a silent broker is noticed when its time is up, not at the next scan.
 *
 * Beats cost the wheel nothing: an entry that is still fresh when its slot comes round is put back
 * for the time it has left. A closed connection knows its brokers, and elections of different
 * broker sets run side by side, each in its own lane.
 */
import type { Cancel } from '../src/lib/clock.js';
import { TimingWheel } from '../src/lib/timing-wheel.js';
import type { BeatSource, BrokerEntry } from '../src/server/heartbeat-table.js';
import type { LivenessPath, PartsContext } from '../src/server/parts.js';

/** How late silence may be noticed. */
const WHEEL_TICK_MS = 50;
/** A slow turn must not end in thousands of elections at once: the rest follow as these end. */
const ELECTIONS_AT_ONCE_MAX = 256;

export function timingWheel(context: PartsContext): LivenessPath {
  const { actions, clock, options, table } = context;
  const wheel = new TimingWheel<BrokerEntry>({ tickMs: WHEEL_TICK_MS, slots: 1_024 });
  const bySource = new Map<BeatSource, Set<BrokerEntry>>();
  /** Of the wheel, while it holds anybody. */
  let wheelTimer: { readonly atMs: number; readonly cancel: Cancel } | null = null;
  let scanTimer: Cancel | null = null;
  let isStopped = false;
  /** Broker sets that are being elected for, and those that wait; a set is in one of them, once. */
  const electing = new Set<string>();
  const waiting = new Set<string>();

  const elect = (brokerName: string): void => {
    if (electing.has(brokerName)) return;
    if (electing.size >= ELECTIONS_AT_ONCE_MAX) {
      waiting.add(brokerName);
      return;
    }
    electing.add(brokerName);
    void actions.elect(brokerName).then(() => {
      electing.delete(brokerName);
      const next = waiting.values().next();
      if (next.done === true) return;
      waiting.delete(next.value);
      elect(next.value);
    });
  };

  const inactive = (broker: BrokerEntry): void => {
    if (!actions.isServing() || actions.masterOf(broker.brokerName) !== broker.brokerId) return;
    elect(broker.brokerName);
  };

  const forget = (entry: BrokerEntry): void => {
    const siblings = bySource.get(entry.source);
    siblings?.delete(entry);
    if (siblings?.size === 0) bySource.delete(entry.source);
    table.remove(entry);
  };

  /** A later beat may shorten the timeout, so nobody is out of sight for longer than between two scans. */
  const watch = (entry: BrokerEntry, now: number): number => {
    const silentAtMs = entry.lastUpdateMs + entry.timeoutMs;
    const deadlineMs = Math.min(silentAtMs, now + options.scanNotActiveBrokerIntervalMs);
    wheel.add(entry, deadlineMs);
    return deadlineMs;
  };

  /** A fleet of ten needs no tick every 50 ms. */
  const sleep = (now: number): void => {
    const { nextMs } = wheel;
    if (nextMs === null || isStopped) return;
    if (wheelTimer !== null && wheelTimer.atMs <= nextMs) return;
    wheelTimer?.cancel();
    wheelTimer = { atMs: nextMs, cancel: clock.after(Math.max(1, nextMs - now), expire) };
  };

  const expire = (): void => {
    const now = clock.nowMs();
    wheelTimer = null;
    for (const entry of wheel.advance(now)) {
      if (entry.lastUpdateMs + entry.timeoutMs >= now) {
        watch(entry, now);
        continue;
      }
      forget(entry);
      entry.source.close('broker sent no heartbeat in time');
      inactive(entry);
    }
    sleep(now);
  };

  wheel.advance(clock.nowMs());
  return {
    arrived(entry) {
      const now = clock.nowMs();
      const deadlineMs = watch(entry, now);
      // When thousands come at once, most of them are due after what the wheel waits for already.
      if (wheelTimer === null || deadlineMs < wheelTimer.atMs) sleep(now);
      const siblings = bySource.get(entry.source);
      if (siblings === undefined) bySource.set(entry.source, new Set([entry]));
      else siblings.add(entry);
    },
    connectionClosed(source) {
      const entries = bySource.get(source);
      if (entries === undefined) return;
      bySource.delete(source);
      for (const entry of entries) {
        wheel.remove(entry);
        table.remove(entry);
        inactive(entry);
      }
    },
    start() {
      scanTimer = clock.every(options.scanInactiveMasterIntervalMs, () => {
        if (!actions.isServing()) return;
        for (const brokerName of actions.setsWithDeadMaster()) elect(brokerName);
      });
    },
    stop() {
      isStopped = true;
      wheelTimer?.cancel();
      scanTimer?.();
    },
  };
}
