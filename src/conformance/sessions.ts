/**
 * The groups of controllers that one run starts, and what each is asked.
 */
import { Prng } from '../lib/prng.js';
import { fixed, inTurn, type Script, type SessionPlan, type Step } from './exchange.js';
import { Generator } from './generate.js';
import { groupSteps, stateSteps, wireSteps } from './scenarios.js';

/** An hour, which ends no run: what depends on scans would depend on time. */
const NEVER_MS = '3600000';

/** For every group: nothing happens by the clock, and no broker is called at its invented address. */
export const quietProperties: Readonly<Record<string, string>> = {
  scanNotActiveBrokerInterval: NEVER_MS,
  scanInactiveMasterInterval: NEVER_MS,
  notifyBrokerRoleChanged: 'false',
  // More than the default, so that it is seen to count.
  configBlackList: 'configBlackList;configStorePath;controllerThreadPoolNums',
};

export interface Session extends SessionPlan {
  readonly script: () => Script;
}

/**
 * Groups of one for all that is about requests, with and without unclean elections: they cannot lose
 * their leader to a busy machine. A group of three for followers, a lost leader and restarts; it
 * writes little, because upstream 5.4.0 loses its state when it restarts after 1,000 entries.
 *
 * @param exchanges generated ones, shared by the groups of one
 */
export function sessions(seed: number, exchanges: number): readonly Session[] {
  const chance = new Prng(seed);
  const alone = (name: string, isUnclean: boolean, steps: readonly Step[]): Session => {
    const ownSeed = chance.uint32();
    return {
      name,
      members: 1,
      properties: { enableElectUncleanMaster: String(isUnclean) },
      script: () =>
        inTurn([fixed(steps), new Generator(new Prng(ownSeed), Math.ceil(exchanges / 2))]),
    };
  };
  return [
    alone('clean elections', false, [...stateSteps(), ...wireSteps()]),
    alone('unclean elections', true, stateSteps()),
    {
      name: 'a group of three',
      members: 3,
      properties: { notifyBrokerRoleChanged: 'true' },
      script: () => fixed(groupSteps()),
    },
  ];
}
