/**
 * The pure parts of the suite: what is drawn, what is taken out of a reply, what counts as equal, and
 * what is kept in a file.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../lib/prng.js';
import { compare } from './compare.js';
import { deviationsFrom } from './deviations.js';
import type { Ask, Outcome, Reply, WireRequest } from './exchange.js';
import { Generator } from './generate.js';
import { normalise } from './normalise.js';
import { formatRecording, parseRecording, type Recording, RecordingError } from './recording.js';
import {
  addressOf,
  alter,
  beat,
  elect,
  properties,
  register,
  replicaInfo,
  requestShapes,
  syncStateData,
  update,
} from './requests.js';
import { groupSteps, stateSteps, wireSteps } from './scenarios.js';

const reply = (parts: Partial<Reply> = {}): Reply => ({
  code: 0,
  remark: null,
  extFields: null,
  body: null,
  ...parts,
});
const ask = (request: WireRequest, more: Partial<Ask> = {}): Ask => ({
  do: 'ask',
  request,
  ...more,
});

const NPE = 'java.util.concurrent.ExecutionException: java.lang.NullPointerException';
const READER = 'com.alibaba.fastjson2.JSONException: ';

const refusal = (name: string, because: string): string =>
  `Can not update ${name}: ${because}. Change its file and restart it.`;

/** As 1006 shows a set: who is master and alone in step, and who is not in step. */
function stateOf(master: number, others: readonly number[], areAlive = true): string {
  const replica = (id: number, alive: boolean) => ({
    alive,
    brokerAddress: addressOf(id),
    brokerId: id,
  });
  return JSON.stringify({
    inSyncReplicas: [replica(master, true)],
    masterBrokerId: master,
    masterEpoch: 2,
    notInSyncReplicas: others.map((id) => replica(id, areAlive)),
    syncStateSetEpoch: 3,
  });
}

