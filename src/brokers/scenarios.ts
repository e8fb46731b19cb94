/**
 * What real brokers and clients live through with our controllers. Each scenario tells its steps,
 * judges what it saw, and hands back the figures that it measured.
 */
import assert from 'node:assert/strict';
import { discoverLeader } from '../client/discover.js';
import { until } from '../lib/until.js';
import type { JavaClient } from '../target/java-client.js';
import { BROKER_SET, type Lab, TOPIC, WAIT_MS } from './lab.js';
import { acknowledged, audit, failedAttempts, missingOf } from './messages.js';
import { askSet } from './questions.js';

export interface Scenario {
  readonly name: string;
  /** A sentence: what it shows. */
  readonly shows: string;
  /** Brokers look up one name for all controllers. */
  readonly byName?: boolean;
  /** @throws AssertionError for whatever did not hold */
  run(lab: Lab): Promise<Figures>;
}

/** By name, with the unit at the end: `kill to new master, ms`. */
export type Figures = Readonly<Record<string, number>>;

const MESSAGES = 500;
const PACE_MS = 5;
/** Bounds a `send` that is told when to end. */
const MESSAGES_MAX = 100_000;
const SOME = 200;

export const scenarios: readonly Scenario[] = [
  {
    name: 'broker-killed',
    shows: 'kill -9 of the master: its slave takes over with every acknowledged message',
    async run(lab) {
      await lab.bringUp();
      const run = 'first';
      const lines = await lab.client('send', TOPIC, run, String(MESSAGES), '0').done;
      const sent = acknowledged(lines);
      assert.equal(sent.length, MESSAGES, 'all were acknowledged');
      lab.tell(`${sent.length} messages acknowledged, each by the whole SyncStateSet`);

      const { electedMs } = await killMaster(lab, 1, 2);
      const read = await lab.client('read', TOPIC).done;
      const { found, duplicates } = audit(run, sent, read, 'read');
      lab.tell(`${found} messages read from the new master, all as they were sent`);

      await lab.broker(1).restart();
      await lab.untilInStep(2);
      await lab.untilRole(lab.broker(1), 'SLAVE');
      return {
        'kill to new master, ms': electedMs,
        'messages acknowledged': sent.length,
        'messages read': found,
        duplicates,
      };
    },
  },
  {
    name: 'all-killed-in-turn',
    shows: 'a producer and a consumer through kills of brokers and of controllers',
    async run(lab) {
      await lab.bringUp();
      const run = 'through';
      const producer = lab.client('send', TOPIC, run, String(MESSAGES_MAX), String(PACE_MS));
      const consumer = lab.client('consume', TOPIC, 'quorumark-consumer');
      await untilMoreAcknowledged(lab, producer, 'the producer is under way');
      await untilSaid(consumer, 'the consumer runs', () => consumer.lines.includes('started'));

      const first = await killMaster(lab, 1, 2);
      const electedAtMs = first.killedAtMs + first.electedMs;
      const sendsAgainMs = (await firstAcknowledgedAfter(producer, electedAtMs)) - first.killedAtMs;
      lab.tell(`sends go on ${sendsAgainMs} ms after the kill`);
      await lab.broker(1).restart();
      await lab.untilInStep(2);

      const leaderMs = await killLeader(lab, producer);
      await withoutControllers(lab, producer);

      const second = await killMaster(lab, 2, 1);
      await untilMoreAcknowledged(lab, producer, 'sends go on');
      await lab.broker(2).restart();
      await lab.untilInStep(1);

      producer.finish();
      const sent = acknowledged(await producer.done);
      await untilSaid(consumer, 'the consumer received all', () => {
        return missingOf(sent, consumer.lines, 'received').length === 0;
      });
      consumer.finish();
      const received = audit(run, sent, await consumer.done, 'received');
      const read = audit(run, sent, await lab.client('read', TOPIC).done, 'read');
      lab.tell(
        `${sent.length} messages acknowledged, ${received.found} received, ${read.found} read: none lost`,
      );
      return {
        'kill of broker-1 to new master, ms': first.electedMs,
        'kill of broker-1 to next send acknowledged, ms': sendsAgainMs,
        'kill of leading controller to next leader, ms': leaderMs,
        'kill of broker-2 to new master, ms': second.electedMs,
        'messages acknowledged': sent.length,
        'attempts not acknowledged': failedAttempts(producer.lines),
        'messages received': received.found,
        'duplicates received': received.duplicates,
        'messages read': read.found,
      };
    },
  },
  {
    name: 'master-silent',
    shows:
      'SIGSTOP of the master: its connections stay, its heartbeats do not; SIGCONT: it is fenced',
    async run(lab) {
      await lab.bringUp();
      const run = 'silent';
      const producer = lab.client('send', TOPIC, run, String(MESSAGES_MAX), String(PACE_MS));
      await untilMoreAcknowledged(lab, producer, 'the producer is under way');
      const stoppedMs = performance.now();
      await lab.broker(1).kill('SIGSTOP');
      lab.tell('SIGSTOP of broker-1, the master');
      const next = await lab.untilSet('its slave is elected', ({ masterId }) => masterId === 2);
      const electedMs = Math.round(performance.now() - stoppedMs);
      assert.deepEqual([next.masterEpoch, next.inSync], [2, [2]]);
      await untilMoreAcknowledged(lab, producer, 'sends go on');
      await lab.broker(1).kill('SIGCONT');
      lab.tell('SIGCONT of broker-1, which still takes itself for the master');
      await lab.untilRole(lab.broker(1), 'SLAVE');
      const both = await lab.untilInStep(2);
      assert.equal(both.masterEpoch, 2, 'nobody was elected over it');
      producer.finish();
      const sent = acknowledged(await producer.done);
      const read = audit(run, sent, await lab.client('read', TOPIC).done, 'read');
      lab.tell(`${sent.length} messages acknowledged, ${read.found} read: none lost`);
      return {
        'SIGSTOP to new master, ms': electedMs,
        'messages acknowledged': sent.length,
        'attempts not acknowledged': failedAttempts(producer.lines),
        'messages read': read.found,
        duplicates: read.duplicates,
      };
    },
  },
  {
    name: 'controller-down',
    shows: 'brokers that start while a controller is down, and what they do when it comes back',
    run: startWithOneDown,
  },
  {
    name: 'controllers-by-name',
    shows: 'the same, with fetchControllerAddrByDnsLookup: one name for all controllers',
    byName: true,
    run: startWithOneDown,
  },
];

