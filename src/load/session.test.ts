import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientFailureCode } from '../client/errors.js';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import { Prng } from '../lib/prng.js';
import { VirtualClock } from '../lib/virtual-clock.js';
import { BringUp } from './bring-up.js';
import { Driver } from './driver.js';
import { type BrokerSet, connectionsPerMember, fleetOf } from './fleet.js';
import { Heartbeats } from './heartbeats.js';
import { LeaderFinder } from './leader.js';
import { type Connect, Links } from './links.js';
import { AlterSyncStateSets, RoundRobin, rereader } from './operations.js';
import { nextStep, prepare } from './prepare.js';
import type { SetView } from './set-reader.js';
import { Stop } from './stop.js';
import { FakeGroup } from './testing/fake-group.js';
import { FakeNetwork } from './testing/fake-network.js';

/** A worker's parts on a virtual clock, connected and sure of the leader. */
function newSession(options: { readonly sets?: number; readonly timeoutMs?: number } = {}) {
  const clock = new VirtualClock(1_000);
  const group = new FakeGroup();
  const network = new FakeNetwork(group, clock);
  const links = new Links({
    members: group.members,
    connectionsPerMember: 2,
    windowMax: 100,
    requestTimeoutMs: options.timeoutMs ?? 3_000,
    connect: network.connect,
    clock,
  });
  const leader = new LeaderFinder(links, clock);
  links.open();
  leader.start();
  clock.advance(50);
  const share = { prefix: 's', worker: 0, workers: 1, replicas: 3 };
  const sets = fleetOf({ ...share, sets: options.sets ?? 4 });
  return { clock, group, network, links, leader, sets, stop: new Stop(clock) };
}

function newLinks(parts: {
  readonly clock: VirtualClock;
  readonly group: FakeGroup;
  readonly connect: Connect;
  readonly perMember: number;
}): Links {
  return new Links({
    members: parts.group.members,
    connectionsPerMember: parts.perMember,
    windowMax: 100,
    requestTimeoutMs: 3_000,
    connect: parts.connect,
    clock: parts.clock,
  });
}

type Session = ReturnType<typeof newSession>;

async function prepared(session: Session): Promise<void> {
  const done = prepare({ ...session, deadlineMs: 10_000 });
  session.clock.advance(10_000);
  await done;
}

/** Counts what a driver reports, as text: `0` for success, other codes and failures by name. */
function newDriver({ links, leader, clock }: Session) {
  const outcomes: string[] = [];
  const driver = new Driver({
    links,
    leader,
    clock,
    outcomes: {
      answered: (_flight, _nowMs, code) => outcomes.push(String(code)),
      failed: (_flight, why: ClientFailureCode) => outcomes.push(why),
    },
  });
  return { driver, outcomes };
}

function newWrites({ sets, links, leader, clock }: Session) {
  return new AlterSyncStateSets({ sets, clock, reread: rereader({ links, leader, clock }) });
}

const view = (registered: number[], masterId: number, syncStateSet: number[]): SetView => ({
  registered,
  masterId,
  masterEpoch: 1,
  syncStateSet,
  syncStateSetEpoch: 1,
});

const plans: readonly { name: string; view: SetView | null; step: string }[] = [
  { name: 'an unknown set gets its first broker', view: null, step: 'apply 1' },
  { name: 'missing brokers come in order', view: view([1, 3], 1, [1]), step: 'apply 2' },
  { name: 'a full set without a master elects one', view: view([1, 2, 3], 0, []), step: 'elect 1' },
  {
    name: 'a set with a master takes its slaves in',
    view: view([1, 2, 3], 2, [2]),
    step: 'expand',
  },
  { name: 'a complete set needs nothing', view: view([1, 2, 3], 2, [1, 2, 3]), step: 'nothing' },
  {
    name: 'replicas beyond ours do no harm',
    view: view([1, 2, 3, 7], 7, [1, 2, 7]),
    step: 'nothing',
  },
];

for (const plan of plans) {
  test(`preparing: ${plan.name}`, () => {
    const step = nextStep(plan.view, 3);
    const shown = step === null ? 'nothing' : 'id' in step ? `${step.kind} ${step.id}` : step.kind;
    assert.equal(shown, plan.step);
  });
}

test('preparing makes every set ready, and doing it again only reads', async () => {
  const session = newSession({ sets: 250 });
  await prepared(session);
  assert.equal(session.group.sets.size, 250);
  for (const set of session.group.sets.values()) {
    assert.equal(set.masterId, 1);
    assert.deepEqual(set.syncStateSet, [1, 2, 3]);
  }
  assert(session.sets.every((set) => set.isFull && set.masterId === 1 && set.masterEpoch === 1));
  const { group } = session;
  const counts = [
    RequestCode.ApplyBrokerId,
    RequestCode.ElectMaster,
    RequestCode.AlterSyncStateSet,
  ];
  assert.deepEqual(
    counts.map((code) => group.count(code)),
    [750, 250, 250],
  );
  await prepared(session);
  assert.deepEqual(
    counts.map((code) => group.count(code)),
    [750, 250, 250],
  );
});

