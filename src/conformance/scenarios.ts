/**
 * What is asked in every run, written by hand: each rejection that upstream knows, the traps that
 * were kept, each field missing and malformed, bodies and headers that are wrong. Pure.
 *
 * Every scenario has a broker set of its own, so that none depends on another.
 */
import { type Act, type Ask, PUSH_ADDRESS, type Step, type WireRequest } from './exchange.js';
import {
  addressOf,
  alter,
  apply,
  beat,
  clean,
  elect,
  metadata,
  nextId,
  oddBodies,
  oddTexts,
  properties,
  register,
  replicaInfo,
  requestShapes,
  syncStateData,
  unknownCodes,
  update,
  withFields,
  without,
} from './requests.js';

/** Requests that have no effect on later ones may lose the connection: not that of living brokers. */
const ODD = 'odd';

const ask = (request: WireRequest, options: Omit<Ask, 'do' | 'request'> = {}): Ask => ({
  do: 'ask',
  request,
  ...options,
});
const asks = (...requests: readonly WireRequest[]): Ask[] =>
  requests.map((request) => ask(request));
const odd = (request: WireRequest): Ask => ask(request, { on: ODD });
const act = (what: Act['do'], on?: string): Act => ({ do: what, ...(on !== undefined && { on }) });

/** Ids applied for and addresses given, in that order. */
const applied = (set: string, ...ids: readonly number[]): Ask[] =>
  asks(...ids.map((id) => apply(set, id)));
const alive = (set: string, ...ids: readonly number[]): Ask[] =>
  asks(...ids.map((id) => beat(set, id)));
/** Ids 1 to `count`, all alive, 1 is master at epochs 1 and 1. */
const running = (set: string, count: number): Ask[] => {
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  return [...applied(set, ...ids), ...alive(set, ...ids), ask(elect(set, 1))];
};
/** All that can be seen of a set. */
const look = (set: string): Ask[] => asks(nextId(set), replicaInfo(set), syncStateData(set));

const byController = (set: string): WireRequest => elect(set, -1);
const byAdmin = (set: string, id: number): WireRequest =>
  elect(set, id, { designateElect: 'true' });

