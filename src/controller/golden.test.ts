/**
 * Exchanges captured from upstream controllers (5.3.3, 5.4.0), replayed against this state machine.
 *
 * A history goes through decide and apply, and each answer is compared with the captured one by
 * its code, remark, fields and body. Map keys are quoted here and bare there; the order of fields
 * carries no meaning. The successful 1013s between them only set the scene.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apply } from './apply.js';
import type { WriteCommand } from './command.js';
import { decide } from './decide.js';
import { nextBrokerId, replicaInfo } from './read.js';
import type { Reply } from './reply.js';
import { alive, clean } from './scenario.js';
import { type ControllerState, createState } from './state.js';

interface Answer {
  readonly code: number;
  readonly extFields?: Readonly<Record<string, string>>;
  readonly remark?: string;
  readonly body?: string;
}

interface Exchange {
  readonly name: string;
  readonly ask: (state: ControllerState, living: readonly number[]) => Reply;
  readonly living?: readonly number[];
  readonly gives: Answer;
}

function write(command: WriteCommand): Exchange['ask'] {
  return (state, living) => {
    const { reply, events } = decide(state, command, alive(living), clean);
    for (const event of events) apply(state, event);
    return reply;
  };
}

const cluster = { clusterName: 'cluster-a' };
const apply1013 = (brokerName: string, appliedBrokerId: number): Exchange['ask'] =>
  write({
    kind: 'apply-broker-id',
    ...cluster,
    brokerName,
    appliedBrokerId,
    registerCheckCode: `y:${appliedBrokerId};1700000000000`,
  });
const register1003 = (brokerName: string, brokerId: number): Exchange['ask'] =>
  write({
    kind: 'register-broker',
    ...cluster,
    brokerName,
    brokerId,
    brokerAddress: `y:${brokerId}`,
  });
const elect1002 = (brokerId: number, designateElect = false): Exchange['ask'] =>
  write({ kind: 'elect-master', brokerName: 'set2', brokerId, designateElect });
const alter1001 = (
  masterEpoch: number,
  syncStateSet: readonly number[],
  syncStateSetEpoch: number,
): Exchange['ask'] =>
  write({
    kind: 'alter-sync-state-set',
    brokerName: 'set2',
    masterBrokerId: 1,
    masterEpoch,
    syncStateSet,
    syncStateSetEpoch,
  });

const setA = { clusterName: 'cluster-a', brokerName: 'broker-set-a' };
const set2 = { clusterName: 'cluster-a', brokerName: 'set2' };
const group =
  '"brokerMemberGroup":{"brokerAddrs":{"1":"y:1","2":"y:2"},"brokerName":"set2","cluster":"cluster-a"}';
const nobody: Answer = {
  code: 2004,
  extFields: {},
  remark: 'Old master has down and failed to elect a new broker master',
};

const history: readonly Exchange[] = [
  {
    name: '1012 unknown set',
    ask: (state) => nextBrokerId(state, setA),
    gives: { code: 0, extFields: { ...setA, nextBrokerId: '1' } },
  },
  {
    name: '1013 bad',
    ask: apply1013('broker-set-a', 2),
    gives: {
      code: 2014,
      extFields: setA,
      remark:
        "Broker-set: broker-set-a hasn't been registered in controller, but broker try to apply brokerId: 2",
    },
  },
  { name: '1013 ok', ask: apply1013('broker-set-a', 1), gives: { code: 0, extFields: setA } },
  {
    name: '1003 ok no master',
    ask: register1003('broker-set-a', 1),
    gives: { code: 0, extFields: setA, body: '{"syncStateSet":[],"syncStateSetEpoch":0}' },
  },
  {
    name: '1004 no master',
    ask: (state) => replicaInfo(state, 'broker-set-a'),
    gives: {
      code: 0,
      extFields: { masterEpoch: '0' },
      body: '{"syncStateSet":[],"syncStateSetEpoch":0}',
    },
  },
  {
    name: '1004 unknown',
    ask: (state) => replicaInfo(state, 'set2'),
    gives: { code: 2008, extFields: {}, remark: 'Broker metadata is not existed' },
  },
  { name: '1013 first', ask: apply1013('set2', 1), gives: { code: 0, extFields: set2 } },
  { name: '1013 second', ask: apply1013('set2', 2), gives: { code: 0, extFields: set2 } },
  {
    name: '1002 first',
    ask: elect1002(1),
    gives: {
      code: 0,
      extFields: {
        masterBrokerId: '1',
        masterAddress: 'y:1',
        syncStateSetEpoch: '1',
        masterEpoch: '1',
      },
      body: `{${group},"syncStateSet":[1]}`,
    },
  },
  {
    name: '1002 second',
    ask: elect1002(2),
    gives: {
      code: 2011,
      extFields: {
        masterBrokerId: '1',
        masterAddress: 'y:1',
        syncStateSetEpoch: '1',
        masterEpoch: '1',
      },
      remark: 'The old master 1 is still alive, not need to elect new master for broker set2',
      body: '{"syncStateSet":[1]}',
    },
  },
  {
    name: '1003 with master',
    ask: register1003('set2', 2),
    gives: {
      code: 0,
      extFields: {
        masterBrokerId: '1',
        masterAddress: 'y:1',
        ...set2,
        syncStateSetEpoch: '1',
        masterEpoch: '1',
      },
      body: '{"syncStateSet":[1],"syncStateSetEpoch":1}',
    },
  },
  {
    name: '1001 ok',
    ask: alter1001(1, [1, 2], 1),
    gives: {
      code: 0,
      extFields: { newSyncStateSetEpoch: '2' },
      body: '{"syncStateSet":[1,2],"syncStateSetEpoch":2}',
    },
  },
  {
    name: '1001 fenced',
    ask: alter1001(3, [1], 2),
    gives: {
      code: 2000,
      extFields: { newSyncStateSetEpoch: '0' },
      remark:
        'Rejecting alter syncStateSet request because the current master epoch is:{1}, not {3}',
    },
  },
  {
    name: '1002 admin 2',
    ask: elect1002(2, true),
    gives: {
      code: 0,
      extFields: {
        masterBrokerId: '2',
        masterAddress: 'y:2',
        syncStateSetEpoch: '3',
        masterEpoch: '2',
      },
      body: `{${group},"syncStateSet":[2]}`,
    },
  },
  { name: '1002 controller, nobody', ask: elect1002(-1), living: [], gives: nobody },
  { name: '1002 controller, nobody again', ask: elect1002(-1), living: [], gives: nobody },
  {
    name: '1004 after that: epoch 4, no master, the set kept',
    ask: (state) => replicaInfo(state, 'set2'),
    gives: {
      code: 0,
      extFields: { masterEpoch: '4' },
      body: '{"syncStateSet":[2],"syncStateSetEpoch":3}',
    },
  },
  {
    name: '1002 broker 2 elects itself',
    ask: elect1002(2),
    gives: {
      code: 0,
      extFields: {
        masterBrokerId: '2',
        masterAddress: 'y:2',
        syncStateSetEpoch: '4',
        masterEpoch: '5',
      },
      body: `{${group},"syncStateSet":[2]}`,
    },
  },
  {
    name: '1011 bad ids',
    ask: write({
      kind: 'clean-broker-data',
      ...set2,
      brokerControllerIdsToClean: 'x',
      isCleanLivingBroker: false,
    }),
    gives: {
      code: 2009,
      remark:
        'Please set the option <brokerControllerIdsToClean> according to the format, exception: java.lang.NumberFormatException: For input string: "x"',
    },
  },
];

test('a captured history is answered as it was', () => {
  const state = createState();
  for (const { name, ask, living = [1, 2], gives } of history) {
    assert.deepEqual(answerOf(ask(state, living)), gives, name);
  }
});

function answerOf({ code, remark, fields, body }: Reply): Answer {
  return {
    code,
    ...(fields === null ? {} : { extFields: Object.fromEntries(fields) }),
    ...(remark === null ? {} : { remark }),
    ...(body === null ? {} : { body }),
  };
}