const comparisons: readonly {
  readonly what: string;
  readonly step?: Ask;
  readonly upstream: Outcome;
  readonly ours: Outcome;
  /** What upstream's leader said. */
  readonly leader?: Outcome;
  /** Default 5.4.0. */
  readonly peer?: string;
  readonly result: string;
}[] = [
  {
    what: 'equal replies are equal, whatever the order of keys',
    upstream: reply({ body: '{"a":1,"b":2}', extFields: { a: '1', b: '2' } }),
    ours: reply({ body: '{"b":2,"a":1}', extFields: { b: '2', a: '1' } }),
    result: 'equal',
  },
  {
    what: 'another code is a difference',
    upstream: reply({ code: 2010 }),
    ours: reply({ code: 2008 }),
    result: 'code',
  },
  {
    what: 'another remark is a difference',
    upstream: reply({ remark: 'a' }),
    ours: reply({ remark: 'b' }),
    result: 'remark',
  },
  {
    what: 'no extFields are not empty ones',
    upstream: reply({ extFields: {} }),
    ours: reply(),
    result: 'extFields',
  },
  {
    what: 'another body is a difference',
    upstream: reply({ body: '{"a":1}' }),
    ours: reply({ body: '{"a":2}' }),
    result: 'body',
  },
  { what: 'a close is not a reply', upstream: 'closed', ours: reply(), result: 'outcome' },
  { what: 'both closed', upstream: 'closed', ours: 'closed', result: 'equal' },
  {
    what: 'bare keys',
    upstream: reply({ body: '{"x":{1:"a"}}' }),
    ours: reply({ body: '{"x":{"1":"a"}}' }),
    result: 'by map-keys',
  },
  {
    what: 'bare keys do not excuse other values',
    upstream: reply({ body: '{"x":{1:"a"}}' }),
    ours: reply({ body: '{"x":{"1":"b"}}' }),
    result: 'body',
  },
  {
    what: 'the order of ids',
    upstream: reply({ body: '{"syncStateSet":[33,1]}' }),
    ours: reply({ body: '{"syncStateSet":[1,33]}' }),
    result: 'by id-order',
  },
  {
    what: 'the order of ids does not excuse another id',
    upstream: reply({ body: '{"syncStateSet":[33,1]}' }),
    ours: reply({ body: '{"syncStateSet":[1,34]}' }),
    result: 'body',
  },
  {
    what: 'the stack frame and what the JVM says of a null',
    upstream: reply({
      code: 1,
      remark: `${NPE}: Cannot invoke "a.b()" because "c" is null, java.base/java.util.concurrent.X.get(X.java:396)`,
    }),
    ours: reply({ code: 1, remark: NPE }),
    result: 'by exception-text',
  },
  {
    what: 'exception texts do not excuse another exception',
    upstream: reply({ code: 1, remark: `${NPE}: Cannot read field "x" because "y" is null` }),
    ours: reply({ code: 1, remark: 'java.lang.NullPointerException' }),
    result: 'remark',
  },
  {
    what: 'a body that neither can read',
    step: ask({ ...syncStateData(), body: 'x' }),
    upstream: reply({ code: 1, remark: `${READER}offset 1` }),
    ours: reply({ code: 1, remark: `${READER}list body is not JSON` }),
    result: 'by bad-body',
  },
  {
    what: 'a body that only we cannot read',
    step: ask({ ...syncStateData(), body: 'x' }),
    upstream: reply({ body: '{}' }),
    ours: reply({ code: 1, remark: `${READER}list body is not JSON` }),
    result: 'code',
  },
  {
    what: 'a fraction for an id',
    step: ask(
      alter('a', { master: 1, masterEpoch: 1 }, '{"syncStateSet":[1.5],"syncStateSetEpoch":1}'),
    ),
    upstream: reply({ code: 2013 }),
    ours: reply({ code: 1, remark: `${READER}syncStateSet element is not an integer within 2^53` }),
    result: 'by odd-numbers',
  },
  {
    what: 'an integer for an id is to be read',
    step: ask(
      alter('a', { master: 1, masterEpoch: 1 }, '{"syncStateSet":[1],"syncStateSetEpoch":1}'),
    ),
    upstream: reply({ code: 2013 }),
    ours: reply({ code: 1, remark: `${READER}syncStateSet element is not an integer within 2^53` }),
    result: 'code',
  },
  {
    what: 'an empty object, as 5.3.3 reads it',
    step: ask(alter('a', { master: 1, masterEpoch: 1 }, '{}')),
    upstream: reply({ code: 2013 }),
    ours: reply({ code: 1, remark: `${READER}syncStateSet is not an array` }),
    peer: '5.3.3',
    result: 'by fastjson-1',
  },
  {
    what: 'an empty object, and an answer that 5.4.0 would not give',
    step: ask(alter('a', { master: 1, masterEpoch: 1 }, '{}')),
    upstream: reply({ code: 2013 }),
    ours: reply({ code: 2008 }),
    peer: '5.3.3',
    result: 'code',
  },
  {
    what: 'an empty object, as 5.4.0 does not',
    step: ask(alter('a', { master: 1, masterEpoch: 1 }, '{}')),
    upstream: reply({ code: 2013 }),
    ours: reply({ code: 1, remark: `${READER}syncStateSet is not an array` }),
    result: 'code',
  },
  {
    what: 'the first beat without a name',
    step: ask({ code: 904, extFields: { brokerName: 'a', brokerId: '1' } }),
    upstream: reply({ remark: 'Heart beat success' }),
    ours: reply({ code: 1, remark: 'java.lang.NullPointerException' }),
    result: 'by nameless-beat',
  },
  {
    what: 'a beat with both names is to be taken',
    step: ask(beat('a', 1)),
    upstream: reply({ remark: 'Heart beat success' }),
    ours: reply({ code: 1, remark: 'java.lang.NullPointerException' }),
    result: 'code',
  },
  {
    what: 'a read that a follower answers',
    step: ask(replicaInfo('a'), { to: 'follower-1' }),
    upstream: reply({ code: 2007, remark: 'The controller is not in leader state' }),
    leader: reply({ extFields: { masterEpoch: '1' }, body: '{"syncStateSet":[33,1]}' }),
    ours: reply({ extFields: { masterEpoch: '1' }, body: '{"syncStateSet":[1,33]}' }),
    result: 'by follower-reads',
  },
  {
    what: 'a read that a follower answers in another way than the leader',
    step: ask(replicaInfo('a'), { to: 'follower-1' }),
    upstream: reply({ code: 2007, remark: 'The controller is not in leader state' }),
    leader: reply({ extFields: { masterEpoch: '1' } }),
    ours: reply({ extFields: { masterEpoch: '2' } }),
    result: 'extFields',
  },
  {
    what: 'a read that a follower answers, and no leader was asked',
    step: ask(replicaInfo('a'), { to: 'follower-1' }),
    upstream: reply({ code: 2007 }),
    ours: reply({ extFields: { masterEpoch: '1' } }),
    result: 'code',
  },
  {
    what: 'a write that a follower answers',
    step: ask(elect('a', 1), { to: 'follower-1' }),
    upstream: reply({ code: 2007 }),
    leader: reply(),
    ours: reply(),
    result: 'code',
  },
  {
    what: 'an id beyond 2^53',
    step: ask(register('a', '9007199254740993')),
    upstream: reply({ code: 2010 }),
    ours: reply({ code: 1, remark: NPE }),
    result: 'by ids-beyond-numbers',
  },
  {
    what: 'an id within 2^53',
    step: ask(register('a', '9007199254740991')),
    upstream: reply({ code: 2010 }),
    ours: reply({ code: 1, remark: NPE }),
    result: 'code',
  },
  {
    what: 'a nested field that we close upon',
    step: ask({ code: 1012, extFields: { clusterName: { a: 1 } } }),
    upstream: reply(),
    ours: 'closed',
    result: 'by odd-header',
  },
  {
    what: 'a number as a field is no reason to close',
    step: ask({ code: 1012, extFields: { clusterName: 1 } }),
    upstream: reply(),
    ours: 'closed',
    result: 'outcome',
  },
  {
    what: 'a state that a marked scenario made another one',
    step: ask(replicaInfo('a'), { known: 'offsets-by-value' }),
    upstream: reply({ extFields: { masterBrokerId: '2' } }),
    ours: reply({ extFields: { masterBrokerId: '3' } }),
    result: 'by offsets-by-value',
  },
  {
    what: 'a state that a marked scenario made another one, as 1006 shows it',
    step: ask(syncStateData('a'), { known: 'priorities-by-value' }),
    upstream: reply({ body: stateOf(2, [1, 3]) }),
    ours: reply({ body: stateOf(3, [1, 2]) }),
    result: 'by priorities-by-value',
  },
  {
    what: 'a marked state excuses no other master than the other one',
    step: ask(replicaInfo('a'), { known: 'offsets-by-value' }),
    upstream: reply({ extFields: { masterBrokerId: '2' } }),
    ours: reply({ extFields: { masterBrokerId: '4' } }),
    result: 'extFields',
  },
  {
    what: 'a marked state excuses no other code',
    step: ask(replicaInfo('a'), { known: 'priorities-by-value' }),
    upstream: reply({ extFields: { masterBrokerId: '2' } }),
    ours: reply({ code: 2008 }),
    result: 'code',
  },
  {
    what: 'all behind one lost connection, and nobody else, are dead',
    step: ask(syncStateData('a'), { known: 'shared-connection' }),
    upstream: reply({ body: stateOf(1, [2, 3]) }),
    ours: reply({ body: stateOf(1, [2, 3], false) }),
    result: 'by shared-connection',
  },
  {
    what: 'a lost connection excuses no other replica',
    step: ask(syncStateData('a'), { known: 'shared-connection' }),
    upstream: reply({ body: stateOf(1, [2, 3]) }),
    ours: reply({ body: stateOf(1, [2, 4], false) }),
    result: 'body',
  },
  {
    what: 'properties that one side alone has',
    step: ask(properties),
    upstream: reply({ body: 'listenPort=1\nmetricsLabel=\nprocessReadEvent=false\n' }),
    ours: reply({ body: 'durability=group\nprocessReadEvent=false\n' }),
    result: 'by config-names',
  },
  {
    what: 'a property that both have is to be listed',
    step: ask(properties),
    upstream: reply({ body: 'listenPort=1\nprocessReadEvent=false\n' }),
    ours: reply({ body: 'durability=group\n' }),
    result: 'body',
  },
  {
    what: 'a property that nobody has is not to be listed',
    step: ask(properties),
    upstream: reply({ body: 'processReadEvent=false\n' }),
    ours: reply({ body: 'processReadEvent=false\nwarpSpeed=9\n' }),
    result: 'body',
  },
  {
    what: 'the text of a value',
    step: ask(properties),
    upstream: reply({ body: 'electMasterMaxRetryCount=3\nmetricsLabel=a\\b\n' }),
    ours: reply({ body: 'electMasterMaxRetryCount=003\nmetricsLabel=a\\\\b\n' }),
    result: 'by config-text',
  },
  {
    what: 'the text of a value does not excuse another value',
    step: ask(properties),
    upstream: reply({ body: 'electMasterMaxRetryCount=3\n' }),
    ours: reply({ body: 'electMasterMaxRetryCount=4\n' }),
    result: 'body',
  },
  {
    what: 'a value that only upstream takes',
    step: ask(update('electMasterMaxRetryCount=-4')),
    upstream: reply(),
    ours: reply({ code: 1, remark: 'electMasterMaxRetryCount=-4: must be an integer in [1, 100]' }),
    result: 'by config-values',
  },
  {
    what: 'a refusal of a value that nobody gave',
    step: ask(update('electMasterMaxRetryCount=4')),
    upstream: reply(),
    ours: reply({ code: 1, remark: 'electMasterMaxRetryCount=-4: must be an integer in [1, 100]' }),
    result: 'code',
  },
  {
    what: 'a property that was set is to be taken',
    step: ask(update('electMasterMaxRetryCount=4')),
    upstream: reply(),
    ours: reply({ code: 1, remark: 'string2Properties error' }),
    result: 'code',
  },
  {
    what: 'who a member is',
    step: ask(update('a=b\ncontrollerDLegerSelfId=n1')),
    upstream: reply(),
    ours: reply({
      code: 16,
      remark: refusal('controllerDLegerSelfId', 'it says who this controller is'),
    }),
    result: 'by config-identity',
  },
  {
    what: 'what defends the port',
    step: ask(update('memberTls=false')),
    upstream: reply(),
    ours: reply({
      code: 16,
      remark: refusal('memberTls', 'it says who may talk to this controller'),
    }),
    result: 'by config-defence',
  },
  {
    what: 'any other property defends nothing',
    step: ask(update('processReadEvent=false')),
    upstream: reply(),
    ours: reply({
      code: 16,
      remark: refusal('processReadEvent', 'it says who may talk to this controller'),
    }),
    result: 'code',
  },
  {
    what: "the black list is upstream's",
    step: ask(update('configStorePath=/x')),
    upstream: reply({ code: 16, remark: 'Can not update config in black list.' }),
    ours: reply(),
    result: 'code',
  },
  {
    what: 'properties that are no UTF-8',
    step: ask({ code: 1009, bodyHex: 'ff' }),
    upstream: reply(),
    ours: reply({ code: 1, remark: 'string2Properties error' }),
    result: 'by config-utf8',
  },
  {
    what: 'properties that only we took',
    step: ask(properties, { known: 'config-alias' }),
    upstream: reply({ body: 'a=b\nprocessReadEvent=false\n' }),
    ours: reply({ body: 'a=b\nprocessReadEvent=true\n' }),
    result: 'by config-alias',
  },
];

