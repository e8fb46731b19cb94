/**
 * One name server, three controllers of ours and one broker set of two, all real processes; what a
 * scenario does with them is told step by step, with the time.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../lib/until.js';
import { type JavaProcess, startBroker, startNamesrv } from '../target/java-broker.js';
import { compileJavaClient, type JavaClient, startJavaClient } from '../target/java-client.js';
import { startCluster } from '../target/ours.js';
import type { Peers } from '../target/peers.js';
import { dataDirectory } from '../target/start-target.js';
import type { RunningTarget } from '../target/target.js';
import { askRole, askSet, type SetView } from './questions.js';

export interface LabOptions {
  readonly build: string;
  readonly peers: Peers;
  /** Told each step, as it happens. */
  readonly tell: (line: string) => void;
  /** Brokers look one name up that stands for all controllers, instead of reading a list. */
  readonly byName?: boolean;
  /** Keeps stores and logs there; a temporary directory when absent. */
  readonly data?: string;
}

export const BROKER_SET = 'broker-a';
export const TOPIC = 'Quorumark';
/** Starts of JVMs on a busy machine, and the brokers' own timers of 5 and 10 s on top. */
export const WAIT_MS = 180_000;

const QUEUES = 4;
const NAME = 'controllers.test';
const HOSTS = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];

export class Lab {
  readonly cluster: RunningTarget;
  readonly #options: LabOptions;
  readonly #directory: string;
  readonly #removeData: () => void;
  readonly #namesrv: JavaProcess;
  readonly #startedMs: number;
  readonly #brokers: JavaProcess[] = [];
  readonly #clients: JavaClient[] = [];

  /** Controllers and name server, without brokers. Close it, whatever happens. */
  static async open(options: LabOptions): Promise<Lab> {
    const startedMs = performance.now();
    const { data: directory, removeData } = dataDirectory(options.data);
    const { build, peers } = options;
    let cluster: RunningTarget | null = null;
    let namesrv: JavaProcess | null = null;
    try {
      cluster = await startCluster({
        build,
        durability: 'group',
        data: join(directory, 'controllers'),
        ...(options.byName === true && { hosts: HOSTS }),
      });
      namesrv = await startNamesrv({ peers, directory: join(directory, 'namesrv') });
      await compileJavaClient(peers, join(directory, 'classes'));
      const lab = new Lab(options, { directory, removeData, cluster, namesrv, startedMs });
      lab.tell(`three ${build} controllers at ${cluster.addresses.join(';')}, one name server`);
      return lab;
    } catch (error) {
      await namesrv?.close();
      await cluster?.close();
      removeData();
      throw error;
    }
  }

  private constructor(
    options: LabOptions,
    parts: {
      readonly directory: string;
      readonly removeData: () => void;
      readonly cluster: RunningTarget;
      readonly namesrv: JavaProcess;
      readonly startedMs: number;
    },
  ) {
    this.#options = options;
    this.#directory = parts.directory;
    this.#removeData = parts.removeData;
    this.cluster = parts.cluster;
    this.#namesrv = parts.namesrv;
    this.#startedMs = parts.startedMs;
  }

  tell(line: string): void {
    const seconds = (performance.now() - this.#startedMs) / 1_000;
    this.#options.tell(`${seconds.toFixed(2).padStart(7)} s  ${line}`);
  }

  /** The first becomes master with id 1, the second its slave with id 2. */
  async startBroker(): Promise<JavaProcess> {
    const { peers, byName = false } = this.#options;
    const id = this.#brokers.length + 1;
    const hostsFile = join(this.#directory, 'hosts');
    writeFileSync(hostsFile, HOSTS.map((host) => `${host} ${NAME}\n`).join(''));
    const port = this.cluster.addresses[0]?.split(':')[1];
    const broker = await startBroker({
      id: `broker-${id}`,
      peers,
      directory: join(this.#directory, `broker-${id}`),
      clusterName: 'quorumark',
      brokerName: BROKER_SET,
      namesrv: this.#namesrv.address,
      controllers: byName ? `${NAME}:${port}` : this.cluster.addresses.join(';'),
      ...(byName && { hostsFile }),
    });
    this.#brokers.push(broker);
    this.tell(`${broker.id} listens at ${broker.address}`);
    return broker;
  }

  /** Both brokers, one after the other, until both are in the SyncStateSet; and the topic. */
  async bringUp(): Promise<void> {
    const first = await this.startBroker();
    const alone = await this.untilSet('it is master', ({ masterId }) => masterId === 1);
    assert.deepEqual([alone.masterAddress, alone.inSync], [first.address, [1]]);
    const second = await this.startBroker();
    const both = await this.untilInStep(1);
    assert.equal(both.masterEpoch, alone.masterEpoch, 'nobody had a reason to elect');
    await this.untilRole(first, 'SYNC_MASTER');
    await this.untilRole(second, 'SLAVE');
    await this.makeTopic(first, second);
  }

  async makeTopic(master: JavaProcess, slave: JavaProcess): Promise<void> {
    await this.client('topic', TOPIC, String(QUEUES), master.address, slave.address).done;
    this.tell(`topic ${TOPIC} of ${QUEUES} queues is on both brokers`);
  }

  async untilRole(broker: JavaProcess, role: 'SYNC_MASTER' | 'SLAVE'): Promise<void> {
    await until(
      `${broker.id} is ${role}`,
      WAIT_MS,
      async () => (await askRole(broker.address)) === role,
    );
    this.tell(`${broker.id} says that it is ${role}`);
  }

  /** The leader's view of the set, as soon as it is as wanted. */
  async untilSet(what: string, wanted: (view: SetView) => boolean): Promise<SetView> {
    let last: SetView | undefined;
    const view = await until(what, WAIT_MS, async () => {
      last = await askSet(this.cluster.addresses, BROKER_SET);
      return last !== undefined && wanted(last) ? last : undefined;
    }).catch((error: Error) => {
      throw new assert.AssertionError({ message: `${error.message}; ${JSON.stringify(last)}` });
    });
    this.tell(`${what}: ${describe(view)}`);
    return view;
  }

  /** Both replicas in the SyncStateSet, that one leading. */
  untilInStep(masterId: number): Promise<SetView> {
    return this.untilSet(
      'both are in step',
      (view) => view.masterId === masterId && view.inSync.join() === '1,2',
    );
  }

  broker(id: number): JavaProcess {
    const broker = this.#brokers[id - 1];
    assert(broker !== undefined, `no broker ${id} was started`);
    return broker;
  }

  /** A Java client: the command of `SendAndReceive.java`, then what follows the name server. */
  client(command: string, ...args: readonly string[]): JavaClient {
    const client = startJavaClient({
      peers: this.#options.peers,
      classes: join(this.#directory, 'classes'),
      directory: join(this.#directory, `client-${this.#clients.length + 1}-${command}`),
      args: [command, this.#namesrv.address, ...args],
    });
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all([...this.#brokers, this.#namesrv].map((one) => one.kill('SIGKILL')));
    await Promise.all([...this.#brokers, this.#namesrv].map((one) => one.close()));
    await this.cluster.close();
    this.#removeData();
  }
}

function describe({ masterId, masterEpoch, inSync }: SetView): string {
  return `master ${masterId ?? 'none'}, masterEpoch ${masterEpoch}, SyncStateSet {${inSync.join()}}`;
}