/** The member that is down is the one that leads, so what it knew must be known to others too. */
async function startWithOneDown(lab: Lab): Promise<Figures> {
  const down = await lab.cluster.leader();
  await lab.cluster.kill(down.id, 'SIGKILL');
  lab.tell(`kill -9 of ${down.id}, which led; the brokers know it by its address`);
  await lab.bringUp();

  await lab.cluster.restart(down.id);
  const leader = await lab.cluster.leader();
  lab.tell(`${down.id} is back, ${leader.id} leads`);
  await untilHeard(lab, down.id);
  // Without the one that was down, those that are left are no majority.
  const killedMs = performance.now();
  await lab.cluster.kill(leader.id, 'SIGKILL');
  lab.tell(`kill -9 of ${leader.id}, which led`);
  const view = await lab.untilSet('the brokers are alive to the next leader', ({ alive }) => {
    return alive.join() === '1,2';
  });
  const knownMs = Math.round(performance.now() - killedMs);
  assert.deepEqual([view.masterId, view.masterEpoch, view.inSync], [1, 1, [1, 2]]);
  const { electedMs } = await killMaster(lab, 1, 2);
  return {
    'kill of leading controller to next one that hears both brokers, ms': knownMs,
    'kill of broker-1 to new master, ms': electedMs,
  };
}

/** A member says over HTTP whose heartbeats it received itself, leading or not. */
async function untilHeard(lab: Lab, id: string): Promise<void> {
  const member = lab.cluster.members().find((one) => one.id === id);
  await until(`both brokers are heard by ${id}`, WAIT_MS, async () => {
    const url = `http://${member?.httpAddress}/v1/broker-sets/${BROKER_SET}`;
    const page = await fetch(url).catch(() => null);
    if (page?.ok !== true) return false;
    const { replicas } = (await page.json()) as { readonly replicas: readonly Replica[] };
    return replicas.filter(({ alive }) => alive).length === 2;
  });
  lab.tell(`${id} hears the heartbeats of both brokers`);
}

interface Replica {
  readonly alive: boolean;
}