/** About what is remembered: asked with and without unclean elections. */
const stateScenarios: Readonly<Record<string, (set: string) => readonly Step[]>> = {
  'a broker set comes up': (set) => [
    ...look(set),
    ask(apply(set, 1)),
    ask(register(set, 1)),
    ask(beat(set, 1)),
    ask(elect(set, 1)),
    ask(apply(set, 2)),
    ask(register(set, 2)),
    ask(beat(set, 2)),
    ask(elect(set, 2)),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 2], epoch: 1 })),
    ...look(set),
  ],
  'ids: unknown set, taken, again, gaps': (set) => [
    ask(apply(set, 2)),
    ask(apply(set, 0)),
    ask(apply(set, 1)),
    ask(apply(set, 1)),
    ask(apply(set, 1, { registerCheckCode: `${addressOf(9)};1700000000` })),
    ask(apply(set, 7)),
    ask(nextId(set)),
    ask(apply(set, 3)),
    ask(apply(set, 4)),
    ask(apply(set, 5)),
    ask(apply(set, 0)),
    ask(apply(set, -1)),
    ...look(set),
  ],
  'ids: what counts as an address': (set) => [
    ask(apply(set, 1, { registerCheckCode: ';' })),
    ask(apply(set, 1, { registerCheckCode: '' })),
    ask(apply(set, 2, { registerCheckCode: 'no-semicolon' })),
    ask(apply(set, 3, { registerCheckCode: ';only-a-time' })),
    ask(apply(set, 4, { registerCheckCode: 'a;b;c' })),
    ask(apply(set, 5, { registerCheckCode: ';;' })),
    ...look(set),
  ],
  'registration: unknown set, unknown id, new address': (set) => [
    ask(register(set, 1)),
    ask(apply(set, 1)),
    ask(register(set, 2)),
    ask(register(set, 1)),
    ask(register(set, 1, { brokerAddress: addressOf(1, '10.1.0') })),
    ask(syncStateData(set)),
    ask(register(set, 1, { brokerAddress: '' })),
    ask(syncStateData(set)),
  ],
  'registration: sees the master only while it lives, under its own cluster': (set) => [
    ...applied(set, 1, 2),
    ask(elect(set, 1)),
    ask(register(set, 2)),
    ask(beat(set, 1)),
    ask(register(set, 2)),
    ask(register(set, 2, { clusterName: 'cluster-b' })),
    ask(register(set, 1, { brokerAddress: addressOf(1, '10.2.0') })),
    ask(register(set, 2)),
  ],
  'alter: every rejection in its order': (set) => [
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1], epoch: 1 })),
    ...applied(set, 1, 2, 3, 4),
    ...alive(set, 1, 2, 3),
    ask(alter(set, { master: 1, masterEpoch: 0 }, { ids: [], epoch: 0 })),
    ask(alter(set, { master: 1, masterEpoch: 0 }, { ids: [1], epoch: 0 })),
    ask(elect(set, 1)),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1], epoch: 1 })),
    ask(alter(set, { master: 2, masterEpoch: 1 }, { ids: [1, 2], epoch: 1 })),
    ask(alter(set, { master: 1, masterEpoch: 2 }, { ids: [1, 2], epoch: 1 })),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 2], epoch: 2 })),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 9], epoch: 1 })),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 4], epoch: 1 })),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [4, 9], epoch: 1 })),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [2, 3], epoch: 1 })),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [], epoch: 1 })),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 2, 3], epoch: 1 })),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [3, 2, 1], epoch: 2 })),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 2], epoch: 1 })),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1], epoch: 2 })),
    ...look(set),
  ],
  'alter: a master that never beat': (set) => [
    ...applied(set, 1, 2),
    ask(elect(set, 1)),
    ask(beat(set, 2)),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 2], epoch: 1 })),
  ],
  'alter: several missing and dead': (set) => [
    ...running(set, 2),
    ...applied(set, 3),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 3, 5], epoch: 1 })),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 5, 3], epoch: 1 })),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [-1, 1], epoch: 1 })),
  ],
  'election: unknown set, first comer, old master stays': (set) => [
    ask(elect(set, 1)),
    ask(byController(set)),
    ...applied(set, 1, 2),
    ask(elect(set, 2)),
    ask(elect(set, 1)),
    ...alive(set, 1, 2),
    ask(elect(set, 1)),
    ask(elect(set, 2)),
    ask(byController(set)),
    ...look(set),
  ],
  'election: the first comer is a stranger': (set) => [
    ...applied(set, 1),
    ask(elect(set, 42)),
    ...look(set),
    ask(beat(set, 1)),
    ask(elect(set, 1)),
    ask(byController(set)),
    ...look(set),
  ],
  'election: by the controller, of a set that never had a master': (set) => [
    ...applied(set, 1, 2),
    ...alive(set, 1, 2),
    ask(byController(set)),
    ask(elect(set, 1)),
    ask(byController(set)),
    ...look(set),
  ],
  'election: nobody lives, again and again': (set) => [
    ...applied(set, 1, 2),
    ask(elect(set, 1)),
    ask(byController(set)),
    ask(byController(set)),
    ask(elect(set, 1)),
    ask(elect(set, 2)),
    ask(byAdmin(set, 2)),
    ...look(set),
    ask(beat(set, 2)),
    ask(elect(set, 2)),
    ...look(set),
    ask(beat(set, 1)),
    ask(elect(set, 1)),
    ...look(set),
  ],
  'election: the in-sync replica takes over from a silent master': (set) => [
    ...applied(set, 1, 2, 3),
    ...alive(set, 2, 3),
    ask(elect(set, 1)),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 2], epoch: 1 })),
    ask(elect(set, 3)),
    ask(elect(set, 2)),
    ask(byController(set)),
    ...look(set),
  ],
  'election: an operator chooses': (set) => [
    ...running(set, 3),
    ask(byAdmin(set, 2)),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 2], epoch: 1 })),
    ask(byAdmin(set, 3)),
    ask(byAdmin(set, 9)),
    ask(byAdmin(set, 1)),
    ask(byAdmin(set, 2)),
    ask(byAdmin(set, 2)),
    ask(byAdmin(set, -1)),
    ...look(set),
  ],
  'election: designated without an id deposes': (set) => [
    ...running(set, 2),
    ask(elect(set, -1, { designateElect: 'true' })),
    ...look(set),
    ask(elect(set, 2)),
    ...look(set),
  ],
  // The master that asks last is silent, so rank decides among the others.
  ...ranking('higher epoch wins', [
    { epoch: '1', maxOffset: '900' },
    { epoch: '2', maxOffset: '100' },
  ]),
  ...ranking('then the higher offset', [
    { epoch: '2', maxOffset: '100' },
    { epoch: '2', maxOffset: '101' },
  ]),
  ...ranking('then the lower priority', [{ electionPriority: '5' }, { electionPriority: '4' }]),
  ...ranking('a missing priority is the lowest', [
    { electionPriority: undefined },
    { electionPriority: '2147483646' },
  ]),
  ...ranking('equal ones: the smaller id', [{}, {}]),
  ...ranking('no epoch and no offset', [
    { epoch: undefined, maxOffset: undefined },
    { epoch: '0', maxOffset: '0' },
  ]),
  ...ranking('offsets 2 GiB apart', [{ maxOffset: '100' }, { maxOffset: '2147483748' }]),
  ...ranking(
    'offsets 3 GiB apart',
    [{ maxOffset: '100' }, { maxOffset: '3221225572' }],
    'offsets-by-value',
  ),
  ...ranking(
    'offsets 4 GiB apart',
    [{ maxOffset: '100' }, { maxOffset: '4294967396' }],
    'offsets-by-value',
  ),
  ...ranking('offsets beyond 2^53', [
    { maxOffset: '9007199254740993' },
    { maxOffset: '9007199254740994' },
  ]),
  ...ranking(
    'negative priorities',
    [{ electionPriority: '2147483647' }, { electionPriority: '-2' }],
    'priorities-by-value',
  ),
  'election: a beat never takes epoch or offset back': (set) => [
    ...applied(set, 1, 2, 3),
    ask(elect(set, 1)),
    ask(beat(set, 2, { epoch: '5', maxOffset: '10' })),
    ask(beat(set, 2, { epoch: '1', maxOffset: '1' })),
    ask(beat(set, 3, { epoch: '4', maxOffset: '900' })),
    ask(beat(set, 1)),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 2, 3], epoch: 1 })),
    ask(elect(set, 1, { designateElect: 'false' })),
    ask(byAdmin(set, 2)),
    ...look(set),
  ],
  'clean: every rejection': (set) => [
    ask(clean(set, null)),
    ask(clean(set, '1')),
    ask(clean(set, null, { isCleanLivingBroker: 'true' })),
    ...running(set, 2),
    ...applied(set, 3),
    ask(clean(set, null)),
    ask(clean(set, '')),
    ask(clean(set, ' ')),
    ask(clean(set, '1')),
    ask(clean(set, '3;2')),
    ...oddTexts.ids.filter((text) => !/^[;\s]*$/.test(text)).map((text) => ask(clean(set, text))),
    ...look(set),
  ],
  'clean: some, then all, then from the start': (set) => [
    ...applied(set, 1, 2, 3),
    ...alive(set, 1, 2),
    ask(elect(set, 1)),
    ask(clean(set, '3')),
    ...look(set),
    ask(clean(set, null, { isCleanLivingBroker: 'true' })),
    ...look(set),
    ask(elect(set, 1)),
    ask(register(set, 1)),
    ask(apply(set, 1)),
    ...look(set),
  ],
  'clean: a set without a master needs no ids': (set) => [
    ...applied(set, 1, 2),
    ...alive(set, 1),
    ask(clean(set, null)),
    ...look(set),
  ],
  'clean: living brokers, the ids are ignored': (set) => [
    ...running(set, 2),
    ask(clean(set, '2', { isCleanLivingBroker: 'true' })),
    ...look(set),
  ],
  'clean: nothing but semicolons takes the whole set': (set) => [
    ...running(set, 2),
    ask(clean(set, ';')),
    ...look(set),
  ],
  'clean: another cluster name makes all look dead': (set) => [
    ...running(set, 3),
    ask(clean(set, '2', { clusterName: 'cluster-b' })),
    ...look(set),
    ask(without(clean(set, '3'), 'clusterName')),
    ...look(set),
  ],
  'clean: all that are in step, and the half that is left': (set) => [
    ...applied(set, 1, 2),
    ask(elect(set, 1)),
    ask(clean(set, '1')),
    ...look(set),
    ask(elect(set, 2)),
    ask(byController(set)),
    ask(register(set, 2)),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 2], epoch: 1 })),
    ask(clean(set, '2')),
    ask(clean(set, null)),
    ask(apply(set, 1)),
    ask(apply(set, 3)),
    ...look(set),
  ],
  'clean: all registered, a stranger stays in step': (set) => [
    ...applied(set, 1),
    ask(elect(set, 42)),
    ask(clean(set, '1')),
    ...look(set),
    ask(clean(set, null)),
    ask(apply(set, 1)),
    ...look(set),
  ],
  'two clusters with one broker name': (set) => [
    ...applied(set, 1),
    ask(apply(set, 2, { clusterName: 'cluster-b' })),
    ask(register(set, 2, { clusterName: 'cluster-b' })),
    ask(beat(set, 1)),
    ask(beat(set, 2, { clusterName: 'cluster-b' })),
    ask(elect(set, 1, { clusterName: 'cluster-b' })),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 2], epoch: 1 })),
    ...look(set),
  ],
  'a set that was made without a cluster name': (set) => [
    ask(without(apply(set, 1), 'clusterName')),
    ask(without(register(set, 1), 'clusterName')),
    ask(elect(set, 1)),
    ask(syncStateData(set)),
    ask(register(set, 1)),
    ask(nextId(set)),
  ],
  'ids of every size in one set': (set) => [
    ...applied(set, 1, 17, 33, 100, 2, 64, 1_000_000),
    ask(elect(set, 17)),
    ask(syncStateData(set)),
    ...alive(set, 1, 17, 33, 100, 2),
    ask(alter(set, { master: 17, masterEpoch: 1 }, { ids: [100, 33, 17, 2, 1], epoch: 1 })),
    ask(alter(set, { master: 17, masterEpoch: 1 }, { ids: [64, 33, 17], epoch: 2 })),
    ...look(set),
  ],
  'ids below zero': (set) => [
    ...applied(set, 1, 0, -1, -2, -100),
    ask(elect(set, -2)),
    ...alive(set, -2, 1),
    ask(alter(set, { master: -2, masterEpoch: 1 }, { ids: [-2, 1], epoch: 1 })),
    ...look(set),
  ],
};

