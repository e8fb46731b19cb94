/** The floor is honest: what it acknowledges is on two of three, and its other answers are readable. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { call, connect } from '../client/connection.js';
import type { Connection, Request } from '../client/types.js';
import { RequestCode } from '../lib/codes.js';
import { decodeReplicasInfo, decodeSyncStateSet } from '../remoting/bodies.js';
import type { RemotingCommand } from '../remoting/command.js';
import { readAlterSyncStateSetReply, readMaster } from '../remoting/headers.js';
import { startFloor } from './floor.js';
import { BatchBuilder, MarkReader } from './floor-batch.js';

const WRITE: Request = {
  code: RequestCode.AlterSyncStateSet,
  extFields: { brokerName: 'broker-a', masterBrokerId: 1, masterEpoch: 1, invokeTime: 1 },
  body: '{"syncStateSet":[1,2],"syncStateSetEpoch":1}',
};

function open(address: string, requestTimeoutMs = 5_000): Connection {
  return connect(address, {
    windowMax: 1_000,
    connectTimeoutMs: 5_000,
    requestTimeoutMs,
    closeOnTimeout: false,
  });
}

async function askOnce(address: string, request: Request): Promise<RemotingCommand> {
  const connection = open(address);
  try {
    return await call(connection, request);
  } finally {
    connection.close();
  }
}

for (const durability of ['background', 'group'] as const) {
  test(`floor, ${durability}: one follower is enough, none is too few`, {
    timeout: 60_000,
  }, async () => {
    const floor = await startFloor({ durability });
    try {
      const leader = await floor.leader();
      assert.equal(leader.id, 'n0');
      const all = await Promise.all(
        Array.from({ length: 500 }, () => askOnce(leader.address, WRITE)),
      );
      const epochs = all.map(
        ({ code, extFields }) =>
          `${code} ${readAlterSyncStateSetReply(extFields).newSyncStateSetEpoch}`,
      );
      assert.equal(new Set(epochs).size, 500);

      await floor.kill('n1', 'SIGKILL');
      assert.equal((await askOnce(leader.address, WRITE)).code, 0);
      await floor.kill('n2', 'SIGKILL');
      const alone = open(leader.address, 300);
      await assert.rejects(call(alone, WRITE), { code: 'TIMEOUT' });
      alone.close();

      await floor.restart('n1');
      // The leader finds it again in its own time; a write before that stays unanswered.
      for (let code: number | null = null; code !== 0; ) {
        const hopeful = open(leader.address, 200);
        code = await call(hopeful, WRITE).then(
          (reply) => reply.code,
          () => null,
        );
        hopeful.close();
      }
    } finally {
      await floor.close();
    }
  });
}

test('floor: the other requests find a world in which all is well', {
  timeout: 60_000,
}, async () => {
  const floor = await startFloor({ durability: 'background' });
  try {
    const [leader = '', follower = ''] = floor.addresses;
    const sets = await askOnce(leader, { code: RequestCode.GetSyncStateData, body: '["a","b"]' });
    assert(sets.body !== null);
    const views = [...decodeReplicasInfo(sets.body)].map(
      ([name, { masterBrokerId, inSyncReplicas }]) =>
        `${name}: master ${masterBrokerId} of ${inSyncReplicas.map(({ brokerId }) => brokerId)}`,
    );
    assert.deepEqual(views, ['a: master 1 of 1,2,3', 'b: master 1 of 1,2,3']);

    const info = await askOnce(leader, {
      code: RequestCode.GetReplicaInfo,
      extFields: { brokerName: 'a' },
    });
    assert.deepEqual(
      [info.code, readMaster(info.extFields).masterEpoch, decodeSyncStateSet(info.body)],
      [0, 1, { syncStateSet: [1, 2, 3], syncStateSetEpoch: 1 }],
    );

    const codes = await Promise.all(
      [1012, 1013, 1003, 1002, 904, 1011, 9_999].map(async (code) => {
        const { code: answered } = await askOnce(leader, { code, extFields: { brokerName: 'a' } });
        return `${code} → ${answered}`;
      }),
    );
    assert.equal(
      codes.join(', '),
      '1012 → 0, 1013 → 0, 1003 → 0, 1002 → 0, 904 → 0, 1011 → 0, 9999 → 3',
    );
    assert.equal((await askOnce(follower, WRITE)).code, 2007);
  } finally {
    await floor.close();
  }
});

test('marks: however a stream of batches is cut, the last complete one is known', () => {
  const batches = fc.array(
    fc.array(fc.record({ name: fc.string(), body: fc.uint8Array({ maxLength: 40 }) }), {
      minLength: 1,
      maxLength: 5,
    }),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(batches, fc.array(fc.nat({ max: 60 })), (lists, cuts) => {
      const builder = new BatchBuilder();
      const encoded = lists.map((entries, index) => {
        for (const { name, body } of entries) builder.add(name, Buffer.from(body));
        return builder.take(index + 1);
      });
      const ends = encoded.map((_, index) => Buffer.concat(encoded.slice(0, index + 1)).length);
      const stream = Buffer.concat(encoded);
      const reader = new MarkReader('batches');
      let at = 0;
      for (const cut of [...cuts, stream.length]) {
        const chunk = stream.subarray(at, at + cut);
        at += chunk.length;
        const complete = ends.filter((end) => end <= at).length;
        assert.equal(reader.push(chunk), complete);
      }
    }),
    { seed: 1 },
  );
});
