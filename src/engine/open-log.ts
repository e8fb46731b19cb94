/**
 * The door for those who want a log and nothing else: the machine's clock and chance, the quick timing,
 * and no state but the log itself, where nothing else is asked for.
 */
import { randomInt } from 'node:crypto';
import { systemClock } from '../lib/clock.js';
import { silent } from '../lib/logger.js';
import { Prng } from '../lib/prng.js';
import { fastTiming } from '../raft/types.js';
import { LogEngine, type LogEngineOptions } from './log-engine.js';
import type { StateMachine } from './state-machine.js';

/** What has no default: who this member is, whom it belongs with, and where it keeps and sends things. */
type Needed = 'self' | 'configuration' | 'store' | 'transport' | 'onFatal';

/** For readers of the log: nothing is made of the entries, and a snapshot is empty. */
const stateless: StateMachine = {
  apply() {},
  snapshot: () => ({ next: async () => null, close() {} }),
  restore: () => ({ async write() {}, async end() {} }),
};

/** A member of the log, which has yet to be started. */
export function openLog(
  options: Pick<LogEngineOptions, Needed> & Partial<LogEngineOptions>,
): LogEngine {
  return new LogEngine({
    timing: fastTiming,
    handoff: 'wake',
    clock: systemClock,
    chance: new Prng(randomInt(2 ** 32 - 1)),
    logger: silent,
    stateMachine: stateless,
    ...options,
  });
}
