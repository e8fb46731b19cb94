/**
 * The life of a real broker towards its controllers, as a state machine: `step(input) → effects`.
 *
 * Start: find the leader (1005), get an id (1012, 1013), register (1003), beat (904), take part in
 * the first election (1002). Then poll (1004, 1005), beat, follow role changes, and, as a master,
 * keep the SyncStateSet (1001). Orders, pauses and reactions are upstream's, its habit of throwing an
 * id away when one reply is late included.
 *
 * Pure: no clock, no socket. Bring-up performs the effects. What it leaves out: data is not
 * replicated, so a slave has caught up as soon as it knows its master.
 *
 * @source rocketmq ReplicasManager, AutoSwitchHAService (5.x, 8fc57f1)
 */
import type { Request } from '../client/types.js';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import type { Prng } from '../lib/prng.js';
import { readControllerMetadata, readMaster, readNextBrokerId } from '../remoting/headers.js';
import { CLUSTER, HEARTBEAT_TIMEOUT_MS, heartbeatOf } from './fleet.js';

export type Phase = 'initial' | 'leader-known' | 'registered' | 'running';

/** What a call is for. A broker has at most one of each under way. */
export type Call =
  | 'metadata'
  | 'next-id'
  | 'apply-id'
  | 'register'
  | 'elect'
  | 'replica-info'
  | 'alter'
  | 'refresh';

export type Timer =
  | 'resume-start'
  | 'retry-metadata'
  | 'retry-register'
  | 'poll-replica-info'
  | 'refresh-metadata'
  | 'beat'
  | 'check-sync-state-set';

/** An answer, as far as a broker reads it. */
export interface Answer {
  readonly code: number;
  readonly extFields: Readonly<Record<string, string>>;
  /** From the body; null when there was none. */
  readonly syncStateSet: readonly number[] | null;
  readonly syncStateSetEpoch: number | null;
}

export type BrokerInput =
  | { readonly kind: 'start' }
  /** It has run for long with the id that it was made with, in this role, its timers anywhere in their rounds. */
  | { readonly kind: 'go-on'; readonly role: Role }
  | { readonly kind: 'answered'; readonly call: Call; readonly answer: Answer }
  /** Timeout, connection lost or refused: upstream treats them alike. */
  | { readonly kind: 'unanswered'; readonly call: Call }
  | { readonly kind: 'timer'; readonly timer: Timer }
  /** 1008, pushed by the controller. */
  | { readonly kind: 'role-changed'; readonly role: Role }
  /** A slave of this set told us that it follows, and holds all our data. */
  | { readonly kind: 'slave-caught-up'; readonly id: number; readonly masterEpoch: number }
  | { readonly kind: 'slave-lost'; readonly id: number };

export type BrokerEffect =
  | {
      readonly kind: 'ask';
      readonly call: Call;
      readonly to: Destination;
      readonly request: Request;
    }
  /** One-way, to every member that can be reached. */
  | { readonly kind: 'beat'; readonly request: Request }
  | { readonly kind: 'wait'; readonly timer: Timer; readonly forMs: number }
  | { readonly kind: 'running' }
  | { readonly kind: 'became-master'; readonly masterEpoch: number }
  | { readonly kind: 'follows'; readonly masterId: number; readonly masterEpoch: number }
  /** The controller confirmed this SyncStateSet to us, its master. */
  | { readonly kind: 'in-step'; readonly syncStateSet: readonly number[] };

/** A member by position, or the leader by the address that 1005 named. */
export type Destination = { readonly member: number } | { readonly leader: string };

export interface Role {
  readonly masterId: number | null;
  readonly masterEpoch: number;
  readonly syncStateSet: readonly number[];
  readonly syncStateSetEpoch: number;
}

export interface BrokerIdentity {
  readonly brokerName: string;
  readonly address: string;
  readonly members: number;
  readonly prng: Prng;
  /** From an earlier life of this broker, which kept it on its disk; default none. */
  readonly id?: number;
  /** Default: upstream's 1 s. */
  readonly beatMs?: number;
  /** For how long it asks to count as alive without another beat; default upstream's 10 s. */
  readonly heartbeatTimeoutMs?: number;
  /** Wall clock, for check codes and invoke times. */
  readonly wallMs: () => number;
}

/** @source rocketmq BrokerConfig and ReplicasManager, defaults */
const times = {
  metadataRetryMs: 1_000,
  metadataTriesMax: 3,
  registerTriesMax: 5,
  registerPauseMaxMs: 1_000,
  resumeMs: 5_000,
  firstPollMs: 3_000,
  replicaInfoMs: 5_000,
  metadataMs: 10_000,
  beatMs: 1_000,
  firstCheckMs: 3_000,
  checkMs: 5_000,
} as const;

