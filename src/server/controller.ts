/**
 * One controller: takes commands from connections, decides, commits, applies, answers.
 *
 * Everything here is shared by all builds. A build's four parts say when a request is handled and
 * when work may run (admission), how events reach the log (commits), when a read is safe (reads)
 * and when silence is noticed (liveness).
 */
import { applyEncoded } from '../controller/apply.js';
import type { WriteCommand } from '../controller/command.js';
import { decide } from '../controller/decide.js';
import type { Decision, RoleChange } from '../controller/decision.js';
import { setsToElect } from '../controller/read.js';
import type { Reply } from '../controller/reply.js';
import { beginSnapshot, decodeSnapshot, encodeSnapshot } from '../controller/snapshot.js';
import { createState, type StateView } from '../controller/state.js';
import type { Log, LogStatus } from '../engine/log-engine.js';
import type { SnapshotSink, SnapshotSource } from '../engine/state-machine.js';
import type { Cancel, Clock } from '../lib/clock.js';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import type { Logger } from '../lib/logger.js';
import type { Entry } from '../raft/types.js';
import { isOneway, type RemotingCommand } from '../remoting/command.js';
import {
  busy,
  failureReply,
  invalid,
  notLeader,
  responseFrame,
  timedOut,
  unsupported,
} from './answers.js';
import { Call, CallList, type CallOwner, type ClientConnection } from './call.js';
import type { ControllerConfig } from './config.js';
import { handlers } from './handlers.js';
import { HeartbeatTable } from './heartbeat-table.js';
import type { ControllerMetrics } from './metrics.js';
import type { RoleChangeNotifier } from './notifier.js';
import type {
  Admission,
  CommitPath,
  ControllerBuild,
  LivenessActions,
  LivenessPath,
  ReadPath,
  ReadWork,
  Work,
} from './parts.js';
import { Settings, type UpdateOutcome } from './settings.js';

export interface ControllerOptions {
  readonly config: ControllerConfig;
  /** What operators may change of it; default: nothing is saved. */
  readonly settings?: Settings;
  readonly build: ControllerBuild;
  readonly log: Log & { readonly status: LogStatus };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ControllerMetrics;
  readonly notifier: RoleChangeNotifier;
}

/** Upstream's handlers wait this long for their future. */
const CALL_TIMEOUT_MS = 5_000;
/** Brokers whose heartbeats are remembered: ten times the largest fleet in the workloads. */
const BROKERS_MAX = 1_000_000;

export class Controller implements CallOwner {
  readonly settings: Settings;
  readonly log: ControllerOptions['log'];
  readonly table: HeartbeatTable;
  readonly reads: ReadPath;
  readonly liveness: LivenessPath;
  #state = createState();
  readonly #admission: Admission;
  readonly #commits: CommitPath;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: ControllerMetrics;
  readonly #notifier: RoleChangeNotifier;
  readonly #handling = new CallList();
  /** Set by the first call; whenever it goes off it is set for the oldest, or, when there is none, is null again. */
  #expiry: Cancel | null = null;
  #isStopped = false;

