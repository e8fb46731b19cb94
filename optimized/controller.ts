/**
 * The optimised controller: many requests in flight, each ordered only as much as it must be.
 *
 * Commands on different broker sets share no state, so each broker set has its own lane. Lanes
 * meet in the log, where one flush carries all that waits. Reads leave the log altogether:
 * ReadIndex proves leadership for a whole batch of them, and any member may then answer.
 *
 * @source Ongaro thesis §6.4 (ReadIndex), §10.2.1 (batching, parallel disk write)
 */
import type { ControllerBuild } from '../src/server/parts.js';
import { lanePerBrokerSet } from './admission.js';
import { groupCommit } from './commit.js';
import { timingWheel } from './liveness.js';
import { readIndexFirst } from './reads.js';

export const optimized: ControllerBuild = {
  name: 'optimized',
  admission: ({ options }) => lanePerBrokerSet(options),
  commits: ({ log, clock }) => groupCommit(log, clock),
  reads: ({ log, options }) => readIndexFirst(log, options),
  liveness: timingWheel,
};