export class SimulatedBroker {
  readonly #is: BrokerIdentity;
  #effects: BrokerEffect[] = [];
  #phase: Phase = 'initial';
  #leader = '';
  #membersAsked = 0;
  #metadataTries = 0;
  #registerTries = 0;
  /** What upstream keeps in `brokerIdentity-temp`: an id applied for, not yet confirmed. */
  #applying: { readonly id: number; readonly checkCode: string } | null = null;
  #id = 0;
  #masterId: number | null = null;
  #masterEpoch = 0;
  #syncStateSet: readonly number[] = [];
  #syncStateSetEpoch = 0;
  #slaves: { readonly id: number; readonly masterEpoch: number }[] = [];
  #altering = false;
  #checking = false;
  #lastBeat: { readonly id: number; readonly epoch: number; readonly request: Request } | null =
    null;

  constructor(identity: BrokerIdentity) {
    this.#is = identity;
    this.#id = identity.id ?? 0;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** 0 until the controller has confirmed one. */
  get id(): number {
    return this.#id;
  }

  get #beatMs(): number {
    return this.#is.beatMs ?? times.beatMs;
  }

  get isMaster(): boolean {
    return this.#id !== 0 && this.#masterId === this.#id;
  }

  step(input: BrokerInput): readonly BrokerEffect[] {
    this.#effects = [];
    switch (input.kind) {
      case 'start':
        this.#resume();
        break;
      case 'go-on':
        this.#goOn(input.role);
        break;
      case 'answered':
        this.#answered(input.call, input.answer);
        break;
      case 'unanswered':
        this.#unanswered(input.call);
        break;
      case 'timer':
        this.#due(input.timer);
        break;
      case 'role-changed':
        if (input.role.masterEpoch > this.#masterEpoch) this.#takeRole(input.role);
        break;
      case 'slave-caught-up':
        this.#slaves = this.#slaves.filter((slave) => slave.id !== input.id);
        this.#slaves.push({ id: input.id, masterEpoch: input.masterEpoch });
        this.#keepSyncStateSet();
        break;
      case 'slave-lost':
        this.#slaves = this.#slaves.filter((slave) => slave.id !== input.id);
        this.#keepSyncStateSet();
        break;
    }
    return this.#effects;
  }

  /** The start sequence, from the phase that was reached. */
  #resume(): void {
    switch (this.#phase) {
      case 'initial':
        this.#metadataTries = 0;
        this.#findLeader();
        break;
      case 'leader-known':
        this.#registerTries = 0;
        this.#register();
        break;
      case 'registered':
        this.#firstElection();
        break;
      case 'running':
        break;
    }
  }

