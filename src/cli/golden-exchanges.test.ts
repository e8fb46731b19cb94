/**
 * What upstream's controller was seen to answer, exchange by exchange, asked of every build.
 *
 * `extFields` and `body` are null where the response has none. Map keys in bodies are quoted here:
 * docs/compatibility.md, `map-keys`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestCode } from '../lib/codes.js';
import { TestController, type TestReply, type TestRequest } from '../server/testing.js';
import { resolveBuild } from './builds.js';

interface Exchange {
  readonly what: string;
  /** Time that passes before the request. */
  readonly afterMs?: number;
  readonly request: TestRequest;
  readonly reply: Partial<TestReply> & Pick<TestReply, 'code'>;
}

const names = (brokerName: string) => ({ clusterName: 'cluster-a', brokerName });
const setA = names('broker-set-a');
const set2 = names('set2');

const nextId: TestRequest = { code: RequestCode.GetNextBrokerId, extFields: setA };
const apply = (extFields: Record<string, string>, id: number, address: string): TestRequest => ({
  code: RequestCode.ApplyBrokerId,
  extFields: { ...extFields, appliedBrokerId: `${id}`, registerCheckCode: `${address};1700000000` },
});
const register = (extFields: Record<string, string>, id: number, address: string): TestRequest => ({
  code: RequestCode.RegisterBroker,
  extFields: { ...extFields, brokerId: `${id}`, brokerAddress: address },
});
const beat = (id: number, timeoutMs: number): TestRequest => ({
  code: RequestCode.BrokerHeartbeat,
  extFields: {
    ...set2,
    brokerId: `${id}`,
    brokerAddr: `y:${id}`,
    epoch: '1',
    maxOffset: '10',
    heartbeatTimeoutMills: `${timeoutMs}`,
  },
});
const elect = (brokerId: number, designateElect = false): TestRequest => ({
  code: RequestCode.ElectMaster,
  extFields: { ...set2, brokerId: `${brokerId}`, designateElect: `${designateElect}` },
});
const alter = (ids: readonly number[], masterEpoch: number, epoch: number): TestRequest => ({
  code: RequestCode.AlterSyncStateSet,
  extFields: { brokerName: 'set2', masterBrokerId: '1', masterEpoch: `${masterEpoch}` },
  body: JSON.stringify({ syncStateSet: ids, syncStateSetEpoch: epoch }),
});
const replicaInfo = (brokerName: string): TestRequest => ({
  code: RequestCode.GetReplicaInfo,
  extFields: { brokerName },
});
const clean = (brokerControllerIdsToClean: string): TestRequest => ({
  code: RequestCode.CleanBrokerData,
  extFields: { ...set2, brokerControllerIdsToClean },
});

const nobody = { syncStateSet: [], syncStateSetEpoch: 0 };
const masterOne = {
  masterBrokerId: '1',
  masterAddress: 'y:1',
  masterEpoch: '1',
  syncStateSetEpoch: '1',
};
const group = {
  brokerAddrs: { 1: 'y:1', 2: 'y:2' },
  brokerName: 'set2',
  cluster: 'cluster-a',
};
const heartbeatTaken = { code: 0, remark: 'Heart beat success' };
const noMaster = {
  code: 2004,
  extFields: {},
  remark: 'Old master has down and failed to elect a new broker master',
};