for (const row of comparisons) {
  const { what, step = ask(replicaInfo('a')), upstream, ours, peer = '5.4.0', result } = row;
  const pair = { upstream, ours, ...(row.leader !== undefined && { leader: row.leader }) };
  test(`compare: ${what}`, () => {
    const comparison = compare(step, pair, deviationsFrom(peer));
    const said =
      comparison.result === 'equal'
        ? 'equal'
        : comparison.result === 'explained'
          ? `by ${comparison.by.join('+')}`
          : comparison.differences.map((line) => line.split(':')[0]).join('+');
    // The first field is enough to tell one reason from another.
    assert.equal(said.split('+')[0], result);
  });
}

test('normalise: ports and the leader go, everything else stays', () => {
  const ids = new Map([
    ['127.0.0.1:20000', 'n0'],
    ['127.0.0.1:20010', 'n1'],
  ]);
  const extFields = {
    controllerLeaderId: 'n1',
    controllerLeaderAddress: '127.0.0.1:20010',
    isLeader: 'false',
    peers: 'n1:127.0.0.1:20010;n0:127.0.0.1:20000;',
    masterAddress: '10.0.0.1:10911',
  };
  assert.deepEqual(
    normalise(reply({ extFields, remark: 'at 127.0.0.1:20000' }), 1005, { ids, leader: 'n1' }),
    {
      ...reply({ remark: 'at <n0>' }),
      extFields: {
        controllerLeaderId: '<leader>',
        controllerLeaderAddress: '<leader>',
        isLeader: 'false',
        peers: ';n0:<n0>;n1:<n1>',
        masterAddress: '10.0.0.1:10911',
      },
    },
  );
});

