/** The checker agrees with brute force, tells indefinite from failed, and is quick enough to be used. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../lib/prng.js';
import { isLinearizableByForce } from './brute-force.js';
import { controllerModel, type SetCallInput, type SetCallOutput } from './controller-model.js';
import { type KvCallInput, type KvCallOutput, kvModel } from './kv-model.js';
import { type Call, checkLinearizable, type Model } from './linearizability.js';

type KvCall = Call<KvCallInput, KvCallOutput>;
type SetCall = Call<SetCallInput, SetCallOutput>;

const never = Number.POSITIVE_INFINITY;
const put = (value: number, calledAt: number, returnedAt: number): KvCall => ({
  input: { kind: 'put', value, expected: null },
  output: returnedAt === never ? null : { done: true, value: null },
  calledAt,
  returnedAt,
});
const get = (value: number | null, calledAt: number, returnedAt: number): KvCall => ({
  input: { kind: 'get', value: null, expected: null },
  output: { done: true, value },
  calledAt,
  returnedAt,
});

const stories: readonly {
  readonly name: string;
  readonly calls: readonly KvCall[];
  readonly is: 'linearizable' | 'violation';
}[] = [
  { name: 'a read of what was written', calls: [put(1, 0, 1), get(1, 2, 3)], is: 'linearizable' },
  { name: 'a stale read', calls: [put(1, 0, 1), put(2, 2, 3), get(1, 4, 5)], is: 'violation' },
  { name: 'a read beside the write', calls: [put(1, 0, 9), get(null, 2, 3)], is: 'linearizable' },
  {
    name: 'a value that comes and goes',
    calls: [put(1, 0, 9), get(1, 1, 2), get(null, 3, 4)],
    is: 'violation',
  },
  {
    name: 'an indefinite write that took effect late',
    calls: [put(1, 0, never), get(null, 1, 2), get(1, 50, 51)],
    is: 'linearizable',
  },
  {
    name: 'an indefinite write that never did',
    calls: [put(1, 0, never), get(null, 50, 51)],
    is: 'linearizable',
  },
  {
    name: 'an indefinite write that took effect twice',
    calls: [put(1, 0, never), get(1, 1, 2), put(2, 3, 4), get(2, 5, 6), get(1, 7, 8)],
    is: 'violation',
  },
];
for (const { calls, is, name } of stories) {
  test(`${name}: ${is}`, () => {
    assert.equal(checkLinearizable(calls, kvModel).kind, is);
  });
}

/** A history of few clients; answers are drawn, so that most of them fit nothing. */
function randomKvHistory(chance: Prng): KvCall[] {
  const calls: KvCall[] = [];
  const clients = chance.between(1, 3);
  const values = [null, 1, 2];
  for (let client = 0; client < clients; client += 1) {
    let at = chance.between(0, 5);
    for (let i = chance.between(1, 3); i > 0; i -= 1) {
      const returnedAt = at + chance.between(1, 8);
      const isLost = chance.chance(0.15);
      const kind = chance.pick(['put', 'get', 'get', 'cas', 'delete'] as const);
      const input = { kind, value: chance.between(1, 2), expected: chance.pick(values) };
      const output = { done: chance.chance(0.6), value: chance.pick(values) };
      if (kind === 'get' && isLost) continue;
      calls.push({
        input,
        output: isLost ? null : output,
        calledAt: at,
        returnedAt: isLost ? never : returnedAt,
      });
      at = returnedAt + chance.between(1, 4);
    }
  }
  return calls;
}

/** Run against a real broker set, with some answers falsified, some lost, and elections that nobody asked for. */
function randomSetHistory(chance: Prng): SetCall[] {
  const calls: SetCall[] = [];
  const state = {
    masterId: null as number | null,
    masterEpoch: 0,
    set: [] as number[],
    setEpoch: 0,
  };
  const elect = (): void => {
    state.masterId = chance.pick(state.set.length === 0 ? [1, 2] : state.set);
    state.masterEpoch += 1;
    state.set = [state.masterId];
    state.setEpoch += 1;
  };
  let at = 0;
  for (let i = chance.between(2, 6); i > 0; i -= 1) {
    at += chance.between(1, 8);
    if (chance.chance(0.15)) elect();
    const kind = chance.pick(['read', 'elect', 'alter'] as const);
    const { masterEpoch, masterId, setEpoch } = state;
    const syncStateSet = masterId === null ? [] : chance.pick([[masterId], [1, 2]]);
    const input = { kind, masterId, masterEpoch, syncStateSet, syncStateSetEpoch: setEpoch };
    if (kind === 'elect') elect();
    if (kind === 'alter') {
      state.set = [...syncStateSet];
      state.setEpoch += 1;
    }
    const output = {
      masterId: state.masterId,
      masterEpoch: state.masterEpoch + Number(chance.chance(0.1)),
      syncStateSet: state.set,
      syncStateSetEpoch: state.setEpoch - Number(chance.chance(0.1)),
    };
    const isLost = kind !== 'read' && chance.chance(0.15);
    const span = chance.between(1, 15);
    calls.push({
      input,
      output: isLost ? null : output,
      calledAt: at - chance.between(0, Math.min(at, span)),
      returnedAt: isLost ? never : at + span,
    });
  }
  return calls;
}

test('10,000 small histories get the verdict that brute force gives them', () => {
  const chance = new Prng(2_026);
  agree(kvModel, () => randomKvHistory(chance), 5_000);
  agree(controllerModel({ unclean: false }), () => randomSetHistory(chance), 5_000);
});

/** Both verdicts must be frequent, or agreement says nothing. */
function agree<State extends string | number, Input, Output>(
  model: Model<State, Input, Output>,
  randomHistory: () => Call<Input, Output>[],
  count: number,
): void {
  let linearizable = 0;
  for (let i = 0; i < count; i += 1) {
    const calls = randomHistory();
    const { kind } = checkLinearizable(calls, model);
    assert.notEqual(kind, 'unknown');
    const byForce = isLinearizableByForce(calls, model);
    assert.equal(kind === 'linearizable', byForce, JSON.stringify(calls));
    linearizable += Number(byForce);
  }
  assert(linearizable > count / 5 && linearizable < (count * 4) / 5, `${linearizable} of ${count}`);
}
