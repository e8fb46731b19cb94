import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadWorkloads } from '../workload/parse.js';
import { workloadPoints } from '../workload/points.js';
import { makePlan, type PlanOptions } from './plan.js';

const options: PlanOptions = {
  targets: ['baseline', 'optimized', 'floor'],
  trials: 3,
  durabilities: ['background', 'group'],
  handoff: 'wake',
  electionProfile: 'fast',
  workloads: loadWorkloads()
    .filter(({ byDefault }) => byDefault)
    .flatMap((workload) => workloadPoints(workload)),
  provedBaseline: true,
};

/** `1 baseline: a, b` per session; `only` leaves the sessions of one round. */
function show(overrides: Partial<PlanOptions>, onlyRound?: number): string[] {
  return makePlan({ ...options, ...overrides })
    .sessions.filter(({ round }) => onlyRound === undefined || round === onlyRound)
    .map(
      ({ target, round, workloads }) =>
        `${round} ${target.name}: ${workloads.map(({ name }) => name).join(' ')}`,
    );
}

const named = (...names: string[]) =>
  options.workloads.filter(({ name, ...point }) =>
    names.includes(('sweepOf' in point ? point.sweepOf : undefined) ?? name),
  );

test('targets take turns in every round', () => {
  const targets = ['baseline', 'optimized'];
  const workloads = named('heartbeats');
  assert.deepEqual(show({ targets, workloads, trials: 2, durabilities: ['background'] }), [
    '1 baseline: heartbeats',
    '1 optimized: heartbeats',
    '2 baseline: heartbeats',
    '2 optimized: heartbeats',
  ]);
});

test('the workload that kills the leader comes last, a sweep in the first round only', () => {
  const workloads = named('leader-kill', 'saturation', 'steady-state');
  const sessions = show({ targets: ['optimized'], workloads, trials: 2 });
  assert.match(sessions[0] ?? '', /^1 optimized: saturation@\d+ .*steady-state leader-kill$/);
  assert.equal(sessions[1], '2 optimized: steady-state leader-kill');
});

test('workloads on broker sets of their own come first', () => {
  const workloads = named('heartbeats', 'leader-kill', 'mass-failover-closed', 'bring-up');
  assert.deepEqual(show({ targets: ['optimized'], workloads, trials: 1 }), [
    '1 optimized: bring-up mass-failover-closed heartbeats leader-kill',
  ]);
});

test('the floor meets only writes, further durabilities only writes that share flushes', () => {
  const workloads = named('heartbeats', 'isr-churn', 'single-write');
  assert.deepEqual(show({ workloads }, 1), [
    '1 baseline: heartbeats isr-churn single-write',
    '1 optimized: heartbeats isr-churn single-write',
    '1 floor: isr-churn single-write',
    '1 baseline@group: isr-churn',
    '1 optimized@group: isr-churn',
    '1 floor@group: isr-churn',
  ]);
});

test('reads of the baseline are also measured with a proof by the log', () => {
  const { sessions, targets } = makePlan({ ...options, workloads: named('read-heavy') });
  const proved = targets.find(({ name }) => name === 'baseline@processReadEvent');
  assert.equal(proved?.processReadEvent, true);
  assert.deepEqual(
    sessions.filter(({ target }) => target === proved).map(({ workloads }) => workloads.length),
    [1, 1, 1],
  );
});

test('names of targets are unique, and every session uses one of them', () => {
  const { sessions, targets } = makePlan(options);
  assert.equal(new Set(targets.map(({ name }) => name)).size, targets.length);
  for (const { target } of sessions) assert.ok(targets.includes(target));
});

test('the floor never polls: it has nothing to model', () => {
  const { targets } = makePlan({ ...options, handoff: 'poll' });
  assert.deepEqual(
    targets
      .map(({ name, handoff }) => `${name} ${handoff}`)
      .filter((line) => line.includes('floor')),
    ['floor wake', 'floor@group wake'],
  );
});

test('the whole default bench is planned for under six minutes', () => {
  assert.ok(makePlan(options).expectedSeconds < 360);
});

const peers = ['baseline', 'optimized', 'java-dledger', 'java-jraft', 'floor'];

test('all targets of a run are warmed until steady, or none', () => {
  assert.equal(makePlan(options).warmsUntilSteady, false);
  const targets = [...options.targets, 'java-dledger'];
  assert.equal(makePlan({ ...options, targets }).warmsUntilSteady, true);
  assert.equal(makePlan({ ...options, targets: ['optimized', 'etcd'] }).warmsUntilSteady, false);
});

test('beside a Java peer our builds also meet its durability class, with all that it meets', () => {
  const workloads = named('heartbeats', 'isr-churn', 'leader-kill');
  const all = 'heartbeats isr-churn leader-kill';
  assert.deepEqual(show({ targets: peers, workloads, durabilities: ['background'] }, 1), [
    `1 baseline: ${all}`,
    `1 optimized: ${all}`,
    `1 java-dledger: ${all}`,
    `1 java-jraft: ${all}`,
    '1 floor: isr-churn',
    `1 baseline@group: ${all}`,
    `1 optimized@group: ${all}`,
    '1 floor@group: isr-churn',
  ]);
  const { targets } = makePlan({ ...options, targets: peers, workloads });
  assert.deepEqual(
    targets.flatMap(({ kind, name, durability }) => (kind === 'java' ? [[name, durability]] : [])),
    [
      ['java-dledger', 'background'],
      ['java-jraft', 'group'],
    ],
  );
});

test('beside a Java peer the windows of all targets are as long as it needs', () => {
  const plan = makePlan({ ...options, targets: peers });
  for (const point of plan.workloads) {
    if (point.kind !== 'load') assert.equal(point.giveUpAfterMs, 180_000);
    else assert.equal(point.durationMs, point.fault === undefined ? 5_000 : 25_000);
  }
  assert.ok(
    plan.sessions.every(({ workloads }) => workloads.every((one) => plan.workloads.includes(one))),
  );
});

test('a plan for JRaft knows that it makes an entry of every beat of a fleet', () => {
  const workloads = named('mass-failover-closed');
  const seconds = (target: string) =>
    makePlan({ ...options, targets: [target], workloads, trials: 1 }).expectedSeconds;
  assert.ok(seconds('optimized') < 30);
  assert.ok(seconds('java-dledger') < 120);
  assert.ok(seconds('java-jraft') > 300);
});

test('a reference store meets closed loops of writes or of reads, in one class', () => {
  const sessions = show({ targets: ['optimized', 'etcd'], durabilities: ['group'] }, 1);
  assert.equal(sessions[1], '1 etcd: isr-churn read-heavy single-write');
});

test('a controller that others run comes last, and nobody kills its leader', () => {
  const running = [
    {
      name: 'theirs',
      title: 'theirs',
      kind: 'address',
      addresses: ['h:1'],
      tls: null,
      durability: 'unknown',
      handoff: 'unknown',
      electionProfile: 'unknown',
      processReadEvent: false,
    },
  ] as const;
  const workloads = named('heartbeats', 'leader-kill');
  assert.deepEqual(show({ targets: [], workloads, running }, 1), ['1 theirs: heartbeats']);
});
