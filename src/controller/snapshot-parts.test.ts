/** A snapshot taken part by part is the state of the moment it was begun, whatever happens meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../lib/prng.js';
import { apply } from './apply.js';
import type { ControllerEvent } from './event.js';
import { beginSnapshot, decodeSnapshot, encodeSnapshot } from './snapshot.js';
import { type ControllerState, createState } from './state.js';

const NAMES = 1_500;

function randomEvent(chance: Prng): ControllerEvent {
  const brokerName = `set-${chance.between(0, NAMES)}`;
  const brokerId = chance.between(1, 3);
  const draw = chance.unit();
  if (draw < 0.5) {
    const brokerAddress = `host:${brokerId}`;
    const registerCheckCode = `${brokerAddress};${chance.between(1, 9)}`;
    return {
      kind: 'broker-id-applied',
      clusterName: 'c',
      brokerName,
      brokerId,
      brokerAddress,
      registerCheckCode,
    };
  }
  if (draw < 0.8) return { kind: 'master-elected', brokerName, masterBrokerId: brokerId };
  if (draw < 0.9) return { kind: 'sync-state-set-altered', brokerName, syncStateSet: [brokerId] };
  return {
    kind: 'broker-data-cleaned',
    brokerName,
    brokerIds: chance.chance(0.5) ? [] : [brokerId],
  };
}

function randomState(chance: Prng): ControllerState {
  const state = createState();
  for (let i = 0; i < 4_000; i += 1) apply(state, randomEvent(chance));
  return state;
}

for (const seed of [1, 2, 3, 4, 5]) {
  test(`changes between the parts do not show, seed ${seed}`, () => {
    const chance = new Prng(seed);
    const state = randomState(chance);
    const before = encodeSnapshot(state);
    const snapshot = beginSnapshot(state);
    const parts: Uint8Array[] = [];
    for (let part = snapshot.next(); part !== null; part = snapshot.next()) {
      parts.push(part);
      for (let i = chance.between(0, 600); i > 0; i -= 1) apply(state, randomEvent(chance));
    }
    snapshot.close();
    assert(parts.length > 2, 'changes had a chance to come in between');
    assert.notDeepEqual(encodeSnapshot(state), before);
    assert.deepEqual(encodeSnapshot(decodeSnapshot(Buffer.concat(parts))), before);
  });
}

test('one at a time, and nothing is watched after the end', () => {
  const state = randomState(new Prng(9));
  const snapshot = beginSnapshot(state);
  assert.throws(() => beginSnapshot(state), /under way/);
  snapshot.close();
  assert.equal(state.watcher, null);
  beginSnapshot(state).close();
});
