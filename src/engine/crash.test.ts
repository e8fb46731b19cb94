import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../lib/prng.js';
import { TestCluster, type TestMember } from './testing.js';

/**
 * Appends, lost messages, cuts, slow disks, single crashes; in the middle all members crash at once.
 * Whatever resolved must be there in the end, everywhere and in one order; and no read that was
 * answered may have missed what had resolved before it was asked.
 */
for (let seed = 1; seed <= 25; seed += 1) {
  test(`seed ${seed}: no crash loses an append that resolved`, async () => {
    const chance = new Prng(seed);
    const cluster = new TestCluster({
      seed,
      completion: 'manual',
      handoff: seed % 2 === 0 ? 'poll' : 'wake',
    });
    cluster.start();
    const resolved: string[] = [];
    const missed: string[] = [];
    let reads = 0;
    for (let round = 0; round < 400; round += 1) {
      for (const member of cluster.members) {
        if (chance.chance(0.6)) member.store.sync();
        if (member.log.isServing) append(member, `${seed}/${round}/${member.id}`);
        if (chance.chance(0.3)) read(member);
        if (chance.chance(0.01)) cluster.restart(member);
      }
      if (chance.chance(0.02)) cluster.cut(chance.pick(cluster.members));
      if (chance.chance(0.05)) cluster.heal();
      const lossRate = chance.chance(0.2) ? 0.3 : 0;
      cluster.drops = () => chance.chance(lossRate);
      if (round === 200) for (const member of cluster.members) cluster.restart(member);
      await cluster.advance(chance.between(1, 3) * 10);
    }
    cluster.heal();
    for (let waited = 0; waited < 300; waited += 1) {
      for (const { store } of cluster.members) store.sync();
      await cluster.advance(10);
    }
    const [first, ...others] = cluster.members.map(({ applied }) => applied);
    for (const other of others) assert.deepEqual(other, first);
    const kept = new Set(first);
    assert.equal(kept.size, first?.length, 'an entry was applied twice');
    assert.deepEqual(
      resolved.filter((text) => !kept.has(text)),
      [],
    );
    assert.deepEqual(missed, [], 'a read missed what had resolved before it was asked');
    assert.ok(resolved.length > 50 && reads > 20, `${resolved.length} appends, ${reads} reads`);
    await cluster.close();

    function append(member: TestMember, text: string): void {
      member.log.append(Buffer.from(text)).then(
        () => resolved.push(text),
        () => {},
      );
    }

    function read(member: TestMember): void {
      const before = resolved.length;
      const { applied } = member;
      member.log.readBarrier().then(
        () => {
          reads += 1;
          const seen = new Set(applied);
          missed.push(...resolved.slice(0, before).filter((text) => !seen.has(text)));
        },
        () => {},
      );
    }
  });
}