/** About how it is said: asked once. */
const wireScenarios: Readonly<Record<string, (set: string) => readonly Step[]>> = {
  'names that need escapes': (set) =>
    ['ü', 'a"b', 'a\\b', 'a\nb', 'a/b', '\u2028', '中文', '😀', "it's", '<b>&amp;'].flatMap(
      (name) => {
        const odd = `${set}-${name}`;
        return [...running(odd, 1), ask(apply(odd, 3)), ask(register(odd, 5)), ...look(odd)];
      },
    ),
  'the lists of 1006': (set) => [
    ...running(set, 1),
    ...running(`${set}-b`, 1),
    ask(syncStateData(set, `${set}-b`)),
    ask(syncStateData(`${set}-b`, set)),
    ask(syncStateData(set, set)),
    ask(syncStateData('nowhere', set, '')),
    ask({ ...syncStateData(), body: '' }),
    ...oddBodies.names.map((body) => odd({ ...syncStateData(), body })),
  ],
  'bodies of 1001 that are wrong, for a set that is there': (set) => [
    ...running(set, 2),
    ask(alter(set, { master: 1, masterEpoch: 1 }, '')),
    ...oddBodies['sync-state-set'].flatMap((body) => [
      odd(alter(set, { master: 1, masterEpoch: 9 }, body)),
      odd(alter(`${set}-nowhere`, { master: 1, masterEpoch: 9 }, body)),
    ]),
    // These are right, if in an unusual way.
    ask(
      alter(set, { master: 1, masterEpoch: 1 }, '{"syncStateSet":["1",2],"syncStateSetEpoch":"1"}'),
    ),
    ask(alter(set, { master: 1, masterEpoch: 1 }, "{'syncStateSet':[1],'syncStateSetEpoch':2}")),
    ask(
      alter(
        set,
        { master: 1, masterEpoch: 1 },
        ' { "syncStateSetEpoch" : 3 , "syncStateSet" : [ 2 , 1 , 2 ] } ',
      ),
    ),
    ...look(set),
  ],
  'bodies that nobody asked for are ignored': (set) => [
    ask({ ...apply(set, 1), body: 'x' }),
    ask({ ...register(set, 1), body: '{"a":1}' }),
    ask({ ...nextId(set), body: '[]' }),
    ask({ ...replicaInfo(set), body: '{' }),
    ask({ ...metadata, body: 'x' }),
    ask({ ...elect(set, 1), body: '1' }),
  ],
  'fields that nobody knows are ignored': (set) => [
    ask(withFields(apply(set, 1), { other: 'x', this$0: 'y' })),
    ask(withFields(replicaInfo(set), { masterEpoch: '7' })),
    ask({ ...metadata, extFields: { group: 'other' } }),
  ],
  'fields that are no texts': (set) => [
    ask(withFields(apply(set, 1), { appliedBrokerId: 1 })),
    ask(withFields(elect(set, 1), { brokerId: 1, designateElect: false })),
    ask(withFields(nextId(set), { clusterName: true })),
    ask(withFields(nextId(set), { clusterName: 1.5 })),
    ask(withFields(nextId(set), { clusterName: null })),
    odd(withFields(nextId(set), { clusterName: { a: 1 } })),
    odd(withFields(nextId(set), { clusterName: ['a'] })),
    odd({ code: 1012, extFields: null }),
  ],
  'the binary header': (set) => [
    ask({ ...apply(set, 1), isBinary: true }),
    ask({ ...nextId(set), isBinary: true }),
    ask({ ...apply(set, 2, { clusterName: '' }), isBinary: true }),
    ask({ ...elect(set, 1), isBinary: true }),
    ask({ ...metadata, isBinary: true }),
    ask({ code: 777, isBinary: true }),
  ],
  'headers that are odd': () =>
    [
      '{"code":"1005","flag":0,"opaque":$opaque}',
      '{"code":1005,"flag":"0","opaque":"$opaque","language":0}',
      '{"code":1005,"flag":0,"opaque":$opaque,"language":"KLINGON","version":-1}',
      '{"code":1005,"flag":0,"opaque":$opaque,"remark":null,"extFields":null}',
      '{"code":1005,"flag":0,"opaque":$opaque,"unknown":{"a":[1,{"b":null}]}}',
      "{'code':1005,'flag':0,'opaque':$opaque}",
      '{"opaque":$opaque,"flag":0}',
      '{"code":1005,"opaque":$opaque,"flag":4}',
      '{"code":null,"flag":0,"opaque":$opaque}',
      '{"code":1005,"flag":0,"opaque":$opaque,"extFields":{"a":null}}',
      // Upstream waits for a 12th byte of a connection, so none of these is shorter.
      ...[
        '{code:1005,flag:0,opaque:$opaque}',
        '[   ]',
        'null',
        'xxxxx',
        '{"code":1005',
        '"   "',
        '12345',
      ],
      ...['{"code":"x","flag":0,"opaque":$opaque}', '{"code":1.5,"flag":0,"opaque":$opaque}'],
      '{"code":1005,"flag":0,"opaque":$opaque,"extFields":[]}',
      '{"code":1005,"flag":0,"opaque":$opaque,"extFields":"x"}',
    ].map((header) => odd({ code: 1005, header })),
  'codes that nobody knows': () => [
    ...unknownCodes.map((code) => odd({ code })),
    odd({ code: 4711, extFields: { a: 'b' }, body: 'x' }),
  ],
  'one-way requests are never answered': (set) => [
    odd({ code: 4711, isOneway: true }),
    odd({ ...nextId(set), isOneway: true }),
    odd({ ...metadata, isOneway: true }),
    odd({ code: 904, isOneway: true }),
    odd({ ...beat(`${set}-x`, 1), isOneway: true }),
    odd({ ...syncStateData(), body: 'x', isOneway: true }),
  ],
  heartbeats: (set) => [
    ask({ code: 904 }),
    ask({ code: 904, extFields: {} }),
    ask(without(beat(set, 1), 'brokerId')),
    ask(withFields(beat(set, 1), { brokerId: '' })),
    ask(withFields(beat(set, 1), { brokerId: 'x' })),
    ask(without(beat(set, 1), 'brokerAddr')),
    ask(without(beat(set, 1), 'epoch')),
    ask(without(beat(set, 1), 'maxOffset')),
    odd(without(beat(`${set}-b`, 1), 'clusterName')),
    odd(without(beat(`${set}-b`, 1), 'clusterName')),
    odd(without(beat(`${set}-b`, 1), 'brokerName')),
    odd(without(beat(`${set}-b`, 1), 'brokerName')),
    ...applied(set, 1),
    ask(syncStateData(set)),
  ],
  'brokers that are late already': (set) => [
    ...applied(set, 1, 2),
    ask(beat(set, 1, { heartbeatTimeoutMills: '-1000' }), { on: 'late-1' }),
    ask(syncStateData(set)),
    ask(beat(set, 2, { heartbeatTimeoutMills: 'x' }), { on: 'late-2' }),
    ask(beat(set, 2), { on: 'late-2' }),
    ask(syncStateData(set)),
  ],
  'what is no frame closes the connection': () =>
    [
      // Length words: negative, none, less than a header's, more than 16 MiB.
      ...['ffffffff0000000000000000', '000000000000000000000000', '000000030000000000000000'],
      '01000001000000027b7d00000000',
      // A header longer than its frame, and a kind of header that nobody knows.
      ...['0000000c000000ff7b7d20202020202020', '0000000a020000067b7d20202020'],
      // Binary headers: cut short, and a remark longer than the header.
      ...[
        '0000000a0100000603ec00000000',
        '000000190100001503ec0001ed0000000700000000000000ff00000000',
      ],
    ].map((frame) => odd({ code: 0, frame })),
  'digits and blanks beyond ASCII': (set) => [
    ...running(set, 3),
    ask(withFields(register(set, 3), { brokerId: '٣' })),
    ask(withFields(register(set, 3), { brokerId: '３' })),
    ask(clean(set, '\u2003')),
    ask(clean(set, '\u00a0')),
    ask(clean(set, '٩')),
  ],
  'properties: what is set is listed': () => [
    ask(properties),
    ...[
      ...['electMasterMaxRetryCount=5\n', ' electMasterMaxRetryCount = 6\n'],
      ...['electMasterMaxRetryCount:7', '\telectMasterMaxRetryCount 8'],
      ...['electMasterMaxRetryCount=\\u0039\r\n', 'electMaster\\\n  MaxRetryCount=4'],
      ...['electMasterMaxRetryCount=2\nelectMasterMaxRetryCount=1\n', '#a\nmetricsInDelta=true'],
      ...['electMasterMaxRetryCount=003\n', 'notifyBrokerRoleChanged=FALSE\n'],
      ...['metricsLabel=a\\\\b\\tc\n', 'metricsLabel=\n', 'processReadEvent=false\n'],
    ].flatMap((text) => asks(update(text), properties)),
    ask({ ...update('electMasterMaxRetryCount=3\n'), extFields: { a: 'b' } }),
    ask({ ...properties, extFields: { a: 'b' }, body: 'x' }),
    ask({ ...update('notifyBrokerRoleChanged=false\n'), isBinary: true }),
    odd({ ...update('configBlackList=x\n'), isOneway: true }),
    ask(properties),
  ],
  'properties: what is refused, or ignored, changes nothing': () => [
    ask({ code: 1009 }),
    ask(properties),
    ...oddBodies.properties.map((body) => odd(update(body))),
    ask(properties),
    ask(update('controllerThreadPoolNums=17\n')),
    ask(update('electMasterMaxRetryCount=5\ncontrollerThreadPoolNums=17\n')),
    // An unknown property, so that nothing follows from what upstream makes of its value.
    ask({ code: 1009, bodyHex: Buffer.from('warpSpeed=\u00ff\n', 'latin1').toString('hex') }),
    ask(properties),
  ],
  'properties: what only upstream takes': () => [
    ask(update('electMasterMaxRetryCount=-4\n')),
    ask(properties, { known: 'config-values' }),
    ask(update('electMasterMaxRetryCount=3\n')),
    ...['controllerDLegerSelfId=n0\n', 'controllerDLegerGroup=quorumark\n'].map((text) =>
      ask(update(text)),
    ),
    ...['bindAddress=127.0.0.1\n', 'tls.server.mode=permissive\n', 'httpHost=0.0.0.0\n'].map(
      (text) => ask(update(text)),
    ),
    ask(update('electMasterMaxRetryCount=5\nmemberTls=false\n')),
    ask(update('electMasterMaxRetryCount=3\n')),
    ask(properties),
    // Upstream lists this name, and sets it by the other.
    ask(update('isProcessReadEvent=true\n')),
    ask(properties, { known: 'config-alias' }),
    ask(update('processReadEvent=false\n')),
    ask(properties),
  ],
  'properties: blanks around a value, and a byte order mark': () =>
    [
      'electMasterMaxRetryCount=5 ',
      'electMasterMaxRetryCount=\u00a05',
      '\ufeffelectMasterMaxRetryCount=5',
    ].flatMap((text) => [
      ask(update(text)),
      ask(properties, { known: 'config-blanks' }),
      ask(update('electMasterMaxRetryCount=3')),
    ]),
  'a request of every kind without any field': () =>
    requestShapes.flatMap(({ code }) => [odd({ code }), odd({ code, extFields: {} })]),
};

