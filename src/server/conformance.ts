/**
 * What every build owes its callers. Each build's test file is this suite and nothing more.
 *
 * Time is virtual and the log is a fake that commits when told, so every interleaving here is the
 * test's own choice.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ControllerEvent, decodeEvents } from '../controller/event.js';
import { type Reply, success } from '../controller/reply.js';
import { LogError } from '../engine/errors.js';
import type { Log } from '../engine/log-engine.js';
import { type LogIndex, logIndex } from '../lib/brand.js';
import { VirtualClock } from '../lib/virtual-clock.js';
import { controllerConfig } from './config.js';
import { HeartbeatTable } from './heartbeat-table.js';
import type { ControllerBuild, PartsContext, PartsOptions, ReadWork, Work } from './parts.js';

export function conformance(build: ControllerBuild): void {
  test(`${build.name}: works of one broker set never overlap and keep their order`, async () => {
    const { admission } = stage(build);
    const trace: string[] = [];
    const first = slowWork(trace, '1');
    const second = slowWork(trace, '2');
    assert.equal(admission.inOrder('broker-a', first.work), 'accepted');
    assert.equal(admission.inOrder('broker-a', second.work), 'accepted');
    assert.deepEqual(trace, ['1 in']);
    first.finish();
    await settled();
    assert.deepEqual(trace, ['1 in', '1 out', '2 in']);
    second.finish();
    await settled();
    assert.deepEqual(trace, ['1 in', '1 out', '2 in', '2 out']);
  });

  test(`${build.name}: work that ends at once lets the next run in the same turn`, () => {
    const { admission } = stage(build);
    const trace: string[] = [];
    for (const name of ['1', '2', '3']) admission.inOrder('broker-a', quickWork(trace, name));
    assert.deepEqual(trace, ['1', '2', '3']);
  });

  test(`${build.name}: a full admission refuses at once, and recovers`, () => {
    const { admission } = stage(build);
    const begun: string[] = [];
    const calls = Array.from({ length: 200 }, (_, at) => ({ begin: () => begun.push(String(at)) }));
    const accepted = calls.filter((call) => admission.admit(call) === 'accepted');
    assert.ok(accepted.length < calls.length, 'the bound was reached');
    for (const call of accepted) admission.ended(call);
    assert.equal(begun.length, accepted.length, 'what was accepted was begun');
    const late = { begin: () => begun.push('late') };
    assert.equal(admission.admit(late), 'accepted');
    assert.equal(begun.at(-1), 'late');
  });

  test(`${build.name}: a commit resolves when its events are applied, not before`, async () => {
    const { commits, log, clock } = stage(build);
    let committed = 0;
    const count = (): void => {
      committed += 1;
    };
    void commits.commit([elected('broker-a')]).then(count);
    clock.finishTurn();
    await settled();
    assert.deepEqual(log.pendingEvents(), ['broker-a']);
    assert.equal(committed, 0);
    log.commitAll();
    await settled();
    assert.equal(committed, 1);
  });

  test(`${build.name}: events reach the log in the order of their commits`, async () => {
    const { commits, log, clock } = stage(build);
    for (const name of ['a', 'b', 'c', 'd']) void commits.commit([elected(name)]);
    clock.finishTurn();
    await settled();
    assert.deepEqual(log.pendingEvents(), ['a', 'b', 'c', 'd']);
  });

  test(`${build.name}: a lost leadership fails the commit as indefinite`, async () => {
    const { commits, log, clock } = stage(build);
    const commit = commits.commit([elected('broker-a')]);
    clock.finishTurn();
    log.loseLeadership();
    await assert.rejects(commit, (error) => error instanceof LogError && !error.definite);
  });

  test(`${build.name}: a read computes its answer and delivers it`, async () => {
    const { reads, log, clock } = stage(build);
    const trace: string[] = [];
    assert.equal(reads.read(readWork(trace, '1')), 'accepted');
    clock.finishTurn();
    log.commitAll();
    log.proveAll();
    await settled();
    assert.deepEqual(trace, ['compute 1', 'deliver 1']);
  });

  test(`${build.name}: a read that claims a proof does not answer without it`, async () => {
    const { reads, log, clock, options } = stage(build);
    // Turned on while it runs, as an operator may (1009).
    options.processReadEvent = true;
    assert.notEqual(reads.proof, 'unproved');
    const trace: string[] = [];
    reads.read(readWork(trace, '1'));
    clock.finishTurn();
    await settled();
    assert.ok(!trace.includes('deliver 1'));
    log.loseLeadership();
    await settled();
    assert.deepEqual(trace.at(-1), 'fail 1');
    assert.ok(!trace.includes('deliver 1'));
  });

  test(`${build.name}: a broker that falls silent is forgotten, and its set gets an election`, () => {
    const { liveness, table, clock, elections } = stage(build);
    liveness.start();
    beat(table, liveness, 1);
    clock.advance(9_000);
    beat(table, liveness, 2);
    assert.deepEqual(elections, []);
    clock.advance(8_000);
    assert.deepEqual(elections, ['broker-a']);
    assert.equal(table.size, 1, 'the slave is still known');
    liveness.stop();
  });

  test(`${build.name}: a closed connection ends the broker on it at once`, () => {
    const { liveness, table, elections } = stage(build);
    liveness.start();
    const entry = beat(table, liveness, 1);
    liveness.connectionClosed(entry.source);
    assert.deepEqual(elections, ['broker-a']);
    assert.equal(table.size, 0);
    liveness.stop();
  });

  test(`${build.name}: a silent slave costs no election`, () => {
    const { liveness, table, elections } = stage(build);
    liveness.start();
    const entry = beat(table, liveness, 2);
    liveness.connectionClosed(entry.source);
    assert.deepEqual(elections, []);
    liveness.stop();
  });
}

class FakeLog implements Log {
  readonly isServing = true;
  #pending: { body: Uint8Array; resolve: () => void; reject: (error: LogError) => void }[] = [];
  #proofs: { resolve: () => void; reject: (error: LogError) => void }[] = [];

  append(body: Uint8Array | readonly Uint8Array[]): Promise<LogIndex> {
    assert(body instanceof Uint8Array, 'the builds append one entry at a time');
    return new Promise((resolve, reject) => {
      this.#pending.push({ body, resolve: () => resolve(logIndex(1)), reject });
    });
  }

  readBarrier(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#proofs.push({ resolve, reject });
    });
  }

  pendingEvents(): string[] {
    const names: string[] = [];
    for (const { body } of this.#pending)
      decodeEvents(body, (event) => names.push(event.brokerName));
    return names;
  }

  commitAll(): void {
    for (const { resolve } of this.#pending.splice(0)) resolve();
  }

  proveAll(): void {
    for (const { resolve } of this.#proofs.splice(0)) resolve();
  }

  loseLeadership(): void {
    for (const { reject } of this.#pending.splice(0)) reject(new LogError('LEADERSHIP_LOST'));
    for (const { reject } of this.#proofs.splice(0)) reject(new LogError('NOT_LEADER'));
  }
}

function stage(build: ControllerBuild) {
  const log = new FakeLog();
  const clock = new VirtualClock();
  const table = new HeartbeatTable({ nowMs: () => clock.nowMs(), entriesMax: 10 });
  const elections: string[] = [];
  const peers = [{ id: 'n0', host: '127.0.0.1', port: 1, address: '127.0.0.1:1' }];
  const options: { processReadEvent: boolean } & PartsOptions = controllerConfig({
    selfId: 'n0',
    peers,
    storePath: 'unused',
    requestsWaitingMax: 100,
    handlerQueueMax: 100,
  });
  const context: PartsContext = {
    log,
    clock,
    table,
    actions: {
      isServing: () => true,
      masterOf: () => 1,
      setsWithDeadMaster: () => [],
      elect: (brokerName) => {
        elections.push(brokerName);
        return Promise.resolve();
      },
    },
    options,
  };
  const admission = build.admission(context);
  return {
    log,
    clock,
    table,
    elections,
    options,
    admission,
    commits: build.commits(context),
    reads: build.reads(context, admission),
    liveness: build.liveness(context),
  };
}

function elected(brokerName: string): ControllerEvent {
  return { kind: 'master-elected', brokerName, masterBrokerId: 1 };
}

function quickWork(trace: string[], name: string): Work {
  return {
    givenUp: false,
    drop: () => assert.fail('dropped'),
    run: () => {
      trace.push(name);
      return undefined;
    },
  };
}

function slowWork(trace: string[], name: string): { work: Work; finish: () => void } {
  let finish = (): void => {};
  const work: Work = {
    givenUp: false,
    drop: () => assert.fail('dropped'),
    run: () => {
      trace.push(`${name} in`);
      return new Promise((resolve) => {
        finish = () => {
          trace.push(`${name} out`);
          resolve();
        };
      });
    },
  };
  return { work, finish: () => finish() };
}

function readWork(trace: string[], name: string): ReadWork {
  const reply: Reply = success(null, null);
  return {
    brokerName: 'broker-a',
    givenUp: false,
    drop: () => assert.fail('dropped'),
    compute: () => {
      trace.push(`compute ${name}`);
      return reply;
    },
    deliver: (delivered) => {
      assert.equal(delivered, reply);
      trace.push(`deliver ${name}`);
    },
    fail: () => trace.push(`fail ${name}`),
  };
}

function beat(
  table: HeartbeatTable,
  liveness: { arrived(entry: NonNullable<ReturnType<HeartbeatTable['beat']>>): void },
  brokerId: number,
) {
  const source = { close: () => {} };
  const entry = table.beat(
    {
      clusterName: 'cluster-a',
      brokerName: 'broker-a',
      brokerId,
      brokerAddress: `127.0.0.1:${brokerId}`,
      timeoutMs: 10_000,
      epoch: 1,
      maxOffset: 0,
      confirmOffset: 0,
      electionPriority: null,
    },
    source,
  );
  assert(entry !== null, 'a first beat makes an entry');
  liveness.arrived(entry);
  return entry;
}

/** Lets every promise that can go on go on. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
}
