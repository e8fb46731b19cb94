/**
 * What holds after any history, whoever was alive: thousands of commands, each checked on its way
 * through decide, the log and apply. A failure shrinks to the shortest history that shows it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Prng } from '../lib/prng.js';
import { apply, applyEncoded } from './apply.js';
import type { WriteCommand } from './command.js';
import { type DecideOptions, decide } from './decide.js';
import type { Decision } from './decision.js';
import { type ControllerEvent, encodeEvents } from './event.js';
import type { LivenessView } from './liveness.js';
import { decodeSnapshot, encodeSnapshot, statesEqual } from './snapshot.js';
import { type BrokerSet, type ControllerState, createState, type SyncState } from './state.js';

const clusters = ['c', 'd', null] as const;

interface Step {
  readonly command: WriteCommand;
  readonly liveness: LivenessView;
  readonly options: DecideOptions;
}

/** Most commands are what a well-informed broker would send; the others are wrong in one thing or more. */
function drawStep(random: Prng, state: ControllerState, brokerName: string): Step {
  const living = [1, 2, 3, 4].filter(() => random.chance(0.8));
  const info = {
    epoch: random.between(0, 2),
    maxOffset: random.between(0, 3),
    electionPriority: random.between(0, 1),
  };
  return {
    command: drawCommand(random, state.brokerSets.get(brokerName), brokerName),
    liveness: {
      isAlive: (cluster, _name, id) => cluster !== 'd' && living.includes(id),
      info: (_cluster, _name, id) => ({ ...info, maxOffset: (info.maxOffset * id) % 3 }),
    },
    options: { enableElectUncleanMaster: random.chance(0.2) },
  };
}

function drawCommand(random: Prng, set: BrokerSet | undefined, brokerName: string): WriteCommand {
  const clusterName = random.pick(clusters);
  const brokerId = random.chance(0.05) ? null : random.between(1, 5);
  const near = (right: number): number => (random.chance(0.85) ? right : right + 1);
  switch (random.between(0, 11)) {
    case 0:
    case 1:
      return {
        kind: 'apply-broker-id',
        clusterName,
        brokerName,
        appliedBrokerId: random.chance(0.5) ? 1 : brokerId,
        registerCheckCode: random.pick(['y:1;1', 'y:2;1', 'z:1;2', ';', '']),
      };
    case 2:
    case 3: {
      const brokerAddress = random.pick(['y:1', 'z:1', null]);
      return { kind: 'register-broker', clusterName, brokerName, brokerId, brokerAddress };
    }
    case 4:
    case 5: {
      const designateElect = random.chance(0.3);
      return {
        kind: 'elect-master',
        brokerName,
        brokerId: random.chance(0.3) ? -1 : brokerId,
        designateElect,
      };
    }
    case 6: {
      if (random.chance(0.6))
        return { kind: 'elect-master', brokerName, brokerId, designateElect: false };
      return {
        kind: 'clean-broker-data',
        clusterName,
        brokerName,
        brokerControllerIdsToClean: random.pick(['1', '2;3', '4', '5;x', ';', null]),
        isCleanLivingBroker: random.chance(0.1),
      };
    }
    default: {
      const sync: SyncState | null = set?.sync ?? null;
      const master = sync?.masterBrokerId ?? 1;
      const others = [1, 2, 3, 4, 5].filter(() => random.chance(0.4));
      return {
        kind: 'alter-sync-state-set',
        brokerName,
        masterBrokerId: near(master),
        masterEpoch: near(sync?.masterEpoch ?? 0),
        syncStateSet: random.chance(0.9) ? [master, ...others] : others,
        syncStateSetEpoch: near(sync?.syncStateSetEpoch ?? 0),
      };
    }
  }
}

function perform(state: ControllerState, step: Step): Decision {
  const decision = decide(state, step.command, step.liveness, step.options);
  for (const event of decision.events) apply(state, event);
  return decision;
}

test('deciding changes nothing and answers the same twice', () => {
  forAll((state, step) => {
    const before = encodeSnapshot(state);
    const decision = decide(state, step.command, step.liveness, step.options);
    const again = decide(state, step.command, step.liveness, step.options);
    assert.deepEqual(encodeSnapshot(state), before);
    assert.deepEqual(again, decision);
    perform(state, step);
  });
});

test('epochs of a set never fall while it lives', () => {
  forAll((state, step) => {
    const name = String(step.command.brokerName);
    const before = state.brokerSets.get(name)?.sync ?? null;
    const { events } = perform(state, step);
    const after = state.brokerSets.get(name)?.sync ?? null;
    if (before === null || after === null) return;
    const [event] = events;
    if (event?.kind === 'broker-id-applied') return; // May have rebuilt the set: another life.
    const elects = event?.kind === 'master-elected';
    const alters = event?.kind === 'sync-state-set-altered';
    const succeeds = elects && event.masterBrokerId !== null;
    assert.equal(after.masterEpoch, before.masterEpoch + Number(elects));
    assert.equal(after.syncStateSetEpoch, before.syncStateSetEpoch + Number(succeeds || alters));
  });
});