  constructor(options: ControllerOptions) {
    const { build, clock, config, log } = options;
    const settings = options.settings ?? Settings.inMemory(config);
    this.settings = settings;
    this.log = log;
    this.#clock = clock;
    this.#logger = options.logger;
    this.#metrics = options.metrics;
    this.#notifier = options.notifier;
    this.table = new HeartbeatTable({ nowMs: () => clock.nowMs(), entriesMax: BROKERS_MAX });
    const actions: LivenessActions = {
      isServing: () => log.isServing,
      masterOf: (name) => this.state.brokerSets.get(name)?.sync?.masterBrokerId ?? null,
      setsWithDeadMaster: () => setsToElect(this.state, this.table),
      elect: (brokerName) => this.#electAsController(brokerName),
    };
    const live = {
      ...config,
      get processReadEvent() {
        return settings.config.processReadEvent;
      },
    };
    const context = { log, clock, table: this.table, actions, options: live };
    this.#admission = build.admission(context);
    this.#commits = build.commits(context);
    this.reads = build.reads(context, this.#admission);
    this.liveness = build.liveness(context);
  }

  /** What is in effect now. */
  get config(): ControllerConfig {
    return this.settings.config;
  }

  get state(): StateView {
    return this.#state;
  }

  /** Calls being handled, and calls and works that wait. */
  get load(): { readonly handling: number; readonly waiting: number } {
    return { handling: this.#handling.size, waiting: this.#admission.waiting };
  }

  start(): void {
    this.liveness.start();
  }

  stop(): void {
    this.#isStopped = true;
    this.liveness.stop();
    this.#expiry?.();
  }

  /** 1009: changes properties, or says why not. */
  updateSettings(body: Buffer | null): UpdateOutcome {
    const outcome = this.settings.update(body);
    if (!outcome.ok) this.#logger.warn({ because: outcome.remark }, 'configuration not updated');
    else if (outcome.ignored.length > 0) {
      this.#logger.warn({ ignored: outcome.ignored }, 'configuration: unknown properties ignored');
    }
    if (outcome.ok && outcome.changed.length > 0) {
      this.#logger.info({ changed: outcome.changed }, 'configuration updated');
    }
    return outcome;
  }

  /** A committed entry, in log order. */
  apply(entry: Entry): void {
    if (entry.body.length > 0) applyEncoded(this.#state, entry.body);
  }

  /** The state as it is now, part by part, whatever is applied meanwhile. */
  beginSnapshot(): SnapshotSource {
    const parts = beginSnapshot(this.#state);
    return {
      next: async () => parts.next(),
      close: () => parts.close(),
    };
  }

  /** Takes the place of the state once all of it has been written. */
  restore(): SnapshotSink {
    const parts: Uint8Array[] = [];
    return {
      async write(part) {
        parts.push(part.slice());
      },
      end: async () => {
        this.#state = decodeSnapshot(Buffer.concat(parts));
      },
    };
  }

  /** Canonical bytes of the applied state: equal states give equal bytes. */
  snapshot(): Uint8Array {
    return encodeSnapshot(this.#state);
  }

  /** A request arrived. */
  handle(command: RemotingCommand, connection: ClientConnection): void {
    if (!handlers.has(command.code)) {
      if (!isOneway(command)) connection.respond(responseFrame(command, unsupported(command.code)));
      return;
    }
    const call = new Call(command, connection, this.#clock.nowMs(), this);
    if (this.#admission.admit(call) === 'busy') {
      this.#metrics.requestEnded(command.code, 'failed', 0);
      if (!isOneway(command)) connection.respond(responseFrame(command, busy));
    }
  }

  connectionClosed(connection: ClientConnection): void {
    // A server that closes ends its connections itself: that says nothing about the brokers on them.
    if (!this.#isStopped) this.liveness.connectionClosed(connection);
  }

  begun(call: Call): void {
    call.begunAtMs = this.#clock.nowMs();
    this.#handling.add(call);
    if (this.#expiry === null && !this.#isStopped) this.#expireIn(CALL_TIMEOUT_MS);
    try {
      handlers.get(call.command.code)?.(this, call);
    } catch (error) {
      // One request must not end the process that serves the others; but it is our bug, so say so.
      this.#logger.error({ error, code: call.command.code }, 'handler threw');
      call.answer(invalid(`java.lang.RuntimeException, ${String(error)}`));
    }
  }

  answered(call: Call, reply: Reply): void {
    this.#handling.remove(call);
    const status = reply === timedOut ? 'timeout' : 'success';
    const us = (this.#clock.nowMs() - call.arrivedAtMs) * 1_000;
    this.#metrics.requestEnded(call.command.code, status, us);
    if (!isOneway(call.command)) call.connection.respond(responseFrame(call.command, reply));
    this.#admission.ended(call);
  }

  /** Decides and commits a write in its order; answers 2007 before anything is queued. */
  write(call: Call, command: WriteCommand): void {
    if (!this.log.isServing) {
      call.answer(notLeader);
      return;
    }
    const work = new WriteWork(this, call, command);
    if (this.#admission.inOrder(command.brokerName ?? '', work) === 'busy') call.answer(busy);
  }

  /** Answers from local state as soon as the build's read path says that it may. */
  read(call: Call, options: ReadOptions): void {
    if (!this.log.isServing && !(options.onAnyMember && this.reads.servedBy === 'any-member')) {
      call.answer(notLeader);
      return;
    }
    if (this.reads.read(new CallRead(call, options)) === 'busy') call.answer(busy);
  }

  decide(command: WriteCommand): Decision {
    return decide(this.#state, command, this.table, this.config);
  }

  /** Commits what a decision logs, then answers; or answers at once where it logs nothing. */
  carryOut(decision: Decision, answer: (reply: Reply) => void): Promise<void> | undefined {
    if (decision.events.length === 0) {
      answer(decision.reply);
      return undefined;
    }
    const startedAtMs = this.#clock.nowMs();
    return this.#commits.commit(decision.events).then(
      () => {
        this.#metrics.appendEnded('success', (this.#clock.nowMs() - startedAtMs) * 1_000);
        if (decision.roleChange !== null) this.#announce(decision.roleChange);
        answer(decision.reply);
      },
      (error: unknown) => {
        this.#metrics.appendEnded('failed', 0);
        answer(failureReply(error));
      },
    );
  }

  /** Upstream's trigger: a few attempts, no pause, until one elects. */
  async #electAsController(brokerName: string): Promise<void> {
    for (let attempt = 1; attempt <= this.config.electMasterAttemptsMax; attempt += 1) {
      const code = await new Promise<ResponseCode>((resolve) => {
        const work: Work = {
          givenUp: false,
          drop: () => resolve(ResponseCode.SystemBusy),
          run: () => {
            if (!this.log.isServing) {
              resolve(ResponseCode.NotLeader);
              return undefined;
            }
            const decision = this.decide({
              kind: 'elect-master',
              brokerName,
              brokerId: null,
              designateElect: false,
            });
            return this.carryOut(decision, (reply) => {
              this.electionEnded(reply.code);
              resolve(reply.code);
            });
          },
        };
        if (this.#admission.inOrder(brokerName, work) === 'busy') resolve(ResponseCode.SystemBusy);
      });
      if (code === ResponseCode.Success || code === ResponseCode.NotLeader) return;
    }
  }

  electionEnded(code: ResponseCode): void {
    if (code === ResponseCode.Success) this.#metrics.electionEnded('new_master_elected');
    else if (code === ResponseCode.MasterStillExist) {
      this.#metrics.electionEnded('keep_current_master');
    } else if (
      code === ResponseCode.MasterNotAvailable ||
      code === ResponseCode.ElectMasterFailed
    ) {
      this.#metrics.electionEnded('no_master_elected');
    }
  }

  #announce(change: RoleChange): void {
    if (!this.config.notifyBrokerRoleChanged) return;
    const fields = Object.fromEntries(change.fields);
    const news = {
      masterEpoch: Number(fields['masterEpoch']),
      request: {
        code: RequestCode.NotifyBrokerRoleChanged,
        extFields: fields,
        body: change.body,
      },
    };
    for (const { brokerId, address } of change.members) {
      if (this.table.isAlive(change.clusterName, change.brokerName, brokerId)) {
        this.#notifier.notify(address, news);
      }
    }
  }

  #expireIn(delayMs: number): void {
    this.#expiry = this.#clock.after(delayMs, () => this.#expire());
  }

  /** Calls begin in order, so one timer, that of the oldest, is enough for all of them. */
  #expire(): void {
    const now = this.#clock.nowMs();
    for (;;) {
      const { oldest } = this.#handling;
      if (oldest === null) {
        this.#expiry = null;
        return;
      }
      const leftMs = oldest.begunAtMs + CALL_TIMEOUT_MS - now;
      if (leftMs > 0) {
        this.#expireIn(leftMs);
        return;
      }
      oldest.answer(timedOut);
    }
  }
}

interface ReadOptions {
  readonly brokerName: string;
  /** Whether a member that does not lead may answer, if the build proves its reads. */
  readonly onAnyMember: boolean;
  readonly compute: () => Reply;
}

class CallRead implements ReadWork {
  readonly brokerName: string;
  readonly compute: () => Reply;
  readonly #call: Call;

  constructor(call: Call, { brokerName, compute }: ReadOptions) {
    this.#call = call;
    this.brokerName = brokerName;
    this.compute = compute;
  }

  get givenUp(): boolean {
    return this.#call.givenUp;
  }

  drop(): void {
    this.#call.answer(busy);
  }

  deliver(reply: Reply): void {
    this.#call.answer(reply);
  }

  fail(error: unknown): void {
    this.#call.answer(failureReply(error));
  }
}

class WriteWork implements Work {
  readonly #controller: Controller;
  readonly #call: Call;
  readonly #command: WriteCommand;

  constructor(controller: Controller, call: Call, command: WriteCommand) {
    this.#controller = controller;
    this.#call = call;
    this.#command = command;
  }

  get givenUp(): boolean {
    return this.#call.givenUp;
  }

  drop(): void {
    this.#call.answer(busy);
  }

  run(): Promise<void> | undefined {
    const controller = this.#controller;
    // Leadership may have gone while the work waited; nothing was appended, so this is definite.
    if (!controller.log.isServing) {
      this.#call.answer(notLeader);
      return undefined;
    }
    return controller.carryOut(controller.decide(this.#command), (reply) => {
      if (this.#command.kind === 'elect-master') controller.electionEnded(reply.code);
      this.#call.answer(reply);
    });
  }
}
