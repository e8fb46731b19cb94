/**
 * How long the linearizability check of 100,000 operations on one key, and on one broker set, takes.
 *
 *     npm run build && node dist/scripts/bench-linearizability.js [operations]
 */
import { Prng } from '../src/lib/prng.js';
import {
  controllerModel,
  type SetCallInput,
  type SetCallOutput,
} from '../src/sim/checkers/controller-model.js';
import { type KvCallInput, type KvCallOutput, kvModel } from '../src/sim/checkers/kv-model.js';
import { type Call, checkLinearizable } from '../src/sim/checkers/linearizability.js';

const operations = Number(process.argv[2] ?? 100_000);
/** Calls open at once, on average. */
const OVERLAP = 8;
const LOST_SHARE = 0.0001;

function report(
  name: string,
  calls: readonly unknown[],
  check: () => { readonly kind: string },
): void {
  const startedMs = performance.now();
  const { kind } = check();
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(2);
  console.log(`${name}: ${calls.length.toLocaleString('en')} operations, ${kind}, ${seconds} s`);
}

const chance = new Prng(1);
const kvCalls: Call<KvCallInput, KvCallOutput>[] = [];
let value: number | null = null;
for (let i = 0; i < operations; i += 1) {
  const kind = chance.pick(['put', 'get', 'get', 'cas'] as const);
  const input: KvCallInput = { kind, value: chance.between(1, 1_000), expected: value };
  const output = { done: true, value };
  if (kind !== 'get') value = input.value;
  const isLost = kind !== 'get' && chance.chance(LOST_SHARE);
  kvCalls.push({
    input,
    output: isLost ? null : output,
    calledAt: i - chance.unit() * OVERLAP,
    returnedAt: isLost ? Number.POSITIVE_INFINITY : i + chance.unit() * OVERLAP,
  });
}
report('one key       ', kvCalls, () => checkLinearizable(kvCalls, kvModel));

const setCalls: Call<SetCallInput, SetCallOutput>[] = [];
let set = { masterId: 1, masterEpoch: 1, syncStateSet: [1] as number[], syncStateSetEpoch: 1 };
const nothing = { masterId: null, masterEpoch: null, syncStateSet: null, syncStateSetEpoch: null };
for (let i = 0; i < operations; i += 1) {
  const at = { calledAt: i - chance.unit() * OVERLAP, returnedAt: i + chance.unit() * OVERLAP };
  const draw = chance.unit();
  if (i === 0 || draw < 0.02) {
    if (i > 0) {
      const masterId = chance.pick(set.syncStateSet);
      const { masterEpoch, syncStateSetEpoch } = set;
      set = {
        masterId,
        masterEpoch: masterEpoch + 1,
        syncStateSet: [masterId],
        syncStateSetEpoch: syncStateSetEpoch + 1,
      };
    }
    setCalls.push({ input: { kind: 'elect', ...nothing }, output: set, ...at });
  } else if (draw < 0.5) {
    const syncStateSet = [...new Set([set.masterId, chance.between(1, 3)])].sort((a, b) => a - b);
    const input = { kind: 'alter', ...set, syncStateSet } as const;
    set = { ...set, syncStateSet, syncStateSetEpoch: set.syncStateSetEpoch + 1 };
    setCalls.push({ input, output: set, ...at });
  } else {
    setCalls.push({ input: { kind: 'read', ...nothing }, output: set, ...at });
  }
}
const model = controllerModel({ unclean: false });
report('one broker set', setCalls, () => checkLinearizable(setCalls, model));
