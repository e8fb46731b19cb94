import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../lib/project-root.js';
import { loadWorkloads, parseWorkload, WorkloadError } from './parse.js';
import { workloadPoints } from './points.js';
import { workloadJsonSchema } from './schema.js';

const good = `name: churn
kind: load
why: a question that is long enough
sets: 100
replicas: 3
warmUpMs: 500
durationMs: 2000
load:
  mode: closed
  outstanding: 64
  mix: { alterSyncStateSet: 1 }
`;

const lost = `name: lost
kind: mass-failover
why: a question that is long enough
sets: 100
replicas: 3
loss: closed
`;

const refused: readonly { readonly name: string; readonly text: string; readonly says: RegExp }[] =
  [
    {
      name: 'an unknown field, by name and line',
      text: `${good}colour: blue\n`,
      says: /^w\.yaml:12: unknown field 'colour'$/,
    },
    {
      name: 'an unknown field deep inside, with its path',
      text: good.replace('outstanding: 64', 'outstanding: 64\n  burst: 2'),
      says: /^w\.yaml:11: unknown field 'load\.burst'$/,
    },
    {
      name: 'a field out of range, with what is allowed',
      text: good.replace('sets: 100', 'sets: 0'),
      says: /^w\.yaml:4: sets: .*>=1/,
    },
    {
      name: 'a sweep that is neither number nor list',
      text: good.replace('outstanding: 64', 'outstanding: many'),
      says: /^w\.yaml:10: load\.outstanding: expected an integer in \[1, 65536\], or a list/,
    },
    {
      name: 'a missing field, at the thing that lacks it',
      text: good.replace('durationMs: 2000\n', ''),
      says: /^w\.yaml:1: durationMs: /,
    },
    {
      name: 'an unknown mode, with those there are',
      text: good.replace('mode: closed', 'mode: half-open'),
      says: /^w\.yaml:9: load\.mode: expected one of open, closed, timers$/,
    },
    {
      name: 'an empty mix',
      text: good.replace('{ alterSyncStateSet: 1 }', '{}'),
      says: /^w\.yaml:11: load\.mix: names no operation$/,
    },
    {
      name: 'more writes outstanding than sets',
      text: good.replace('outstanding: 64', 'outstanding: 101'),
      says: /^w\.yaml:10: load\.outstanding: expected at most sets \(100\)/,
    },
    {
      name: 'writes to sets of one replica',
      text: good.replace('replicas: 3', 'replicas: 1'),
      says: /^w\.yaml:5: replicas: expected at least 2/,
    },
    {
      name: 'a fault after the end',
      text: `${good}fault:\n  kind: kill-leader\n  atMs: 2000\n`,
      says: /^w\.yaml:14: fault\.atMs: expected less than durationMs \(2000\)$/,
    },
    {
      name: 'a heartbeat timeout that one late beat would pass',
      text: `${lost}heartbeatTimeoutMs: 1500\n`,
      says: /^w\.yaml:7: heartbeatTimeoutMs: expected at least twice heartbeatEveryMs \(1000\)/,
    },
    {
      name: 'masters lost from sets of one replica',
      text: lost.replace('replicas: 3', 'replicas: 1'),
      says: /^w\.yaml:5: replicas: expected at least 2: a set of one has nobody to take over$/,
    },
    {
      name: 'masters lost on shared connections',
      text: `${lost}connections: shared\n`,
      says: /^w\.yaml:7: connections: .*"own"/,
    },
    {
      name: 'a loss of an unknown kind',
      text: lost.replace('closed', 'burnt'),
      says: /^w\.yaml:6: loss: expected one of closed, silent$|^w\.yaml:6: loss: .*closed/,
    },
    { name: 'what is not YAML', text: 'a: [1', says: /^w\.yaml:1: / },
    { name: 'an empty file', text: '', says: /^w\.yaml:1: / },
    {
      name: 'two faults at once, in the order of the file',
      text: `${good.replace('warmUpMs: 500', 'warmUpMs: -1')}colour: blue\n`,
      says: /^w\.yaml:6: warmUpMs.*\nw\.yaml:12: unknown field 'colour'$/,
    },
  ];

for (const { name, text, says } of refused) {
  test(`a workload file is refused for ${name}`, () => {
    assert.throws(
      () => parseWorkload('w.yaml', text),
      (error) => error instanceof WorkloadError && says.test(error.message),
    );
  });
}

test('a workload file is read, with defaults filled in', () => {
  const workload = parseWorkload('w.yaml', good);
  assert.equal(workload.kind, 'load');
  assert.equal(workload.heartbeatEveryMs, 1_000);
  assert.equal(workload.requestTimeoutMs, 3_000);
});

test('every shipped workload is valid, named for its file, and points editors to the schema', () => {
  const workloads = loadWorkloads();
  assert.deepEqual(
    workloads.map((workload) => workload.name),
    [
      'bring-up-own-connections',
      'bring-up',
      'heartbeats',
      'isr-churn',
      'leader-kill',
      'mass-failover-closed',
      'mass-failover-silent-10s',
      'mass-failover-silent',
      'mixed',
      'read-heavy',
      'saturation',
      'single-write',
      'steady-state-10000',
      'steady-state',
    ],
  );
  for (const { name } of workloads) {
    const text = readFileSync(join(projectRoot(), 'workloads', `${name}.yaml`), 'utf8');
    assert.match(text, /^# yaml-language-server: \$schema=\.\/workload\.schema\.json\n/);
  }
});

test('the published JSON Schema is the one in the code', () => {
  const file = join(projectRoot(), 'workloads', 'workload.schema.json');
  assert.equal(
    readFileSync(file, 'utf8'),
    `${JSON.stringify(workloadJsonSchema(), null, 2)}\n`,
    'run: npm run build && node dist/scripts/write-workload-schema.js',
  );
});

test('a sweep spreads into points, each with one rate and a name that says which', () => {
  const text = good.replace('outstanding: 64', 'outstanding: [1, 16, 64]');
  const points = workloadPoints(parseWorkload('w.yaml', text));
  assert.deepEqual(
    points.map((point) => [
      point.name,
      point.sweepOf,
      point.kind === 'load' && point.load.mode === 'closed' && point.load.outstanding,
    ]),
    [
      ['churn@1', 'churn', 1],
      ['churn@16', 'churn', 16],
      ['churn@64', 'churn', 64],
    ],
  );
});

test('with fewer sets, writes outstanding follow; in a shorter window, a fault keeps its place', () => {
  const text = `${good}fault:\n  kind: kill-leader\n  atMs: 1000\n`;
  const [point] = workloadPoints(parseWorkload('w.yaml', text), { sets: 10, durationMs: 600 });
  assert(point?.kind === 'load' && point.load.mode === 'closed');
  assert.equal(point.load.outstanding, 10);
  assert.equal(point.fault?.atMs, 300);
});

test('an override that makes no sense is refused by field', () => {
  const workload = parseWorkload('w.yaml', good);
  assert.throws(() => workloadPoints(workload, { sets: 0 }), /^WorkloadError: churn: sets: /);
});