const history: readonly Exchange[] = [
  {
    what: '1012 of an unknown set',
    request: nextId,
    reply: { code: 0, extFields: { ...setA, nextBrokerId: '1' } },
  },
  {
    what: '1013 of an unknown set with another id than 1',
    request: apply(setA, 2, 'x:2'),
    reply: {
      code: 2014,
      extFields: setA,
      remark:
        "Broker-set: broker-set-a hasn't been registered in controller, but broker try to apply brokerId: 2",
    },
  },
  {
    what: '1003 of an unknown set',
    request: register(setA, 1, 'x:1'),
    reply: {
      code: 2010,
      extFields: setA,
      remark: "Broker-set: broker-set-a hasn't been registered in controller",
    },
  },
  { what: '1013', request: apply(setA, 1, 'x:1'), reply: { code: 0, extFields: setA } },
  { what: '1013 again', request: apply(setA, 1, 'x:1'), reply: { code: 0, extFields: setA } },
  {
    what: '1013 of an id that another broker has',
    request: apply(setA, 1, 'x:9'),
    reply: {
      code: 2014,
      extFields: setA,
      remark: 'Fail to apply brokerId: 1 in broker-set: broker-set-a',
    },
  },
  {
    what: '1012 after it',
    request: nextId,
    reply: { code: 0, extFields: { ...setA, nextBrokerId: '2' } },
  },
  {
    what: '1003 without a master',
    request: register(setA, 1, 'x:1'),
    reply: { code: 0, extFields: setA, body: nobody },
  },
  {
    what: '1004 without a master',
    request: replicaInfo('broker-set-a'),
    reply: { code: 0, extFields: { masterEpoch: '0' }, body: nobody },
  },
  {
    what: '1004 of an unknown set',
    request: replicaInfo('nowhere'),
    reply: { code: 2008, extFields: {}, remark: 'Broker metadata is not existed' },
  },
  { what: '1013, first', request: apply(set2, 1, 'y:1'), reply: { code: 0, extFields: set2 } },
  { what: '1013, second', request: apply(set2, 2, 'y:2'), reply: { code: 0, extFields: set2 } },
  { what: '904, first', request: beat(1, 30_000), reply: heartbeatTaken },
  { what: '904, second', request: beat(2, 30_000), reply: heartbeatTaken },
  {
    what: '904 without an id',
    request: { code: RequestCode.BrokerHeartbeat },
    reply: { code: 2005, remark: 'Heart beat with empty brokerId' },
  },
  {
    what: '1002, first',
    request: elect(1),
    reply: {
      code: 0,
      extFields: masterOne,
      body: { brokerMemberGroup: group, syncStateSet: [1] },
    },
  },
  {
    what: '1002, second',
    request: elect(2),
    reply: {
      code: 2011,
      extFields: masterOne,
      remark: 'The old master 1 is still alive, not need to elect new master for broker set2',
      body: { syncStateSet: [1] },
    },
  },
  {
    what: '1003 with a master',
    request: register(set2, 2, 'y:2'),
    reply: {
      code: 0,
      extFields: { ...set2, ...masterOne },
      body: { syncStateSet: [1], syncStateSetEpoch: 1 },
    },
  },
  {
    what: '1001',
    request: alter([1, 2], 1, 1),
    reply: {
      code: 0,
      extFields: { newSyncStateSetEpoch: '2' },
      body: { syncStateSet: [1, 2], syncStateSetEpoch: 2 },
    },
  },
  {
    what: '1001 of a fenced master',
    request: alter([1], 3, 2),
    reply: {
      code: 2000,
      extFields: { newSyncStateSetEpoch: '0' },
      remark:
        'Rejecting alter syncStateSet request because the current master epoch is:{1}, not {3}',
    },
  },
  {
    what: '1006',
    request: { code: RequestCode.GetSyncStateData, body: '["set2","nowhere"]' },
    reply: {
      code: 0,
      body: {
        replicasInfoTable: {
          set2: {
            inSyncReplicas: [1, 2].map((brokerId) => ({
              alive: true,
              brokerAddress: `y:${brokerId}`,
              brokerId,
              brokerName: 'set2',
            })),
            masterAddress: 'y:1',
            masterBrokerId: 1,
            masterEpoch: 1,
            notInSyncReplicas: [],
            syncStateSetEpoch: 2,
          },
        },
      },
    },
  },
  {
    what: '1002 by an operator who wants 2',
    request: elect(2, true),
    reply: {
      code: 0,
      extFields: {
        masterBrokerId: '2',
        masterAddress: 'y:2',
        masterEpoch: '2',
        syncStateSetEpoch: '3',
      },
      body: { brokerMemberGroup: group, syncStateSet: [2] },
    },
  },
  {
    what: '1011 with ids that are none',
    request: clean('x'),
    reply: {
      code: 2009,
      remark:
        'Please set the option <brokerControllerIdsToClean> according to the format, exception: java.lang.NumberFormatException: For input string: "x"',
    },
  },
  {
    what: '1011 of a living broker',
    request: clean('2'),
    reply: { code: 2009, remark: 'Broker [set2,  2] is still alive, clean up failure' },
  },
  {
    what: '1002 by the controller, and nobody lives',
    afterMs: 40_000,
    request: elect(-1),
    reply: noMaster,
  },
  { what: '1002 by the controller, once more', request: elect(-1), reply: noMaster },
  {
    what: '1004 after two failed elections',
    request: replicaInfo('set2'),
    reply: {
      code: 0,
      extFields: { masterEpoch: '4' },
      body: { syncStateSet: [2], syncStateSetEpoch: 3 },
    },
  },
  { what: '904, the second is back', request: beat(2, 30_000), reply: heartbeatTaken },
  {
    what: '1002, it elects itself',
    request: elect(2),
    reply: {
      code: 0,
      extFields: {
        masterBrokerId: '2',
        masterAddress: 'y:2',
        masterEpoch: '5',
        syncStateSetEpoch: '4',
      },
      body: { brokerMemberGroup: group, syncStateSet: [2] },
    },
  },
  { what: '1011 of a dead broker', request: clean('1'), reply: { code: 0 } },
];

for (const build of ['baseline', 'optimized']) {
  test(`${build}: the golden exchanges`, async () => {
    // Elections by the controller itself would raise epochs in between.
    const controller = await new TestController(resolveBuild(build), {
      electMasterAttemptsMax: 0,
    }).serve();
    for (const { what, afterMs = 0, request, reply } of history) {
      await controller.advance(afterMs);
      const nothing = { remark: null, extFields: null, body: null };
      assert.deepEqual(await controller.call(request), { ...nothing, ...reply }, what);
    }
    await controller.close();
  });
}
