/**
 * In bounded time after healing every dead master is replaced, where a replica in step with it lives.
 *
 * Why: it is what a controller is for. A scan that dies of one odd set, a lost notice of a lost connection,
 * an election that is refused for ever leave a broker set without a master while all else looks well.
 *
 * @source rocketmq threads 9717, 10416, 10812
 */
import type { StateView } from '../../controller/state.js';
import { Violation } from './violation.js';

/** A set without a living master for so long in calm is a set that nobody helps. */
export const REPLACE_WITHIN_MS = 30_000;

/** Broker sets that keep a dead master, each in words. */
export function leaderlessSets(
  { brokerSets }: StateView,
  isAlive: (brokerName: string, brokerId: number) => boolean,
): string[] {
  const found: string[] = [];
  for (const { brokerName, registry, sync } of brokerSets.values()) {
    if (sync === null || registry === null || sync.masterBrokerId === null) continue;
    if (isAlive(brokerName, sync.masterBrokerId)) continue;
    const alive = sync.syncStateSet.filter(
      (id) => isAlive(brokerName, id) && registry.replicas.has(id),
    );
    if (alive.length === 0) continue;
    found.push(
      `${brokerName} keeps its dead master ${sync.masterBrokerId} while ${alive.join()} live in step`,
    );
  }
  return found;
}

export function checkReplaced(leaderless: readonly string[]): void {
  if (leaderless.length === 0) return;
  throw new Violation(
    'dead-masters-replaced',
    `${REPLACE_WITHIN_MS} ms after healing: ${leaderless.join('; ')}`,
  );
}
