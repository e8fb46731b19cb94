/**
 * Controllers on virtual time with logs in memory, for tests that speak to a build as a broker
 * would: a command in, a reply out. One alone, or a group of three.
 */
import assert from 'node:assert/strict';
import type { Connection, ConnectionOptions, Request } from '../client/types.js';
import type { LogEngine } from '../engine/log-engine.js';
import { TestCluster, type TestMember } from '../engine/testing.js';
import { silent } from '../lib/logger.js';
import type { RemotingCommand } from '../remoting/command.js';
import type { ResponseFrame } from '../remoting/frame-writer.js';
import type { ClientConnection } from './call.js';
import { type ConfigOverrides, controllerConfig } from './config.js';
import { Controller } from './controller.js';
import { ControllerMetrics } from './metrics.js';
import { RoleChangeNotifier } from './notifier.js';
import type { ControllerBuild } from './parts.js';

export interface TestRequest {
  readonly code: number;
  readonly extFields?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly oneway?: boolean;
}

/** A reply with its parts parsed; `extFields` and `body` are null where the response has none. */
export interface TestReply {
  readonly code: number;
  readonly remark: string | null;
  readonly extFields: unknown;
  readonly body: unknown;
}

/** One broker's connection, as the controller sees it. */
export class TestConnection implements ClientConnection {
  isClosed = false;
  readonly responses: ResponseFrame[] = [];

  respond(response: ResponseFrame): void {
    this.responses.push(response);
  }

  close(): void {
    this.isClosed = true;
  }

  /** Replies to one request; more than one would be a bug. */
  repliesTo(opaque: number): TestReply[] {
    return this.responses.filter((response) => response.opaque === opaque).map(parsed);
  }
}

/** One push to a broker (1008). */
export interface Notification {
  readonly address: string;
  readonly request: Request;
}

export class TestController {
  readonly cluster: TestCluster;
  readonly member: TestMember;
  readonly controller: Controller;
  readonly metrics = new ControllerMetrics({});
  /** What brokers were told, in that order. */
  readonly notified: Notification[] = [];
  #connection = new TestConnection();
  #opaque = 0;

  /** @param cluster of which `id` is a member; without it, a group of one */
  constructor(
    build: ControllerBuild,
    overrides: Partial<ConfigOverrides> = {},
    cluster: TestCluster = new TestCluster({ size: 1 }),
    id = 'n0',
  ) {
    this.cluster = cluster;
    this.member = cluster.member(id);
    this.controller = new Controller({
      config: controllerConfig({
        selfId: id,
        peers: cluster.members.map((member, index) => {
          const port = 9_878 + index * 10;
          return { id: member.id, host: '127.0.0.1', port, address: `127.0.0.1:${port}` };
        }),
        storePath: 'unused',
        ...overrides,
      }),
      build,
      log: this.member.log,
      clock: cluster.clock,
      logger: silent,
      metrics: this.metrics,
      notifier: new RoleChangeNotifier({
        connect: (address, options) => this.#broker(address, options),
        connectionsMax: 16,
        waitingMax: 100,
      }),
    });
    this.member.onApply = (entry) => this.controller.apply(entry);
  }

  get log(): LogEngine {
    return this.member.log;
  }

  /** Starts, and waits until it serves; for a controller that is alone. */
  async serve(): Promise<this> {
    this.cluster.start();
    this.controller.start();
    await this.cluster.serving([this.member]);
    return this;
  }

  /** Sends on the connection that all calls without one share. @returns the opaque of its reply */
  send(request: TestRequest, connection: TestConnection = this.#connection): number {
    this.#opaque += 1;
    const command: RemotingCommand = {
      code: request.code,
      language: 'JAVA',
      version: 0,
      opaque: this.#opaque,
      flag: request.oneway === true ? 2 : 0,
      remark: null,
      extFields: request.extFields ?? null,
      body: request.body === undefined ? null : Buffer.from(request.body),
    };
    this.controller.handle(command, connection);
    return this.#opaque;
  }

  /** Sends one request and returns its one reply, as it goes onto the wire. */
  async exchange(request: TestRequest): Promise<ResponseFrame> {
    // The controller closes connections of silent brokers, and brokers connect again.
    if (this.#connection.isClosed) this.#connection = new TestConnection();
    const opaque = this.send(request);
    await this.settle();
    const replies = this.#connection.responses.filter((response) => response.opaque === opaque);
    const [reply] = replies;
    assert(reply !== undefined && replies.length === 1, `one reply to ${JSON.stringify(request)}`);
    this.#connection.responses.length = 0;
    return reply;
  }

  /** Sends one request and returns its one reply, parsed. */
  async call(request: TestRequest): Promise<TestReply> {
    return parsed(await this.exchange(request));
  }

  settle(): Promise<void> {
    return this.cluster.settle();
  }

  advance(ms: number): Promise<void> {
    return this.cluster.advance(ms);
  }

  async close(): Promise<void> {
    this.controller.stop();
    await this.cluster.close();
  }

  /** A broker that takes every push. */
  #broker(address: string, options: ConnectionOptions): Connection {
    const { notified } = this;
    queueMicrotask(() => options.onOpen?.());
    return {
      address,
      state: 'open',
      inFlight: 0,
      request() {},
      oneway(request) {
        notified.push({ address, request });
        return true;
      },
      close() {
        queueMicrotask(() => options.onClose?.('closed here'));
      },
    };
  }
}

/** Three controllers of one build. */
export class TestGroup {
  readonly cluster = new TestCluster();
  readonly controllers: readonly TestController[];

  constructor(build: ControllerBuild, overrides: Partial<ConfigOverrides> = {}) {
    this.controllers = this.cluster.members.map(
      ({ id }) => new TestController(build, overrides, this.cluster, id),
    );
  }

  /** Starts, and waits until a leader serves that every member knows. */
  async serve(): Promise<this> {
    this.cluster.start();
    for (const { controller } of this.controllers) controller.start();
    await this.cluster.serving();
    await this.cluster.advance(100);
    return this;
  }

  get leader(): TestController {
    const leader = this.controllers.find(({ log }) => log.isServing);
    assert(leader !== undefined, 'nobody serves');
    return leader;
  }

  get followers(): readonly TestController[] {
    return this.controllers.filter(({ log }) => !log.isServing);
  }

  /** Writes reach the leader's log and followers, and are not acknowledged; reads are proved still. */
  holdCommits(): void {
    this.cluster.drops = ({ kind }) => kind === 'push-ack';
  }

  async close(): Promise<void> {
    for (const { controller } of this.controllers) controller.stop();
    await this.cluster.close();
  }
}

function parsed({ code, remark, extFields, body }: ResponseFrame): TestReply {
  return {
    code,
    remark: remark ?? null,
    extFields: extFields === null ? null : JSON.parse(extFields),
    body: body === null ? null : JSON.parse(body.toString()),
  };
}
