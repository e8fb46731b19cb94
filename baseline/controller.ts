/**
 * The legacy controller: one request at a time.
 *
 * A queue, one logical client of the log, synchronous waits, reads behind writes, everything on the
 * leader. README.md says which facts of upstream each part models, and what it leaves out.
 *
 * @source rocketmq DLedgerController, ControllerManager (5.x, 8fc57f1)
 */
import type { ControllerBuild } from '../src/server/parts.js';
import { oneAtATime } from './admission.js';
import { oneByOne } from './commit.js';
import { fullScan } from './liveness.js';
import { behindWrites } from './reads.js';

export const baseline: ControllerBuild = {
  name: 'baseline',
  admission: ({ options }) => oneAtATime(options),
  commits: ({ log }) => oneByOne(log),
  reads: ({ log, options }, admission) => behindWrites(log, admission, options),
  liveness: fullScan,
};
