import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../lib/prng.js';
import {
  type Answer,
  type BrokerEffect,
  type BrokerInput,
  type Call,
  type Role,
  SimulatedBroker,
  type Timer,
} from './simulated-broker.js';

/** One input, and everything the broker did about it. */
type Step = readonly [input: BrokerInput, effects: string];

const start: BrokerInput = { kind: 'start' };
const due = (timer: Timer): BrokerInput => ({ kind: 'timer', timer });
const nothing = (call: Call): BrokerInput => ({ kind: 'unanswered', call });
const caughtUp = (id: number, masterEpoch = 1): BrokerInput => ({
  kind: 'slave-caught-up',
  id,
  masterEpoch,
});
const reply = (
  call: Call,
  code: number,
  extFields: Answer['extFields'] = {},
  set: readonly number[] | null = null,
  epoch: number | null = null,
): BrokerInput => ({
  kind: 'answered',
  call,
  answer: { code, extFields, syncStateSet: set, syncStateSetEpoch: epoch },
});
const pushed = (role: Role): BrokerInput => ({ kind: 'role-changed', role });

const master = (id: number, masterEpoch = 1, epoch = 1) => ({
  masterBrokerId: String(id),
  masterEpoch: String(masterEpoch),
  syncStateSetEpoch: String(epoch),
});
const leader = { controllerLeaderAddress: 'L' };

const untilRegistered: readonly Step[] = [
  [start, '1005 to 0'],
  [reply('metadata', 0, leader), 'refresh-metadata in 3000, 1012 to L'],
  [reply('next-id', 0, { nextBrokerId: '1' }), '1013 to L id=1 code=a:1;1000'],
  [reply('apply-id', 0), '1003 to L id=1'],
];
const untilMaster: readonly Step[] = [
  ...untilRegistered,
  [reply('register', 0, {}, [], 0), 'beat epoch=-1, 1002 to L id=1'],
  [
    reply('elect', 0, master(1), [1]),
    'master@1, check-sync-state-set in 3000, running, beat in 1000, poll-replica-info in 3000',
  ],
];

