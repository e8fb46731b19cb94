/**
 * For how long taking a snapshot stops the world: 10,000 broker sets of three replicas, a part at a time.
 *
 *     npm run build && node --expose-gc dist/scripts/bench-snapshot.js
 *
 * The first round meets code that has never run. The state was there long before a real member takes
 * its first snapshot, so what building it left to collect is collected first.
 */
import assert from 'node:assert/strict';
import { apply } from '../src/controller/apply.js';
import { beginSnapshot, decodeSnapshot } from '../src/controller/snapshot.js';
import { createState } from '../src/controller/state.js';

const SETS = 10_000;
const REPLICAS = 3;
const ROUNDS = 7;

const state = createState();
for (let i = 0; i < SETS; i += 1) {
  const brokerName = `broker-${(i * 7_919) % SETS}`;
  for (let brokerId = 1; brokerId <= REPLICAS; brokerId += 1) {
    const brokerAddress = `10.0.${i % 256}.${brokerId}:10911`;
    apply(state, {
      ...{ kind: 'broker-id-applied', clusterName: 'c', brokerName, brokerId, brokerAddress },
      registerCheckCode: `${brokerAddress};${i}`,
    });
  }
  apply(state, { kind: 'master-elected', brokerName, masterBrokerId: 1 });
}
assert(globalThis.gc !== undefined, 'run with --expose-gc');
globalThis.gc();
const longest: number[] = [];
let bytes = 0;
let parts: Uint8Array[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  let longestMs = 0;
  const timed = <Result>(work: () => Result): Result => {
    const startedMs = performance.now();
    const result = work();
    longestMs = Math.max(longestMs, performance.now() - startedMs);
    return result;
  };
  const snapshot = timed(() => beginSnapshot(state));
  parts = [];
  for (
    let part = timed(() => snapshot.next());
    part !== null;
    part = timed(() => snapshot.next())
  ) {
    parts.push(part);
  }
  snapshot.close();
  bytes = parts.reduce((sum, { length }) => sum + length, 0);
  longest.push(longestMs);
}
const startedMs = performance.now();
decodeSnapshot(Buffer.concat(parts));
const restoreMs = performance.now() - startedMs;
console.log(
  `${SETS} sets × ${REPLICAS}: ${(bytes / 1e6).toFixed(1)} MB in ${parts.length} parts; longest stop ` +
    `${longest.map((ms) => ms.toFixed(1)).join(', ')} ms (rounds in order); restored in ${restoreMs.toFixed(0)} ms`,
);