/** Two replicas in step behind a master that is silent, and the controller has to choose. */
function ranking(
  what: string,
  beats: readonly Readonly<Record<string, string | undefined>>[],
  known?: string,
): Readonly<Record<string, (set: string) => readonly Step[]>> {
  return {
    [`election: ${what}`]: (set) => {
      const ids = beats.map((_, index) => index + 2);
      const master = `${set}-master`;
      return [
        ...applied(set, 1, ...ids),
        ...ids.map((id, index) => ask(beat(set, id, beats[index]))),
        ask(beat(set, 1), { on: master }),
        ask(elect(set, 1)),
        ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, ...ids], epoch: 1 })),
        // Its connection is lost, and the controller elects by itself.
        act('close-connection', master),
        ...[ask(replicaInfo(set), { until: '"masterEpoch":"2"' }), ...look(set)].map((step) => ({
          ...step,
          ...(known !== undefined && { known }),
        })),
      ];
    },
  };
}

/** What the controller does by itself when connections are lost. */
const lost: Readonly<Record<string, (set: string) => readonly Step[]>> = {
  'a lost slave changes nothing but that it is dead': (set) => [
    ...applied(set, 1, 2),
    ask(beat(set, 1)),
    ask(beat(set, 2), { on: set }),
    ask(elect(set, 1)),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 2], epoch: 1 })),
    act('close-connection', set),
    ask(syncStateData(set), { until: '\\"alive\\":false' }),
    ...look(set),
    ask(clean(set, '2')),
    ...look(set),
  ],
  'two slaves are lost with one connection': (set) => [
    ...applied(set, 1, 2, 3),
    ask(beat(set, 1)),
    ask(beat(set, 2), { on: set }),
    ask(beat(set, 3), { on: set }),
    ask(elect(set, 1)),
    act('close-connection', set),
    ask(syncStateData(set), { until: '\\"alive\\":false', known: 'shared-connection' }),
  ],
  'a lost master and nobody in step: three attempts': (set) => [
    ...applied(set, 1, 2),
    ask(beat(set, 1), { on: set }),
    ask(elect(set, 1)),
    act('close-connection', set),
    ask(replicaInfo(set), { until: '"masterEpoch":"4"' }),
    ...look(set),
    ask(beat(set, 1)),
    ask(elect(set, 1)),
    ...look(set),
  ],
};