const cases: readonly { readonly name: string; readonly steps: readonly Step[] }[] = [
  { name: 'the first broker of a set starts, registers and becomes master', steps: untilMaster },
  {
    name: 'a broker that finds a master at registration follows it and takes part in no election',
    steps: [
      ...untilRegistered,
      [
        reply('register', 0, master(2), [2], 1),
        'follows 2@1, beat epoch=1, running, ' + 'beat in 1000, poll-replica-info in 3000',
      ],
    ],
  },
  {
    name: 'a broker that comes second to the election learns the master from code 2011',
    steps: [
      ...untilRegistered,
      [reply('register', 0, {}, [], 0), 'beat epoch=-1, 1002 to L id=1'],
      [
        reply('elect', 2011, master(2), [2]),
        'follows 2@1, running, beat in 1000, poll-replica-info in 3000',
      ],
    ],
  },
  {
    name: 'the leader is looked for on every member, three times a second apart, then after 5 s',
    steps: [
      [start, '1005 to 0'],
      [reply('metadata', 0), '1005 to 1'],
      [nothing('metadata'), 'retry-metadata in 1000'],
      [due('retry-metadata'), '1005 to 0'],
      [nothing('metadata'), '1005 to 1'],
      [nothing('metadata'), 'retry-metadata in 1000'],
      [due('retry-metadata'), '1005 to 0'],
      [nothing('metadata'), '1005 to 1'],
      [nothing('metadata'), 'resume-start in 5000'],
      [due('resume-start'), '1005 to 0'],
    ],
  },
  {
    name: 'a lost reply to 1013 leaks the id: the next try asks for another, with a new check code',
    steps: [
      [start, '1005 to 0'],
      [reply('metadata', 0, leader), 'refresh-metadata in 3000, 1012 to L'],
      [reply('next-id', 0, { nextBrokerId: '1' }), '1013 to L id=1 code=a:1;1000'],
      [nothing('apply-id'), 'retry-register in R'],
      [due('retry-register'), '1012 to L'],
      [reply('next-id', 0, { nextBrokerId: '2' }), '1013 to L id=2 code=a:1;1001'],
    ],
  },
  {
    name: 'a refused id is asked for anew; a confirmed one is kept when the registration fails',
    steps: [
      [start, '1005 to 0'],
      [reply('metadata', 0, leader), 'refresh-metadata in 3000, 1012 to L'],
      [reply('next-id', 0, { nextBrokerId: '1' }), '1013 to L id=1 code=a:1;1000'],
      [reply('apply-id', 2014), 'retry-register in R'],
      [due('retry-register'), '1012 to L'],
      [reply('next-id', 0, { nextBrokerId: '2' }), '1013 to L id=2 code=a:1;1001'],
      [reply('apply-id', 0), '1003 to L id=2'],
      [reply('register', 2007), 'retry-register in R'],
      [due('retry-register'), '1003 to L id=2'],
    ],
  },
  {
    name: 'after five failed registrations the broker rests 5 s and starts over from there',
    steps: [
      [start, '1005 to 0'],
      [reply('metadata', 0, leader), 'refresh-metadata in 3000, 1012 to L'],
      [nothing('next-id'), 'retry-register in R'],
      [due('retry-register'), '1012 to L'],
      [reply('next-id', 1), 'retry-register in R'],
      [due('retry-register'), '1012 to L'],
      [reply('next-id', 2007), 'retry-register in R'],
      [due('retry-register'), '1012 to L'],
      [nothing('next-id'), 'retry-register in R'],
      [due('retry-register'), '1012 to L'],
      [nothing('next-id'), 'resume-start in 5000'],
      [due('resume-start'), '1012 to L'],
    ],
  },
  {
    name: 'a failed election is tried again after 5 s, with a beat before it',
    steps: [
      ...untilRegistered,
      [reply('register', 0, {}, [], 0), 'beat epoch=-1, 1002 to L id=1'],
      [reply('elect', 2012), 'resume-start in 5000'],
      [due('resume-start'), 'beat epoch=-1, 1002 to L id=1'],
      [nothing('elect'), 'resume-start in 5000'],
    ],
  },
  {
    name: 'a master asks for each slave that catches up, one 1001 at a time',
    steps: [
      ...untilMaster,
      [caughtUp(2), '1001 to L {"syncStateSet":[1,2],"syncStateSetEpoch":1}'],
      [caughtUp(3), ''],
      [
        reply('alter', 0, { newSyncStateSetEpoch: '2' }, [1, 2], 2),
        'in step 1,2, 1001 to L {"syncStateSet":[1,2,3],"syncStateSetEpoch":2}',
      ],
      [reply('alter', 0, { newSyncStateSetEpoch: '3' }, [1, 2, 3], 3), 'in step 1,2,3'],
    ],
  },
  {
    name: 'a refused or unanswered 1001 is repeated by the next check only',
    steps: [
      ...untilMaster,
      [caughtUp(2), '1001 to L {"syncStateSet":[1,2],"syncStateSetEpoch":1}'],
      [reply('alter', 2006), ''],
      [
        due('check-sync-state-set'),
        'check-sync-state-set in 5000, 1001 to L {"syncStateSet":[1,2],"syncStateSetEpoch":1}',
      ],
      [nothing('alter'), ''],
    ],
  },
  {
    name: 'a lost slave leaves the SyncStateSet',
    steps: [
      ...untilMaster,
      [caughtUp(2), '1001 to L {"syncStateSet":[1,2],"syncStateSetEpoch":1}'],
      [reply('alter', 0, {}, [1, 2], 2), 'in step 1,2'],
      [{ kind: 'slave-lost', id: 2 }, '1001 to L {"syncStateSet":[1],"syncStateSetEpoch":2}'],
    ],
  },
  {
    name: 'a slave of an earlier master epoch does not count',
    steps: [...untilMaster, [caughtUp(2, 0), '']],
  },
  {
    name: 'a newer master in 1004 is followed, an older one ignored, a missing one elected',
    steps: [
      ...untilMaster,
      [due('poll-replica-info'), '1004 to L, poll-replica-info in 5000'],
      [reply('replica-info', 0, master(2, 2, 2), [2], 2), 'follows 2@2'],
      [reply('replica-info', 0, master(1, 1, 1), [1], 1), ''],
      [reply('replica-info', 0, { masterEpoch: '3' }, [], 2), '1002 to L id=1'],
      [reply('elect', 0, master(1, 4, 3), [1]), 'master@4, check-sync-state-set in 3000'],
    ],
  },
  {
    name: 'a master adopts a newer SyncStateSet of its own epoch',
    steps: [
      ...untilMaster,
      [caughtUp(2), '1001 to L {"syncStateSet":[1,2],"syncStateSetEpoch":1}'],
      [nothing('alter'), ''],
      [reply('replica-info', 0, master(1, 1), [1, 2], 2), ''],
      [due('check-sync-state-set'), 'check-sync-state-set in 5000'],
    ],
  },
  {
    name: 'code 2008 makes a broker register once more; it applies for no other id',
    steps: [
      ...untilMaster,
      [reply('replica-info', 2008), '1003 to L id=1'],
      [reply('register', 2010), ''],
    ],
  },
  {
    name: 'a push changes the role when its epoch is newer',
    steps: [
      ...untilMaster,
      [
        pushed({ masterId: 2, masterEpoch: 2, syncStateSet: [2], syncStateSetEpoch: 2 }),
        'follows 2@2',
      ],
      [pushed({ masterId: 1, masterEpoch: 2, syncStateSet: [1], syncStateSetEpoch: 3 }), ''],
      [due('check-sync-state-set'), ''],
      [
        pushed({ masterId: 1, masterEpoch: 3, syncStateSet: [1], syncStateSetEpoch: 3 }),
        'master@3, check-sync-state-set in 3000',
      ],
    ],
  },
  {
    name: 'the leader is looked up every 10 s; not finding one changes nothing',
    steps: [
      ...untilMaster,
      [due('refresh-metadata'), '1005 to 0'],
      [nothing('refresh'), '1005 to 1'],
      [nothing('refresh'), 'refresh-metadata in 10000'],
      [due('refresh-metadata'), '1005 to 0'],
      [reply('refresh', 0, { controllerLeaderAddress: 'M' }), 'refresh-metadata in 10000'],
      [due('poll-replica-info'), '1004 to M, poll-replica-info in 5000'],
      [reply('replica-info', 2007), ''],
    ],
  },
  {
    name: 'a running broker beats every second',
    steps: [...untilMaster, [due('beat'), 'beat epoch=1, beat in 1000']],
  },
];

