/**
 * A controller of a group of one, on virtual time and a log in memory, for tests that speak to a
 * build as a broker would: a command in, a reply out.
 */
import assert from 'node:assert/strict';
import { LogEngine } from '../engine/log-engine.js';
import { silent } from '../lib/logger.js';
import { Prng } from '../lib/prng.js';
import { VirtualClock } from '../lib/virtual-clock.js';
import { fastTiming } from '../raft/types.js';
import type { RemotingCommand } from '../remoting/command.js';
import type { ResponseFrame } from '../remoting/frame-writer.js';
import { MemoryStore } from '../storage/memory-store.js';
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

/** One broker's connection, as the controller sees it. */
export class TestConnection {
  isClosed = false;
  readonly responses: ResponseFrame[] = [];

  respond(response: ResponseFrame): void {
    this.responses.push(response);
  }

  close(): void {
    this.isClosed = true;
  }
}

export class TestController {
  readonly clock = new VirtualClock();
  readonly store = new MemoryStore();
  readonly controller: Controller;
  readonly log: LogEngine;
  /** Addresses that were told about a role change. */
  readonly notified: string[] = [];
  readonly #connection = new TestConnection();
  #opaque = 0;

  constructor(build: ControllerBuild, overrides: Partial<ConfigOverrides> = {}) {
    const config = controllerConfig({
      selfId: 'n0',
      peers: [{ id: 'n0', host: '127.0.0.1', port: 9_878, address: '127.0.0.1:9878' }],
      storePath: 'unused',
      ...overrides,
    });
    this.log = new LogEngine({
      self: 'n0',
      members: ['n0'],
      timing: fastTiming,
      handoff: 'wake',
      store: this.store,
      transport: { send() {}, sendPush() {}, close: () => Promise.resolve() },
      clock: this.clock,
      chance: new Prng(1),
      logger: silent,
      apply: (entry) => this.controller.apply(entry),
      onFatal: (error) => assert.fail(error),
    });
    this.controller = new Controller({
      config,
      build,
      log: this.log,
      clock: this.clock,
      logger: silent,
      metrics: new ControllerMetrics({}),
      notifier: new RoleChangeNotifier({
        connect: (address, options) => {
          this.notified.push(address);
          queueMicrotask(() => options.onClose?.('tests have no brokers'));
          return { address, state: 'closed', inFlight: 0, request() {}, oneway: () => false, close() {} };
        },
        connectionsMax: 16,
        waitingMax: 100,
      }),
    });
  }

  /** Starts, and waits until it serves. */
  async serve(): Promise<this> {
    this.log.start();
    this.controller.start();
    for (let i = 0; i < 200 && !this.log.isServing; i += 1) {
      this.clock.advance(10);
      await this.settle();
    }
    assert(this.log.isServing, 'a group of one elects itself');
    return this;
  }

  /** Sends on the connection that all calls without one share. */
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

  /** Sends one request and returns its reply. */
  async call(request: TestRequest): Promise<ResponseFrame> {
    const opaque = this.send(request);
    await this.settle();
    const reply = this.#connection.responses.find((response) => response.opaque === opaque);
    assert(reply !== undefined, `no reply to ${JSON.stringify(request)}`);
    this.#connection.responses.length = 0;
    return reply;
  }

  /** Ends turns until nothing moves any more; no time passes. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 8; turn += 1) {
      for (let i = 0; i < 12; i += 1) await Promise.resolve();
      this.clock.finishTurn();
    }
    for (let i = 0; i < 12; i += 1) await Promise.resolve();
  }

  async close(): Promise<void> {
    this.controller.stop();
    await this.log.close();
  }
}