test('normalise: what 1010 lists of one process goes', () => {
  const body = 'configStorePath=/x\njraftConfig=a@1\nlistenPort=1\nprocessReadEvent=false\n';
  const { body: said } = normalise(reply({ body }), 1010, {
    ids: new Map(),
    leader: 'n0',
  }) as Reply;
  assert.equal(
    said,
    'configStorePath=<own>\njraftConfig=<own>\nlistenPort=<own>\nprocessReadEvent=false\n',
  );
});

test('normalise: a leader that is named wrongly stays visible', () => {
  const ids = new Map([['127.0.0.1:20000', 'n0']]);
  const extFields = { controllerLeaderId: 'n1', controllerLeaderAddress: '127.0.0.1:20000' };
  const { extFields: fields } = normalise(reply({ extFields }), 1005, {
    ids,
    leader: 'n2',
  }) as Reply;
  assert.deepEqual(fields, { controllerLeaderId: 'n1', controllerLeaderAddress: '<n0>' });
});

const drawn = (seed: number, count: number, answer: Outcome = reply()): Ask[] => {
  const generator = new Generator(new Prng(seed), count);
  const steps: Ask[] = [];
  for (let step = generator.next(); step !== null; step = generator.next()) {
    steps.push(step);
    generator.learn(step, answer);
  }
  return steps;
};

