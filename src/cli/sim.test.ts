/** A seed is a run: the same twice, the same on any machine, and what failed once never fails again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseline } from '../../baseline/controller.js';
import { optimized } from '../../optimized/controller.js';
import { planOf, runPlan } from '../sim/campaign.js';

const builds = { baseline, optimized };

/** Traces as they were written down once. A change of what a run does changes them: say so in its commit. */
const stored: readonly {
  readonly seed: number;
  readonly subject: 'controller' | 'kv';
  readonly hash: string;
}[] = [
  { seed: 5, subject: 'controller', hash: 'af6a3fcb173377eb' },
  { seed: 6, subject: 'kv', hash: '0249c4dfdf80d183' },
];

for (const { hash, seed, subject } of stored) {
  test(`seed ${seed} (${subject}) leaves the same trace twice, and the one that is written down`, async () => {
    const one = await runPlan(planOf(seed, { subject }), builds);
    const other = await runPlan(planOf(seed, { subject }), builds);
    assert.equal(one.violation, null);
    assert.equal(other.traceHash, one.traceHash);
    assert.equal(one.traceHash, hash);
    assert(one.decided.histories > 0, 'histories were judged');
    const next = await runPlan(planOf(seed + 1, { subject }), builds);
    assert.notEqual(next.traceHash, one.traceHash);
  });
}

/** Disks that lie to members which fall behind: old entries and snapshots are read again. */
const liars = {
  members: 3,
  durability: 'group',
  entriesKept: 0,
  snapshotEveryEntries: 20,
  segmentBytesMax: 700,
  thinkMs: 20,
  faultGapMs: 250,
  faultWeights: { corruption: 6, partition: 5, kill: 3, congestion: 2, 'power-loss': 2 },
} as const;

test('damage ends a member that reads it, and one that starts refuses it until it is told otherwise', async () => {
  let died = 0;
  let refused = 0;
  for (const seed of [16, 34]) {
    const { coverage, story, violation } = await runPlan(planOf(seed, liars), builds);
    assert.equal(violation, null);
    assert(coverage.count('log rebuilt', 'corruption') > 0);
    const running = new Set<string>();
    for (const { what, who } of story.events) {
      if (what.startsWith('started, ')) running.add(who);
      if (what.startsWith(`failed: /${who}/`)) {
        assert.match(what, /\.(log|snapshot): at byte \d+: /);
        if (running.has(who)) died += 1;
        else refused += 1;
      }
      if (what === 'ended' || what.startsWith('failed: ')) running.delete(who);
    }
  }
  assert(died > 0, 'nobody read damage while it ran');
  assert(refused > 0, 'nobody refused to start');
});

/** Each found a bug once (docs/bugs-found.md), or a fault of the simulator. */
const once = [2, 3, 15, 24, 35, 40, 41, 58, 74, 153, 298, 301, 1116, 1475, 1948, 2268, 3478];
/** The same, as the swarm draws them. */
const onceAsDrawn = [160, 248, 299, 345, 1197, 3822, 9005];
/** The same, of a campaign of one build. */
const onceOfBuild = {
  318: 'optimized',
  1491: 'baseline',
  7636: 'optimized',
  8665: 'baseline',
} as const;

test('seeds that failed once', async () => {
  const plans = [
    ...once.map((seed) => planOf(seed, { subject: 'controller' })),
    ...onceAsDrawn.map((seed) => planOf(seed)),
    ...Object.entries(onceOfBuild).map(([seed, build]) => planOf(Number(seed), { build })),
  ];
  for (const plan of plans) {
    const { violation } = await runPlan(plan, builds);
    const { seed } = plan.options;
    assert.equal(violation, null, `seed ${seed}: ${violation?.checker}: ${violation?.what}`);
  }
});
