/** One-way partitions go both ways round: who is mute in one is deaf in another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../lib/prng.js';
import { type PartitionMode, partitionModes } from './faults.js';
import { partitionOf } from './network.js';

const DRAWS = 2_000;

/** Of so many one-way partitions: pairs cut from the higher name to the lower, and who was left how. */
function census(mode: PartitionMode, members: number) {
  const chance = new Prng(1);
  const directions = new Prng(2);
  const hosts = Array.from({ length: members }, (_, i) => `n${i}`);
  let cuts = 0;
  let downwards = 0;
  let deaf = 0;
  let mute = 0;
  for (let i = 0; i < DRAWS; i += 1) {
    const pairs = partitionOf(mode, hosts, directions, chance);
    cuts += pairs.length;
    downwards += pairs.filter(([from, to]) => from > to).length;
    const others = (host: string, end: 0 | 1) => pairs.filter((pair) => pair[end] === host).length;
    for (const host of hosts) {
      const unheard = others(host, 0);
      const unhearing = others(host, 1);
      if (unhearing === members - 1 && unheard === 0) deaf += 1;
      if (unheard === members - 1 && unhearing === 0) mute += 1;
    }
  }
  return { downwards: downwards / cuts, deaf: deaf / DRAWS, mute: mute / DRAWS };
}

const isAbout = (share: number, expected: number): boolean => Math.abs(share - expected) < 0.05;

for (const mode of partitionModes) {
  test(`${mode}: one way is cut as often as the other`, () => {
    for (const members of [3, 5]) {
      const { downwards } = census(mode, members);
      assert(isAbout(downwards, 0.5), `${members} members: ${downwards} from high to low`);
    }
  });
}

test('who is isolated one way is deaf as often as mute', () => {
  for (const [mode, members] of [
    ['isolate-one', 3],
    ['isolate-one', 5],
    ['halves', 3],
  ] as const) {
    const { deaf, mute } = census(mode, members);
    assert(isAbout(deaf, 0.5) && isAbout(mute, 0.5), `${mode} of ${members}: ${deaf} and ${mute}`);
  }
});

test('both ways are cut when no direction is drawn', () => {
  for (const mode of partitionModes) {
    const pairs = partitionOf(mode, ['n0', 'n1', 'n2'], null, new Prng(3)).map(String);
    assert.deepEqual(
      new Set(pairs),
      new Set(pairs.map((pair) => pair.split(',').reverse().join())),
    );
  }
});
