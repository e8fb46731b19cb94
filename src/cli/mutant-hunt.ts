/**
 * A process with a planted bug: runs seeds until one is caught, and says which. Started by
 * `quorumark mutants`, never by hand.
 */
import { baseline } from '../../baseline/controller.js';
import { optimized } from '../../optimized/controller.js';
import { planOf, runPlan } from '../sim/campaign.js';
import type { SimOverrides } from '../sim/swarm.js';

export interface HuntResult {
  /** How many it took; null when the bug survived them all. */
  readonly seeds: number | null;
  readonly checker: string | null;
  readonly what: string | null;
}

const [first = '1', seeds = '1', needs = '{}'] = process.argv.slice(2);
const overrides = JSON.parse(needs) as SimOverrides;
let result: HuntResult = { seeds: null, checker: null, what: null };
for (let i = 0; i < Number(seeds); i += 1) {
  const plan = planOf(Number(first) + i, overrides);
  const { violation } = await runPlan(plan, { baseline, optimized });
  if (violation === null) continue;
  result = { seeds: i + 1, checker: violation.checker, what: violation.what };
  break;
}
process.stdout.write(JSON.stringify(result));
