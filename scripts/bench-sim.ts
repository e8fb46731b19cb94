/**
 * How fast virtual time passes: three controllers and ten brokers that live in peace, on upstream's
 * defaults. The first trial of a build warms the code up, and is not counted.
 *
 *     npm run build && node dist/scripts/bench-sim.js [simulated seconds]
 */
import { baseline } from '../baseline/controller.js';
import { optimized } from '../optimized/controller.js';
import { median } from '../src/analyze/bootstrap.js';
import { simulate } from '../src/sim/run.js';
import { drawOptions } from '../src/sim/swarm.js';

const simulatedS = Number(process.argv[2] ?? 600);
const TRIALS = 6;

for (const build of [baseline, optimized]) {
  const speeds: number[] = [];
  for (let seed = 1; seed <= TRIALS; seed += 1) {
    const options = {
      ...drawOptions(seed, { faultWeights: {} }),
      ...({ subject: 'controller', members: 3, electionRule: 'dledger', handoff: 'wake' } as const),
      ...({ durability: 'group', lease: null, preferredLeader: false, formatVersion: 2 } as const),
      ...{ processReadEvent: false, followerReads: false, uncleanElections: false },
      ...{ brokerSets: 5, replicas: 2, clients: 0, snapshotEveryEntries: 100_000 },
      ...{ delayMinMs: 0.1, delayMeanMs: 0.3, syncMs: 0.2 },
      ...{ lossShare: 0, duplicationShare: 0, reorderingShare: 0 },
      ...{ safetyMs: simulatedS * 1_000, livenessMs: 40_000 },
    };
    const startedMs = performance.now();
    const result = await simulate({ options, faults: [], workload: [] }, build);
    const wallS = (performance.now() - startedMs) / 1_000;
    if (result.violation !== null) throw new Error(result.violation.what);
    if (seed > 1) speeds.push(result.simulatedMs / 1_000 / wallS);
  }
  const round = (value: number): string => Math.round(value).toLocaleString('en');
  console.log(
    `${build.name.padEnd(10)} ${round(median(speeds))} simulated s per s (${round(Math.min(...speeds))} to ${round(Math.max(...speeds))})`,
  );
}