/** Each field of each request missing, and with each odd text. Sets have two living members. */
function fieldByField(set: string): readonly Step[] {
  const samples: readonly WireRequest[] = [
    nextId(set),
    register(set, 1),
    replicaInfo(set),
    metadata,
    elect(set, 1),
    alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 2], epoch: 9 }),
    clean(set, '9', { isCleanLivingBroker: 'false' }),
    apply(set, 1),
    beat(set, 3),
  ];
  return [
    ...running(set, 2),
    ...samples.flatMap((sample) => {
      const fields = requestShapes.find(({ code }) => code === sample.code)?.fields ?? {};
      return Object.entries(fields).flatMap(([field, kind]) => {
        // These would clean what the rest of the table needs.
        const harmless = (text: string): boolean =>
          !(kind === 'ids' && /^[;\s]*$/.test(text)) &&
          !(field === 'isCleanLivingBroker' && text.toLowerCase() === 'true');
        return [
          // A beat without a name leaves something behind upstream; it has a scenario of its own.
          ...(sample.code === 904 && (field === 'clusterName' || field === 'brokerName')
            ? []
            : [odd(without(sample, field))]),
          ...oddTexts[kind]
            .filter((text) => harmless(text))
            .map((text) => odd(withFields(sample, { [field]: text }))),
        ];
      });
    }),
    ...look(set),
  ];
}