interface MasterKill {
  /** On the wall clock, as the clients' lines. */
  readonly killedAtMs: number;
  /** From the kill until the controllers named the other. */
  readonly electedMs: number;
}

async function killMaster(lab: Lab, master: number, next: number): Promise<MasterKill> {
  const before = await lab.untilInStep(master);
  const killedMs = performance.now();
  const killedAtMs = Date.now();
  await lab.broker(master).kill('SIGKILL');
  lab.tell(`kill -9 of broker-${master}, the master`);
  const after = await lab.untilSet('its slave is elected', ({ masterId }) => masterId === next);
  const electedMs = Math.round(performance.now() - killedMs);
  assert.equal(after.masterEpoch, before.masterEpoch + 1);
  assert.deepEqual(after.inSync, [next]);
  assert.equal(after.masterAddress, lab.broker(next).address);
  await lab.untilRole(lab.broker(next), 'SYNC_MASTER');
  return { killedAtMs, electedMs };
}

/** Sends go on meanwhile. @returns milliseconds from the kill until the next leader served */
async function killLeader(lab: Lab, producer: JavaClient): Promise<number> {
  const before = await askSet(lab.cluster.addresses, BROKER_SET);
  const leader = await lab.cluster.leader();
  const killedMs = performance.now();
  const killedAtMs = Date.now();
  await lab.cluster.kill(leader.id, 'SIGKILL');
  lab.tell(`kill -9 of ${leader.id}, the leading controller`);
  await discoverLeader({ addresses: lab.cluster.addresses, deadlineMs: WAIT_MS });
  const electedMs = Math.round(performance.now() - killedMs);
  const servedAtMs = Date.now();
  const next = await lab.cluster.leader();
  const meanwhile = acknowledged(producer.lines).filter(
    ({ atMs }) => atMs > killedAtMs && atMs < servedAtMs,
  ).length;
  lab.tell(`${next.id} leads after ${electedMs} ms; ${meanwhile} messages acknowledged meanwhile`);
  await lab.cluster.restart(leader.id);
  lab.tell(`${leader.id} is back`);
  const view = await lab.untilSet('nobody was elected over it', ({ alive }) => alive.length === 2);
  assert.deepEqual([view.masterId, view.masterEpoch], [before?.masterId, before?.masterEpoch]);
  return electedMs;
}

/** Two of three controllers are gone: nothing can be elected, and messages flow as ever. */
async function withoutControllers(lab: Lab, producer: JavaClient): Promise<void> {
  const before = await askSet(lab.cluster.addresses, BROKER_SET);
  const [first, second] = lab.cluster.members();
  assert(first !== undefined && second !== undefined);
  await Promise.all([first, second].map(({ id }) => lab.cluster.kill(id, 'SIGKILL')));
  lab.tell(`kill -9 of ${first.id} and ${second.id}: no majority of controllers`);
  await untilMoreAcknowledged(lab, producer, 'sends go on without controllers');
  await Promise.all([first, second].map(({ id }) => lab.cluster.restart(id)));
  const view = await lab.untilSet('both are back', ({ alive }) => alive.length === 2);
  assert.deepEqual(
    [view.masterId, view.masterEpoch, view.inSync],
    [before?.masterId, before?.masterEpoch, before?.inSync],
  );
}

async function untilMoreAcknowledged(lab: Lab, producer: JavaClient, what: string): Promise<void> {
  const before = acknowledged(producer.lines).length;
  await untilSaid(producer, `${what}: ${SOME} more acknowledged`, () => {
    return acknowledged(producer.lines).length >= before + SOME;
  });
  lab.tell(`${what}: ${SOME} more messages acknowledged`);
}

function firstAcknowledgedAfter(producer: JavaClient, afterMs: number): Promise<number> {
  return untilSaid(producer, 'a send is acknowledged by the new master', () => {
    return acknowledged(producer.lines).find(({ atMs }) => atMs > afterMs)?.atMs;
  });
}

/** Waits for what a client says, for as long as it runs. */
function untilSaid<Found>(
  client: JavaClient,
  what: string,
  condition: () => Found | undefined | false,
): Promise<Found> {
  return until(what, WAIT_MS, () => {
    const found = condition();
    if (client.failure !== null) throw client.failure;
    return found;
  });
}
