/**
 * Liveness, the legacy way: scan everything every five seconds, elect one after another.
 *
 * A closed connection is looked up by walking the whole table, and only the first broker found on
 * it is noticed: brokers that share a connection expire by timeout.
 *
 * @source rocketmq DefaultBrokerHeartbeatManager.scanNotActiveBroker, onBrokerChannelClose;
 *   ControllerManager.onBrokerInactive; DLedgerController.scanInactiveMaster (5.x, 8fc57f1)
 */
import type { Cancel } from '../src/lib/clock.js';
import type { BrokerEntry } from '../src/server/heartbeat-table.js';
import type { LivenessPath, PartsContext } from '../src/server/parts.js';

/** @source rocketmq DefaultBrokerHeartbeatManager: first scan after 2 s. */
const FIRST_SCAN_MS = 2_000;

export function fullScan(context: PartsContext): LivenessPath {
  const { actions, clock, options, table } = context;
  const timers: Cancel[] = [];
  /** Broker sets whose election waits for its turn; a set waits once. */
  const electing = new Set<string>();
  let isElecting = false;

  const electOneAfterAnother = async (): Promise<void> => {
    if (isElecting) return;
    isElecting = true;
    for (const brokerName of electing) {
      electing.delete(brokerName);
      await actions.elect(brokerName);
    }
    isElecting = false;
  };

  const inactive = (broker: BrokerEntry): void => {
    if (!actions.isServing() || actions.masterOf(broker.brokerName) !== broker.brokerId) return;
    electing.add(broker.brokerName);
    void electOneAfterAnother();
  };

  const scanBrokers = (): void => {
    const now = clock.nowMs();
    for (const entry of [...table.entries()]) {
      if (now - entry.lastUpdateMs <= entry.timeoutMs) continue;
      table.remove(entry);
      entry.source.close('broker sent no heartbeat in time');
      inactive(entry);
    }
  };

  const scanMasters = (): void => {
    if (!actions.isServing()) return;
    for (const brokerName of actions.setsWithDeadMaster()) electing.add(brokerName);
    void electOneAfterAnother();
  };

  return {
    arrived() {
      // The scan finds it.
    },
    connectionClosed(source) {
      for (const entry of table.entries()) {
        if (entry.source !== source) continue;
        table.remove(entry);
        inactive(entry);
        return;
      }
    },
    start() {
      timers.push(
        clock.after(FIRST_SCAN_MS, () => {
          scanBrokers();
          timers.push(clock.every(options.scanNotActiveBrokerIntervalMs, scanBrokers));
        }),
        clock.every(options.scanInactiveMasterIntervalMs, scanMasters),
      );
    },
    stop() {
      for (const cancel of timers) cancel();
    },
  };
}
