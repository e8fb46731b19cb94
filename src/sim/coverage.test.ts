/** The table of transitions and faults counts what met, names what did not, and fits a terminal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Coverage, coverageTable, transitions } from './coverage.js';
import { allFaultKinds } from './swarm.js';

test('a transition meets every fault in force, or the calm', () => {
  const coverage = new Coverage();
  coverage.met('leader elected', ['kill', 'loss']);
  coverage.met('leader elected', []);
  assert.equal(coverage.count('leader elected', 'kill'), 1);
  assert.equal(coverage.count('leader elected', 'loss'), 1);
  assert.equal(coverage.count('leader elected', 'calm'), 1);
  assert.equal(coverage.count('leader elected', 'pause'), 0);
});

test('merging adds the counts of another run', () => {
  const one = new Coverage();
  const other = new Coverage();
  one.met('disk full', ['kill']);
  other.met('disk full', ['kill']);
  one.merge(other.cells);
  assert.equal(one.count('disk full', 'kill'), 2);
});

test('the table fits 80 columns and names the empty cells', () => {
  const coverage = new Coverage();
  for (const transition of transitions) {
    for (const fault of allFaultKinds) {
      if (transition !== 'disk full' || fault !== 'kill') coverage.met(transition, [fault]);
    }
    coverage.met(transition, []);
  }
  const table = coverageTable(coverage, allFaultKinds);
  assert.match(table, /1 empty cells: disk full × kill$/);
  for (const line of table.split('\n').slice(0, -1)) assert(line.length <= 80, line);
});