  #findLeader(): void {
    this.#metadataTries += 1;
    this.#membersAsked = 0;
    this.#askNextMember('metadata');
  }

  #askNextMember(call: 'metadata' | 'refresh'): void {
    const member = this.#membersAsked;
    this.#membersAsked += 1;
    this.#ask(call, { code: RequestCode.GetMetadataInfo }, { member });
  }

  #noLeaderFrom(call: 'metadata' | 'refresh'): void {
    if (this.#membersAsked < this.#is.members) this.#askNextMember(call);
    else if (call === 'refresh') this.#wait('refresh-metadata', times.metadataMs);
    else if (this.#metadataTries < times.metadataTriesMax) {
      this.#wait('retry-metadata', times.metadataRetryMs);
    } else this.#wait('resume-start', times.resumeMs);
  }

  #heardOfLeader(call: 'metadata' | 'refresh', answer: Answer): void {
    const leader = readControllerMetadata(answer.extFields).controllerLeaderAddress ?? '';
    if (answer.code !== ResponseCode.Success || leader === '') {
      this.#noLeaderFrom(call);
      return;
    }
    this.#leader = leader;
    if (call === 'refresh') {
      this.#wait('refresh-metadata', times.metadataMs);
      return;
    }
    this.#phase = 'leader-known';
    this.#wait('refresh-metadata', times.firstPollMs);
    this.#resume();
  }

  /** Continues with whatever is missing: an id, its confirmation, the registration. */
  #register(): void {
    this.#registerTries += 1;
    if (this.#id !== 0) this.#askRegister();
    else if (this.#applying !== null) this.#askApply(this.#applying);
    else this.#ask('next-id', { code: RequestCode.GetNextBrokerId, extFields: this.#names() });
  }

  #askApply(applying: { readonly id: number; readonly checkCode: string }): void {
    const { id: appliedBrokerId, checkCode: registerCheckCode } = applying;
    const extFields = { ...this.#names(), appliedBrokerId, registerCheckCode };
    this.#ask('apply-id', { code: RequestCode.ApplyBrokerId, extFields });
  }

  #askRegister(): void {
    const extFields = {
      ...this.#names(),
      brokerId: this.#id,
      brokerAddress: this.#is.address,
      invokeTime: this.#is.wallMs(),
    };
    this.#ask('register', { code: RequestCode.RegisterBroker, extFields });
  }

  #registerFailed(): void {
    if (this.#registerTries >= times.registerTriesMax) this.#wait('resume-start', times.resumeMs);
    else this.#wait('retry-register', this.#is.prng.between(0, times.registerPauseMaxMs));
  }

  #firstElection(): void {
    this.#beat();
    if (this.#masterId !== null) this.#run();
    else this.#askElect();
  }

  #askElect(): void {
    const extFields = {
      ...this.#names(),
      brokerId: this.#id,
      designateElect: false,
      invokeTime: this.#is.wallMs(),
    };
    this.#ask('elect', { code: RequestCode.ElectMaster, extFields });
  }

  #run(): void {
    this.#phase = 'running';
    this.#effects.push({ kind: 'running' });
    this.#wait('beat', this.#beatMs);
    this.#wait('poll-replica-info', times.firstPollMs);
  }

  #goOn(role: Role): void {
    this.#phase = 'running';
    const others = role.syncStateSet.filter((id) => id !== this.#id);
    this.#slaves = others.map((id) => ({ id, masterEpoch: role.masterEpoch }));
    this.#takeRole(role);
    const { prng } = this.#is;
    this.#wait('beat', prng.between(0, this.#beatMs));
    this.#wait('poll-replica-info', prng.between(0, times.replicaInfoMs));
    this.#wait('refresh-metadata', prng.between(0, times.metadataMs));
  }

  #answered(call: Call, answer: Answer): void {
    const ok = answer.code === ResponseCode.Success;
    switch (call) {
      case 'metadata':
      case 'refresh':
        this.#heardOfLeader(call, answer);
        break;
      case 'next-id':
        if (ok) {
          const id = readNextBrokerId(answer.extFields).nextBrokerId ?? 0;
          this.#applying = { id, checkCode: `${this.#is.address};${this.#is.wallMs()}` };
          this.#askApply(this.#applying);
        } else this.#registerFailed();
        break;
      case 'apply-id':
        if (ok) {
          this.#id = this.#applying?.id ?? 0;
          this.#applying = null;
          this.#askRegister();
        } else this.#unanswered(call);
        break;
      case 'register':
        if (this.#phase === 'running') break; // Sent because 1004 did not know us; nothing follows.
        if (ok) {
          this.#phase = 'registered';
          const role = roleIn(answer);
          if (role.masterId !== null) this.#takeRole(role);
          this.#firstElection();
        } else this.#registerFailed();
        break;
      case 'elect':
        this.#elected(answer);
        break;
      case 'replica-info':
        this.#heardOfSet(answer);
        break;
      case 'alter':
        this.#altering = false;
        if (ok) {
          this.#syncStateSet = answer.syncStateSet ?? this.#syncStateSet;
          this.#syncStateSetEpoch = answer.syncStateSetEpoch ?? this.#syncStateSetEpoch;
          this.#effects.push({ kind: 'in-step', syncStateSet: this.#syncStateSet });
          this.#keepSyncStateSet();
        }
        break;
    }
  }

  #unanswered(call: Call): void {
    switch (call) {
      case 'metadata':
      case 'refresh':
        this.#noLeaderFrom(call);
        break;
      case 'apply-id':
        // Upstream forgets the id even if the reply was only late: the id may be lost for good.
        this.#applying = null;
        this.#registerFailed();
        break;
      case 'next-id':
        this.#registerFailed();
        break;
      case 'register':
        if (this.#phase !== 'running') this.#registerFailed();
        break;
      case 'elect':
        if (this.#phase !== 'running') this.#wait('resume-start', times.resumeMs);
        break;
      case 'replica-info':
        break; // Its timer runs on.
      case 'alter':
        this.#altering = false; // The next check tries again.
        break;
    }
  }

  #elected(answer: Answer): void {
    const knowsMaster =
      answer.code === ResponseCode.Success || answer.code === ResponseCode.MasterStillExist;
    const role = roleIn(answer);
    if (!knowsMaster || role.masterId === null) {
      this.#unanswered('elect');
      return;
    }
    if (role.masterEpoch > this.#masterEpoch) this.#takeRole(role);
    if (this.#phase !== 'running') this.#run();
  }

  #heardOfSet(answer: Answer): void {
    if (answer.code === ResponseCode.BrokerMetadataNotExist) {
      this.#askRegister();
      return;
    }
    if (answer.code !== ResponseCode.Success) return;
    const role = roleIn(answer);
    if (role.masterEpoch > this.#masterEpoch) {
      if (role.masterId === null) this.#askElect();
      else this.#takeRole(role);
    } else if (role.masterEpoch === this.#masterEpoch && this.isMaster) {
      this.#adoptNewer(role);
    }
  }

  #takeRole(role: Role): void {
    if (role.masterId === null) return;
    this.#masterId = role.masterId;
    this.#masterEpoch = role.masterEpoch;
    if (!this.isMaster) {
      this.#checking = false;
      const { masterId, masterEpoch } = role;
      this.#effects.push({ kind: 'follows', masterId, masterEpoch });
      return;
    }
    this.#adoptNewer(role);
    this.#effects.push({ kind: 'became-master', masterEpoch: role.masterEpoch });
    if (!this.#checking) {
      this.#checking = true;
      this.#wait('check-sync-state-set', times.firstCheckMs);
    }
    this.#keepSyncStateSet();
  }

  #adoptNewer(role: Role): void {
    if (role.syncStateSetEpoch <= this.#syncStateSetEpoch) return;
    this.#syncStateSet = role.syncStateSet;
    this.#syncStateSetEpoch = role.syncStateSetEpoch;
  }

  /** As a master: ask for the SyncStateSet that the slaves at hand make, if it is another. */
  #keepSyncStateSet(): void {
    if (!this.isMaster || this.#altering) return;
    const inStep = this.#slaves.filter((slave) => slave.masterEpoch === this.#masterEpoch);
    const wanted = [this.#id, ...inStep.map((slave) => slave.id)].sort((a, b) => a - b);
    if (wanted.join() === [...this.#syncStateSet].sort((a, b) => a - b).join()) return;
    this.#altering = true;
    this.#ask('alter', {
      code: RequestCode.AlterSyncStateSet,
      extFields: {
        brokerName: this.#is.brokerName,
        masterBrokerId: this.#id,
        masterEpoch: this.#masterEpoch,
        invokeTime: this.#is.wallMs(),
      },
      body: `{"syncStateSet":[${wanted.join()}],"syncStateSetEpoch":${this.#syncStateSetEpoch}}`,
    });
  }

  #due(timer: Timer): void {
    switch (timer) {
      case 'resume-start':
        this.#resume();
        break;
      case 'retry-metadata':
        this.#findLeader();
        break;
      case 'retry-register':
        this.#register();
        break;
      case 'poll-replica-info':
        this.#ask('replica-info', {
          code: RequestCode.GetReplicaInfo,
          extFields: { brokerName: this.#is.brokerName },
        });
        this.#wait('poll-replica-info', times.replicaInfoMs);
        break;
      case 'refresh-metadata':
        this.#membersAsked = 0;
        this.#askNextMember('refresh');
        break;
      case 'beat':
        this.#beat();
        this.#wait('beat', this.#beatMs);
        break;
      case 'check-sync-state-set':
        if (!this.#checking) break;
        this.#wait('check-sync-state-set', times.checkMs);
        this.#keepSyncStateSet();
        break;
    }
  }

  #beat(): void {
    const { brokerName, address } = this.#is;
    const id = this.#id;
    const epoch = this.#masterEpoch === 0 ? -1 : this.#masterEpoch;
    if (this.#lastBeat?.id !== id || this.#lastBeat.epoch !== epoch) {
      const timeoutMs = this.#is.heartbeatTimeoutMs ?? HEARTBEAT_TIMEOUT_MS;
      const request = heartbeatOf({ brokerName, address, id, epoch, timeoutMs });
      this.#lastBeat = { id, epoch, request };
    }
    this.#effects.push({ kind: 'beat', request: this.#lastBeat.request });
  }

  #ask(call: Call, request: Request, to: Destination = { leader: this.#leader }): void {
    this.#effects.push({ kind: 'ask', call, to, request });
  }

  #wait(timer: Timer, forMs: number): void {
    this.#effects.push({ kind: 'wait', timer, forMs });
  }

  #names(): { readonly clusterName: string; readonly brokerName: string } {
    return { clusterName: CLUSTER, brokerName: this.#is.brokerName };
  }
}

function roleIn({ extFields, syncStateSet, syncStateSetEpoch }: Answer): Role {
  const { masterBrokerId, masterEpoch, syncStateSetEpoch: epoch } = readMaster(extFields);
  return {
    masterId: masterBrokerId,
    masterEpoch: masterEpoch ?? 0,
    syncStateSet: syncStateSet ?? (masterBrokerId === null ? [] : [masterBrokerId]),
    // In the body of 1003 and 1004, in the header of 1002.
    syncStateSetEpoch: syncStateSetEpoch ?? epoch ?? 0,
  };
}