for (const { name, steps } of cases) {
  test(name, () => {
    let wallMs = 999;
    const broker = new SimulatedBroker({
      brokerName: 'set',
      address: 'a:1',
      members: 2,
      prng: new Prng(1),
      wallMs: () => {
        wallMs += 1;
        return wallMs;
      },
    });
    for (const [input, effects] of steps) {
      assert.equal(broker.step(input).map(show).join(', '), effects, JSON.stringify(input));
    }
  });
}

/** Broker 2 of a set of three goes on in a role that it has had for long, then meets what follows. */
const lives: readonly { name: string; role: Partial<Role>; goesOn: string; steps: Step[] }[] = [
  {
    name: 'a slave that goes on polls, and takes over when it is told that it is master',
    role: { masterId: 1, masterEpoch: 4 },
    goesOn: 'follows 1@4',
    steps: [
      [due('beat'), 'beat epoch=4, beat in 250'],
      [due('poll-replica-info'), '1004 to , poll-replica-info in 5000'],
      [reply('replica-info', 0, master(2, 5), [2], 9), 'master@5, check-sync-state-set in 3000'],
      [caughtUp(3, 4), ''],
      [caughtUp(3, 5), '1001 to  {"syncStateSet":[2,3],"syncStateSetEpoch":9}'],
    ],
  },
  {
    name: 'a master that goes on knows its slaves, and asks for nothing',
    role: { masterId: 2, masterEpoch: 4 },
    goesOn: 'master@4, check-sync-state-set in 3000',
    steps: [[due('check-sync-state-set'), 'check-sync-state-set in 5000']],
  },
];