/** Values beyond what a JavaScript number holds; nothing later depends on their sets. */
function beyondNumbers(set: string): readonly Step[] {
  const beyond = ['9007199254740993', '9223372036854775807', '9223372036854775808'];
  return beyond.flatMap((text) => {
    const own = `${set}-${text}`;
    return [
      ...running(own, 1),
      odd(withFields(register(own, 1), { brokerId: text })),
      odd(
        withFields(alter(own, { master: 1, masterEpoch: 1 }, { ids: [1], epoch: 1 }), {
          masterBrokerId: text,
        }),
      ),
      odd(
        withFields(alter(own, { master: 1, masterEpoch: 1 }, { ids: [1, 2], epoch: 1 }), {
          masterBrokerId: text,
        }),
      ),
      odd(withFields(elect(own, 1), { brokerId: text })),
      odd(clean(own, text)),
      odd(withFields(nextId(own), { brokerId: text })),
      odd(withFields(apply(own, 1), { appliedBrokerId: text })),
    ];
  });
}

function named(
  prefix: string,
  table: Readonly<Record<string, (set: string) => readonly Step[]>>,
): readonly Step[] {
  return Object.values(table).flatMap((steps, index) => steps(`${prefix}-${index + 1}`));
}

/** For a group of one: whom to elect, what to clean, whose id it is. */
export function stateSteps(): readonly Step[] {
  return [...named('set', stateScenarios), ...named('lost', lost)];
}