test('generate: a seed and the answers give the requests, another seed gives others', () => {
  assert.equal(drawn(1, 300).length, 300);
  assert.deepEqual(drawn(1, 300), drawn(1, 300));
  assert.notDeepEqual(drawn(1, 300), drawn(2, 300));
});

test('generate: epochs follow the answers', () => {
  const told = reply({
    extFields: { masterBrokerId: '3', masterEpoch: '41', syncStateSetEpoch: '7' },
  });
  const claims = drawn(1, 2_000, told)
    .filter(({ request }) => request.code === 1001)
    .map(({ request }) => request.extFields?.['masterEpoch']);
  assert.ok(claims.filter((epoch) => epoch === '41').length > claims.length / 2);
});

test('generate: every request code is drawn, and ones that nobody knows', () => {
  const codes = new Set(drawn(1, 2_000).map(({ request }) => request.code));
  for (const { code } of requestShapes) assert.ok(codes.has(code), `never ${code}`);
  assert.ok(codes.size > requestShapes.length);
});

test('scenarios: what may lose its connection is not sent on that of the living', () => {
  for (const step of [...stateSteps(), ...wireSteps(), ...groupSteps()]) {
    if (step.do !== 'ask') continue;
    const { header } = step.request;
    assert.ok(header === undefined || step.on === 'odd', header);
  }
});

const recording: Recording = {
  peer: '5.4.0',
  seed: 7,
  sessions: [
    {
      plan: { name: 'one', members: 1, properties: { a: 'b' } },
      told: [
        {
          step: ask(elect('ü', 1), { until: 'x', known: 'y', on: 'odd', to: 'follower-1' }),
          outcome: reply({ remark: 'r', extFields: {}, body: '{1:2}' }),
        },
        { step: { do: 'close-connection', on: 'odd' }, outcome: null },
        { step: { do: 'restart-all' }, outcome: null },
        { step: ask(replicaInfo('a')), outcome: 'closed' },
      ],
    },
    { plan: { name: 'two', members: 3, properties: {} }, told: [] },
  ],
};

test('recording: survives its file', () => {
  assert.deepEqual(parseRecording(formatRecording(recording)), recording);
});

const damaged: readonly (readonly [what: string, text: string, message: RegExp])[] = [
  ['nothing', '', /holds no session/],
  ['no JSON', 'x', /line 1: not JSON/],
  ['a step before any session', '{"act":"restart-all"}', /line 1: before any session/],
  ['a step that is none', `${formatRecording(recording)}{}`, /line 7: neither asks nor acts/],
  [
    'a reply without a code',
    `${formatRecording(recording)}{"ask":{"code":1},"reply":{}}`,
    /line 7: not a reply/,
  ],
];
for (const [what, text, message] of damaged) {
  test(`recording: ${what} is refused by line`, () => {
    assert.throws(
      () => parseRecording(text),
      (error) => error instanceof RecordingError && message.test(error.message),
    );
  });
}