test('a master is in its SyncStateSet when elected and after each change', () => {
  forAll((state, step) => {
    const { events } = perform(state, step);
    const [event] = events;
    if (event === undefined) return;
    const sync = state.brokerSets.get(event.brokerName)?.sync ?? null;
    if (sync === null) return;
    const { syncStateSet, masterBrokerId } = sync;
    for (let i = 1; i < syncStateSet.length; i += 1) {
      assert(Number(syncStateSet[i - 1]) < Number(syncStateSet[i]), 'not strictly ascending');
    }
    const elected = event.kind === 'master-elected' && event.masterBrokerId !== null;
    if (elected || event.kind === 'sync-state-set-altered') {
      assert(masterBrokerId !== null && syncStateSet.includes(masterBrokerId));
    }
  });
});

test('what a reply promises is what the state holds afterwards', () => {
  forAll((state, step) => {
    const { reply, roleChange } = perform(state, step);
    const sync = state.brokerSets.get(String(step.command.brokerName))?.sync ?? null;
    const fields = new Map(reply.fields ?? []);
    const body = reply.body === null ? null : JSON.parse(reply.body);
    if (body !== null) assert.deepEqual(body.syncStateSet, sync?.syncStateSet);
    for (const name of ['masterBrokerId', 'masterEpoch', 'syncStateSetEpoch'] as const) {
      const value = fields.get(name);
      if (value !== undefined) assert.equal(value, String(sync?.[name]));
    }
    const newEpoch = fields.get('newSyncStateSetEpoch');
    if (reply.code === 0 && newEpoch !== undefined) {
      assert.equal(newEpoch, String(sync?.syncStateSetEpoch));
    }
    const elected = step.command.kind === 'elect-master' && reply.code === 0;
    assert.equal(roleChange !== null, elected);
  });
});

test('applying the bytes of the log is applying the events', () => {
  forAllHistories(() => {
    const follower = createState();
    let pending: ControllerEvent[] = [];
    return (state, step, random) => {
      pending.push(...perform(state, step).events);
      if (random.chance(0.7)) return;
      applyEncoded(follower, encodeEvents(pending));
      pending = [];
      assert(statesEqual(state, follower));
    };
  });
});

test('a snapshot restores the state it was taken of', () => {
  forAllHistories(() => {
    let restored = createState();
    return (state, step, random) => {
      const { events } = perform(state, step);
      for (const event of events) apply(restored, event);
      if (random.chance(0.1)) restored = decodeSnapshot(encodeSnapshot(restored));
      assert.deepEqual(encodeSnapshot(restored), encodeSnapshot(state));
    };
  });
});

test('commands on different broker sets commute', () => {
  forAll((state, one, random) => {
    const name = one.command.brokerName === 'set-0' ? 'set-1' : 'set-0';
    const other = drawStep(random, state, name);
    const twin = decodeSnapshot(encodeSnapshot(state));
    const oneFirst = [perform(state, one), perform(state, other)];
    const otherFirst = [perform(twin, other), perform(twin, one)];
    assert.deepEqual(otherFirst.reverse(), oneFirst);
    assert(statesEqual(state, twin));
  });
});

test('the histories are worth running: every answer occurs in them', () => {
  const codes = new Set<number>();
  forAll((state, step) => codes.add(perform(state, step).reply.code));
  const expected = [0, 1, 2000, 2001, 2002, 2003, 2004, 2006, 2009, 2010, 2011, 2012, 2013, 2014];
  assert.deepEqual(
    [...codes].sort((a, b) => a - b),
    expected,
  );
});

/** What to do with each step; it performs the step on the state, or else nothing ever happens. */
type Visit = (state: ControllerState, step: Step, random: Prng) => void;

function forAll(visit: Visit): void {
  forAllHistories(() => visit);
}

/** @param begin called once per history, for what has to be remembered along it. */
function forAllHistories(begin: () => Visit): void {
  const length = fc.integer({ min: 1, max: 600 });
  fc.assert(
    fc.property(fc.integer(), length, (seed, steps) => {
      const visit = begin();
      const random = new Prng(seed);
      const state = createState();
      for (let i = 0; i < steps; i += 1) {
        const step = drawStep(random, state, `set-${random.between(0, 2)}`);
        visit(state, step, random);
      }
    }),
    { seed: 7, numRuns: 40 },
  );
}
