/**
 * Takes broker sets out of the controllers again (1011), as far as that works within a bound.
 *
 * Sets whose brokers are gone for good would be elected for, in vain, during some later trial.
 */
import { RequestCode } from '../lib/codes.js';
import { type BrokerSet, CLUSTER } from './fleet.js';
import type { LeaderFinder } from './leader.js';
import type { Links } from './links.js';
import type { Stop } from './stop.js';

const AT_ONCE = 256;

export async function cleanUp(options: {
  readonly sets: readonly BrokerSet[];
  readonly links: Links;
  readonly leader: LeaderFinder;
  readonly stop: Stop;
  readonly deadlineMs: number;
}): Promise<void> {
  const { sets, links, leader, stop, deadlineMs } = options;
  let next = 0;
  let settled = 0;
  const settle = (): void => {
    settled += 1;
    askNext();
  };
  const askNext = (): void => {
    const set = sets[next];
    if (set === undefined || links.isClosed) return;
    const lane = set.brokers[0]?.lane ?? 0;
    const connection = leader.leader < 0 ? null : links.connection(leader.leader, lane);
    if (connection === null) return; // Without a leader there is nothing to tidy: the bound ends it.
    next += 1;
    const extFields = {
      clusterName: CLUSTER,
      brokerName: set.name,
      isCleanLivingBroker: true,
      invokeTime: 0,
    };
    connection.request({ code: RequestCode.CleanBrokerData, extFields }, settle);
  };
  for (let place = 0; place < AT_ONCE; place += 1) askNext();
  await stop.pollUntil(() => settled === sets.length, deadlineMs);
}