test('preparing repairs what is half there', async () => {
  const session = newSession({ sets: 1 });
  const { group } = session;
  group.handle(0, {
    code: RequestCode.ApplyBrokerId,
    extFields: { brokerName: 's000000', appliedBrokerId: 1, registerCheckCode: 'someone else;1' },
  });
  await prepared(session);
  const set = group.sets.get('s000000');
  assert.deepEqual([...(set?.ids.keys() ?? [])], [1, 2, 3]);
  assert.deepEqual(set?.syncStateSet, [1, 2, 3]);
});

test('preparing survives a change of leader', async () => {
  const session = newSession({ sets: 50 });
  const done = prepare({ ...session, deadlineMs: 10_000 });
  session.clock.advance(2);
  session.group.leader = 2;
  session.clock.advance(9_000);
  await done;
  assert.equal(session.leader.leader, 2);
});

test('preparing that cannot succeed says how far it came and what it was told last', async () => {
  const session = newSession({ sets: 3 });
  session.group.leader = -1;
  const done = prepare({ ...session, deadlineMs: 1_000 });
  session.clock.advance(1_000);
  await assert.rejects(
    done,
    /3 of 3 broker sets were not ready after 1000 ms; last: .*1006 → 2007/,
  );
});

test('preparing that gets no further is given up early, and one that does is not', async () => {
  const session = newSession({ sets: 50 });
  const done = prepare({ ...session, deadlineMs: 60_000, stalledMs: 1_000 });
  session.clock.advance(2);
  session.group.leader = -1;
  session.clock.advance(900);
  session.group.leader = 1;
  session.clock.advance(9_000);
  await done;
  session.group.leader = -1;
  const again = prepare({ ...session, deadlineMs: 60_000, stalledMs: 1_000 });
  session.clock.advance(1_000);
  await assert.rejects(
    again,
    /50 of 50 broker sets were not ready and no other became so in 1000 ms; last: .*1006 → 2007/,
  );
});

test('preparing ends when it is told to stop', async () => {
  const session = newSession({ sets: 3 });
  session.group.leader = -1;
  const done = prepare({ ...session, deadlineMs: 60_000 });
  session.stop.request();
  await done;
});

test('the leader is the one that says so, and found again after it died', () => {
  const { clock, group, network, leader } = newSession();
  assert.deepEqual([leader.leader, leader.isSure], [0, true]);
  network.kill(0);
  group.leader = -1;
  assert.equal(leader.isSure, false);
  clock.advance(1_000);
  assert.deepEqual(
    [leader.leader, leader.isSure],
    [0, false],
    'the last known one stays the address',
  );
  group.leader = 2;
  clock.advance(50);
  assert.deepEqual([leader.leader, leader.isSure], [2, true]);
});

test('hearsay does not bring back a leader that gave reason for doubt', () => {
  const { clock, group, network, leader } = newSession();
  // The others still name the dead one, as followers do until they have elected another.
  network.kill(0);
  clock.advance(1_000);
  assert.equal(leader.isSure, false);
  group.leader = 1;
  clock.advance(50);
  assert.equal(leader.leader, 1);
});

test('a leader that moved without a broken connection is noticed within half a second', () => {
  const { clock, group, leader } = newSession();
  group.leader = 1;
  clock.advance(600);
  assert.equal(leader.leader, 1);
});

test('a restarted member is dialled again', () => {
  const { clock, group, network, links } = newSession();
  group.leader = 1;
  network.kill(0);
  clock.advance(3_000);
  assert.equal(links.connection(0, 0), null);
  network.restart(0);
  clock.advance(1_100);
  assert.notEqual(links.connection(0, 0), null);
});

test('with as many connections as brokers, each broker has one of its own to every member', () => {
  const { clock, group, network } = newSession();
  const share = { prefix: 's', worker: 1, workers: 3, replicas: 3 };
  const sets = fleetOf({ ...share, sets: 10 });
  const perMember = connectionsPerMember({ connections: 'own', connectionsPerWorker: 4 }, sets);
  const links = newLinks({ clock, group, connect: network.connect, perMember });
  links.open();
  clock.advance(50);
  const lanes = sets.flatMap((set) => set.brokers).map(({ lane }) => lane);
  const found = lanes.flatMap((lane) => [0, 1, 2].map((member) => links.connection(member, lane)));
  assert.equal(found.includes(null), false);
  assert.equal(new Set(found).size, 3 * lanes.length);
});