for (const { name, role, goesOn, steps } of lives) {
  test(name, () => {
    const broker = new SimulatedBroker({
      brokerName: 'set',
      address: 'a:1',
      members: 3,
      prng: new Prng(1),
      id: 2,
      beatMs: 250,
      heartbeatTimeoutMs: 2_000,
      wallMs: () => 0,
    });
    const known = { masterId: 1, masterEpoch: 1, syncStateSet: [1, 2, 3], syncStateSetEpoch: 3 };
    const timers = ['beat', 'poll-replica-info', 'refresh-metadata'];
    const effects = broker.step({ kind: 'go-on', role: { ...known, ...role } });
    const isTimer = (effect: BrokerEffect): boolean =>
      effect.kind === 'wait' && timers.includes(effect.timer);
    assert.equal(
      effects
        .filter((effect) => !isTimer(effect))
        .map(show)
        .join(', '),
      goesOn,
    );
    // Each of them anywhere in its round, so that a fleet does not beat and ask as one.
    const rounds = effects.filter(isTimer).map((effect) => effect.kind === 'wait' && effect.forMs);
    assert.equal(rounds.length, 3);
    for (const [at, most] of [250, 5_000, 10_000].entries()) {
      assert((rounds[at] as number) >= 0 && (rounds[at] as number) <= most, `${rounds}`);
    }
    for (const [input, expected] of steps) {
      assert.equal(broker.step(input).map(show).join(', '), expected, JSON.stringify(input));
    }
    const [beat] = broker.step(due('beat'));
    assert(beat?.kind === 'beat');
    assert.equal(beat.request.extFields?.['heartbeatTimeoutMills'], 2_000);
  });
}

test('pauses between registrations are random, within a second, and follow the seed', () => {
  const pauses = (seed: number): number[] => {
    const identity = { brokerName: 's', address: 'a', members: 1, wallMs: () => 0 };
    const broker = new SimulatedBroker({ ...identity, prng: new Prng(seed) });
    broker.step(start);
    broker.step(reply('metadata', 0, leader));
    return [1, 2, 3, 4].flatMap(() => {
      const [wait] = broker.step(nothing('next-id'));
      broker.step(due('retry-register'));
      return wait?.kind === 'wait' ? [wait.forMs] : [];
    });
  };
  assert.equal(pauses(1).length, 4);
  assert(pauses(1).every((ms) => ms >= 0 && ms <= 1_000));
  assert.deepEqual(pauses(1), pauses(1));
  assert.notDeepEqual(pauses(1), pauses(2));
});

function show(effect: BrokerEffect): string {
  switch (effect.kind) {
    case 'ask': {
      const { code, extFields = {}, body } = effect.request;
      const to = 'member' in effect.to ? effect.to.member : effect.to.leader;
      const id = extFields['brokerId'] ?? extFields['appliedBrokerId'];
      const checkCode = extFields['registerCheckCode'];
      return [
        `${code} to ${to}`,
        ...(id === undefined ? [] : [`id=${id}`]),
        ...(checkCode === undefined ? [] : [`code=${checkCode}`]),
        ...(body === undefined ? [] : [String(body)]),
      ].join(' ');
    }
    case 'beat':
      return `beat epoch=${effect.request.extFields?.['epoch']}`;
    case 'wait':
      return `${effect.timer} in ${effect.timer === 'retry-register' ? 'R' : effect.forMs}`;
    case 'running':
      return 'running';
    case 'became-master':
      return `master@${effect.masterEpoch}`;
    case 'follows':
      return `follows ${effect.masterId}@${effect.masterEpoch}`;
    case 'in-step':
      return `in step ${effect.syncStateSet.join()}`;
  }
}
