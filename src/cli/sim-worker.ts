/** Runs seeds on a thread of its own: asked for one at a time, answered with the verdict. */
import { parentPort, workerData } from 'node:worker_threads';
import { baseline } from '../../baseline/controller.js';
import { optimized } from '../../optimized/controller.js';
import { planOf, runPlan } from '../sim/campaign.js';
import type { SimOverrides } from '../sim/swarm.js';
import type { Verdict } from './sim-pool.js';

const overrides = workerData as SimOverrides;

parentPort?.on('message', (seed: number) => {
  void (async () => {
    const plan = planOf(seed, overrides);
    const { coverage, decided, events, operations, simulatedMs, traceHash, violation } =
      await runPlan(plan, {
        baseline,
        optimized,
      });
    const { build, subject } = plan.options;
    const verdict: Verdict = {
      ...{ seed, build, subject, decided, events, operations, simulatedMs, traceHash, violation },
      coverage: coverage.cells,
    };
    parentPort?.postMessage(verdict);
  })();
});