/** For a group of one: odd and wrong requests. */
export function wireSteps(): readonly Step[] {
  return [...named('wire', wireScenarios), ...fieldByField('fields'), ...beyondNumbers('beyond')];
}

/** What brokers are told of elections. The second broker is where nobody listens. */
function pushes(set: string): readonly Step[] {
  const nowhere = '127.0.0.1:1';
  const told: Step = { do: 'await-push' };
  return [
    ask(apply(set, 1, { registerCheckCode: `${PUSH_ADDRESS};1` })),
    ask(apply(set, 2, { registerCheckCode: `${nowhere};1` })),
    ...alive(set, 1, 2),
    ask(elect(set, 1)),
    told,
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 2], epoch: 1 })),
    ask(elect(set, 1)),
    ask(byAdmin(set, 2)),
    told,
    ask(byAdmin(set, 1)),
    ask(alter(set, { master: 2, masterEpoch: 2 }, { ids: [1, 2], epoch: 3 })),
    ask(byAdmin(set, 1)),
    told,
    ask(register(set, 1, { brokerAddress: PUSH_ADDRESS })),
  ];
}

/** For a group of three: followers, a lost leader, a restart of all. */
export function groupSteps(): readonly Step[] {
  const set = 'group';
  const everywhere = (request: WireRequest): Ask[] =>
    (['leader', 'follower-1', 'follower-2'] as const).map((to) => ask(request, { to }));
  const follower = (request: WireRequest): Ask => ask(request, { to: 'follower-1' });
  /** Of the leader too: what it says is what a follower has to say. */
  const read = (request: WireRequest): Ask[] => [ask(request), follower(request)];
  const state = [...look(set), ask(replicaInfo(`${set}-b`)), ask(syncStateData(`${set}-b`, set))];
  return [
    ...pushes('push'),
    ...applied(set, 1, 2, 3),
    ...everywhere(beat(set, 1)),
    ...everywhere(beat(set, 2)),
    ask(elect(set, 1)),
    ask(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1, 2], epoch: 1 })),
    ...applied(`${set}-b`, 1),
    ask(elect(`${set}-b`, 1)),
    ...everywhere(metadata),
    follower(nextId(set)),
    follower(apply(set, 4)),
    follower(register(set, 1)),
    follower(elect(set, 2)),
    follower(byController(set)),
    follower(alter(set, { master: 1, masterEpoch: 1 }, { ids: [1], epoch: 2 })),
    follower(alter(set, { master: 1, masterEpoch: 1 }, '{"syncStateSet":"x"}')),
    ...read(replicaInfo(set)),
    ...read(replicaInfo('nowhere')),
    ...read(syncStateData(set)),
    ...read({ ...syncStateData(), body: 'x' }),
    ...read({ ...syncStateData(), body: '' }),
    follower(clean(set, null)),
    follower({ code: 904 }),
    follower({ code: 4711 }),
    ...asks({ code: 1004 }, { code: 1006 }),
    ...requestShapes
      .filter(({ code }) => code !== 904 && code !== 1005)
      .map(({ code }) => follower({ code })),
    // Every member has properties of its own.
    follower(update('electMasterMaxRetryCount=5\n')),
    ...everywhere(properties),
    follower(update('electMasterMaxRetryCount=5\nconfigStorePath=/x\n')),
    follower(update('electMasterMaxRetryCount=x\na=\\u12\n')),
    follower(update('electMasterMaxRetryCount=3\n')),
    ...everywhere(properties),
    act('kill-leader'),
    ...state,
    // Beats went to all, so the new leader knows who lives.
    ask(elect(set, 2)),
    ask(elect(set, 2, { designateElect: 'true' })),
    ask(alter(set, { master: 2, masterEpoch: 2 }, { ids: [1, 2], epoch: 3 })),
    ...applied(set, 4),
    ...state,
    act('restart-killed'),
    ...state,
    ask(register(set, 3, { brokerAddress: addressOf(3, '10.9.0') })),
    act('restart-all'),
    ...state,
    // Nobody has beaten since the restart: all are dead, and an election fails.
    ask(register(set, 1)),
    ask(elect(set, 1)),
    ask(beat(set, 1)),
    ask(elect(set, 1)),
    ask(alter(set, { master: 1, masterEpoch: 3 }, { ids: [1, 2], epoch: 5 })),
    ...state,
  ];
}