test('few connections are dialled at a time, and all in the end', () => {
  const { clock, group, network } = newSession();
  let dialling = 0;
  let most = 0;
  const links = newLinks({
    clock,
    group,
    perMember: 1_000,
    connect: (address, options) => {
      dialling += 1;
      most = Math.max(most, dialling);
      const onOpen = (): void => {
        dialling -= 1;
        options.onOpen?.();
      };
      return network.connect(address, { ...options, onOpen });
    },
  });
  links.open();
  assert.equal(links.settled, false);
  clock.advance(50);
  assert.equal(most, 256);
  assert.deepEqual([links.settled, links.openCount], [true, 3_000]);
});

test('what is forsaken is not dialled again, whoever closes it', () => {
  const { clock, network, links } = newSession();
  links.forsake(0, 'closed');
  links.forsake(1, 'silent');
  const isOpen = (lane: number): boolean => links.connection(1, lane) !== null;
  assert.deepEqual([isOpen(0), isOpen(1)], [false, true]);
  network.kill(1);
  network.restart(1);
  clock.advance(3_000);
  assert.deepEqual([isOpen(0), isOpen(1)], [false, false]);
});

test('writes shrink and expand each set in turn, and follow the epochs', async () => {
  const session = newSession({ sets: 2 });
  await prepared(session);
  const { driver, outcomes } = newDriver(session);
  const writes = newWrites(session);
  const seen: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    driver.send(writes, session.clock.nowMs());
    driver.send(writes, session.clock.nowMs());
    session.clock.advance(1);
    seen.push(session.group.sets.get('s000000')?.syncStateSet.join('') ?? '');
  }
  assert.deepEqual(seen, ['12', '123', '12']);
  assert.deepEqual(outcomes, ['0', '0', '0', '0', '0', '0']);
});

test('a set has one write in flight: with all sets busy nothing is free', async () => {
  const session = newSession({ sets: 2 });
  await prepared(session);
  const { driver } = newDriver(session);
  const writes = newWrites(session);
  const sent = [1, 2, 3].map(() => driver.send(writes, 0));
  assert.deepEqual(sent, ['sent', 'sent', 'nothing-free']);
  session.clock.advance(1);
  assert.equal(driver.send(writes, 0), 'sent');
});

test('after a lost answer a set is read again before it is written again', async () => {
  const session = newSession({ sets: 1, timeoutMs: 100 });
  await prepared(session);
  const { clock, group, network } = session;
  const { driver, outcomes } = newDriver(session);
  const writes = newWrites(session);
  // The write takes effect, and its answer is lost: our picture of the set is now stale.
  network.swallow = (request) => {
    if (request.code !== RequestCode.AlterSyncStateSet) return false;
    group.handle(0, request);
    return true;
  };
  driver.send(writes, 0);
  clock.advance(100);
  assert.deepEqual(outcomes, ['TIMEOUT']);
  network.swallow = () => false;
  assert.equal(driver.send(writes, 0), 'nothing-free');
  clock.advance(200);
  assert.equal(driver.send(writes, 0), 'sent');
  clock.advance(1);
  assert.deepEqual(outcomes, ['TIMEOUT', '0']);
  assert.equal(group.sets.get('s000000')?.syncStateSet.join(''), '123');
});

test('a fenced write makes the load look again', async () => {
  const session = newSession({ sets: 1 });
  await prepared(session);
  const { clock, group } = session;
  const { driver, outcomes } = newDriver(session);
  const writes = newWrites(session);
  const set = group.sets.get('s000000');
  assert(set !== undefined);
  set.masterId = 2;
  set.masterEpoch = 9;
  driver.send(writes, 0);
  clock.advance(10);
  driver.send(writes, 0);
  clock.advance(10);
  assert.deepEqual(outcomes, [String(ResponseCode.FencedMasterEpoch), '0']);
});

test('while the leader is dead writes fail at once, and the set is free for the next', async () => {
  const session = newSession({ sets: 1 });
  await prepared(session);
  const { clock, group, network } = session;
  const { driver, outcomes } = newDriver(session);
  const writes = newWrites(session);
  network.kill(0);
  group.leader = -1;
  assert.equal(driver.send(writes, 0), 'refused');
  assert.equal(driver.send(writes, 0), 'refused');
  group.leader = 1;
  clock.advance(50);
  assert.equal(driver.send(writes, 0), 'sent');
  clock.advance(1);
  assert.deepEqual(outcomes, ['REFUSED', 'REFUSED', '0']);
});

