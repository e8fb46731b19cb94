/** Equal states, equal bytes; different states, different bytes; bad bytes, an assertion. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ControllerEvent, encodeEvents } from './event.js';
import {
  brokerName,
  cleaned,
  elected,
  inSync,
  led,
  moved,
  registered,
  stateAfter,
} from './scenario.js';
import { decodeSnapshot, encodeSnapshot, statesEqual } from './snapshot.js';
import { createState } from './state.js';

const named = (name: string): ControllerEvent => ({ ...registeredOne, brokerName: name });
const registeredOne: ControllerEvent = registered(1);

interface Twins {
  readonly name: string;
  readonly one: readonly ControllerEvent[];
  readonly other: readonly ControllerEvent[];
}

const equal: readonly Twins[] = [
  { name: 'nothing and nothing', one: [], other: [cleaned()] },
  {
    name: 'sets that came in another order',
    one: [named('a'), named('é'), named('b')],
    other: [named('b'), named('a'), named('é')],
  },
  {
    name: 'ids that came in another order',
    one: [registered(1), registered(2), registered(10), registered(-1)],
    other: [registered(1), registered(-1), registered(10), registered(2)],
  },
  {
    name: 'an id that was claimed twice',
    one: [registered(1), registered(1)],
    other: [registered(1)],
  },
];

for (const { name, one, other } of equal) {
  test(`equal bytes: ${name}`, () => {
    assert.deepEqual(encodeSnapshot(stateAfter(one)), encodeSnapshot(stateAfter(other)));
  });
}

const different: readonly Twins[] = [
  { name: 'an empty and a missing cluster', one: [inCluster('')], other: [inCluster(null)] },
  { name: 'another address', one: led, other: [...led, moved(1, 'z:1')] },
  { name: 'another master', one: [registered(1), elected(1)], other: [registered(1), elected(2)] },
  {
    name: 'another master epoch only',
    one: [...led, elected(null)],
    other: [...led, elected(null), elected(null)],
  },
  {
    name: 'another set epoch only',
    one: [...led, inSync(1)],
    other: [...led, inSync(1), inSync(1)],
  },
  {
    name: 'another next id only',
    one: [registered(1), registered(2), elected(1), cleaned(2)],
    other: [registered(1), elected(1)],
  },
  { name: 'a lost half', one: [...led, cleaned(1)], other: [registered(2), registered(3)] },
  {
    name: 'lone surrogates that are one replacement character in UTF-8',
    one: [named('\ud800')],
    other: [named('\ud801')],
  },
];

for (const { name, one, other } of different) {
  test(`different bytes: ${name}`, () => {
    assert(!statesEqual(stateAfter(one), stateAfter(other)));
    assert(statesEqual(stateAfter(one), stateAfter(one)));
  });
}

test('an empty state is two bytes and comes back', () => {
  const bytes = encodeSnapshot(createState());
  assert.equal(bytes.length, 2);
  assert.equal(decodeSnapshot(bytes).brokerSets.size, 0);
});

test('halves of sets come back as halves', () => {
  const events = [...led, cleaned(1), named('other')];
  const { registry, sync } = decodeSnapshot(encodeSnapshot(stateAfter(events))).brokerSets.get(
    brokerName,
  ) ?? { registry: null, sync: null };
  assert.deepEqual([...(registry?.replicas.keys() ?? [])], [2, 3]);
  assert.equal(sync, null);
});

test('a snapshot that is cut anywhere is refused', () => {
  const whole = encodeSnapshot(stateAfter([...led, inSync(1, 2), named('other')]));
  for (let cut = 0; cut < whole.length; cut += 1) {
    assert.throws(() => decodeSnapshot(whole.subarray(0, cut)), assert.AssertionError, `${cut}`);
  }
});

test('bytes after the end, or another version, are refused', () => {
  const whole = encodeSnapshot(stateAfter(led));
  assert.throws(() => decodeSnapshot(Uint8Array.from([...whole, 0])), /after the last/);
  assert.throws(() => decodeSnapshot(Uint8Array.from([9, ...whole.subarray(1)])), /version/);
  assert.throws(() => decodeSnapshot(encodeEvents([...led])), assert.AssertionError);
});

function inCluster(clusterName: string | null): ControllerEvent {
  return {
    kind: 'broker-id-applied',
    clusterName,
    brokerName,
    brokerId: 1,
    brokerAddress: 'y:1',
    registerCheckCode: '',
  };
}