test('reads go to every member that answers them, and to no other', async () => {
  const session = newSession({ sets: 3 });
  await prepared(session);
  const { clock, group, sets } = session;
  const brokers = sets.flatMap((set) => set.brokers);
  const { driver, outcomes } = newDriver(session);
  const reads = new RoundRobin('getReplicaInfo', { brokers, reads: 'any' });
  const readAll = (count: number): string => {
    outcomes.length = 0;
    for (let i = 0; i < count; i += 1) {
      driver.send(reads, 0);
      clock.advance(1);
    }
    return outcomes.join(' ');
  };
  assert.equal(
    readAll(8)
      .split(' ')
      .filter((code) => code === '2007').length,
    2,
  );
  assert.equal(readAll(5), '0 0 0 0 0');
  group.followerReads = true;
  group.leader = 1;
  clock.advance(600);
  assert.equal(readAll(6), '0 0 0 0 0 0');
});

test('answers of an earlier window keep their window', async () => {
  const session = newSession({ sets: 1 });
  await prepared(session);
  const windows: number[] = [];
  const driver = new Driver({
    ...session,
    outcomes: { answered: (flight) => windows.push(flight.window), failed: () => {} },
  });
  driver.send(newWrites(session), 0);
  driver.window += 1;
  session.clock.advance(1);
  assert.deepEqual(windows, [0]);
});

test('every broker beats to every member once per interval, spread evenly', () => {
  const { clock, group, links, sets } = newSession({ sets: 10 });
  const brokers = sets.flatMap((set) => set.brokers);
  const heartbeats = new Heartbeats({ brokers, everyMs: 1_000, links, clock });
  heartbeats.start();
  assert.equal(heartbeats.sent, 90, 'all beat at once at the start');
  assert.equal(group.beating.size, 90);
  const perTenth = Array.from({ length: 10 }, () => {
    const before = heartbeats.sent;
    clock.advance(100);
    return heartbeats.sent - before;
  });
  assert(
    perTenth.every((count) => count >= 6 && count <= 12),
    perTenth.join(),
  );
  assert.equal(heartbeats.sent, 180);
});

function newBringUp(session: Session) {
  const { sets, links, leader, clock } = session;
  const outcomes: string[] = [];
  let completeMs: number | null = null;
  const fleet = new BringUp({
    sets,
    links,
    leader,
    clock,
    prng: new Prng(3),
    outcomes: {
      answered: (request, _sentMs, _nowMs, code) => outcomes.push(`${request}→${code}`),
      failed: (request, why) => outcomes.push(`${request}→${why}`),
      late: () => {},
    },
  });
  fleet.onComplete = (nowMs) => {
    completeMs = nowMs;
  };
  return { fleet, outcomes, completedAt: () => completeMs };
}

test('bring-up: every set gets a master and all its replicas in step', () => {
  const session = newSession({ sets: 5 });
  const { fleet, outcomes, completedAt } = newBringUp(session);
  fleet.start();
  session.clock.advance(5_000);
  assert.notEqual(completedAt(), null);
  for (const set of session.group.sets.values()) {
    assert.equal(set.syncStateSet.length, 3);
    assert.equal(set.masterEpoch, 1);
  }
  const count = (what: string): number => outcomes.filter((outcome) => outcome === what).length;
  assert.equal(count('1013→0'), 15);
  assert.equal(count('1002→0'), 5, 'one election per set');
  assert.equal(count('1001→0'), 10, 'two expansions per set');
  fleet.stop();
});

test('bring-up: a leader that dies midway costs time, not brokers', () => {
  const session = newSession({ sets: 5 });
  const { fleet, completedAt } = newBringUp(session);
  fleet.start();
  session.clock.advance(3);
  session.network.kill(0);
  session.group.leader = 1;
  session.clock.advance(60_000);
  assert.notEqual(completedAt(), null);
  assert.equal(fleet.setsComplete, 5);
  fleet.stop();
});

test('bring-up: a late reply closes the shared connection, and its brokers start over', () => {
  const session = newSession({ sets: 2, timeoutMs: 500 });
  const { fleet, outcomes, completedAt } = newBringUp(session);
  let swallowed = 0;
  session.network.swallow = ({ code }) => {
    if (code !== RequestCode.ApplyBrokerId || swallowed > 0) return false;
    swallowed += 1;
    return true;
  };
  fleet.start();
  session.clock.advance(60_000);
  assert.equal(outcomes.filter((outcome) => outcome === '1013→TIMEOUT').length, 1);
  assert.notEqual(completedAt(), null);
  fleet.stop();
});

test('the fleet is shared out without gap or overlap', () => {
  const names = [0, 1, 2].flatMap((worker) =>
    fleetOf({ prefix: 'x', sets: 10, replicas: 2, worker, workers: 3 }).map((set) => set.name),
  );
  assert.equal(new Set(names).size, 10);
  const addresses = fleetOf({ prefix: 'x', sets: 300, replicas: 3, worker: 0, workers: 1 })
    .flatMap((set: BrokerSet) => set.brokers)
    .map((broker) => broker.address);
  assert.equal(new Set(addresses).size, 900);
});
