/**
 * Takes steps to a running group: finds the leader, keeps the named connections, kills and restarts.
 */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import type { RunningTarget, TargetMember } from '../target/target.js';
import {
  type Act,
  type Ask,
  isReply,
  type Outcome,
  PUSH_ADDRESS,
  type Recipient,
  type Script,
  type Told,
  type WireRequest,
} from './exchange.js';
import { normalise } from './normalise.js';
import { PushListener } from './push-listener.js';
import { WireConnection } from './wire.js';

/** DLedger may need several vote rounds of 2 s; each attempt is 15 s. */
const LEADER_ATTEMPTS_MAX = 4;
/** For `until`: what follows a lost connection is there in a few of these. */
const ASK_AGAIN_MS = 20;
const ASK_AGAIN_MAX = 1_500;

/** The group changed its leader by itself: the machine was too busy for it, and the run says nothing. */
export class LeaderMovedError extends Error {
  override readonly name = 'LeaderMovedError';
}

/** What a controller does by itself was waited for, and did not come. */
export class NeverHeldError extends Error {
  override readonly name = 'NeverHeldError';
}

/**
 * Plays a script to its end.
 *
 * @param onTold called for every step, with what came back normalised
 * @throws {LeaderMovedError | NeverHeldError | WireError | TargetError}
 */
export async function play(
  target: RunningTarget,
  script: Script,
  onTold: (told: Told) => void,
): Promise<void> {
  const driver = new Driver(target, await PushListener.open());
  try {
    for (let step = script.next(); step !== null; step = script.next()) {
      if (step.do === 'ask') {
        const outcome = await driver.ask(step);
        script.learn(step, outcome);
        onTold({ step, outcome });
      } else if (step.do === 'await-push') {
        onTold({ step, outcome: await driver.nextPush() });
      } else {
        await driver.act(step);
        onTold({ step, outcome: null });
      }
    }
  } finally {
    driver.close();
  }
}

class Driver {
  readonly #target: RunningTarget;
  readonly #connections = new Map<string, WireConnection>();
  readonly #dead = new Set<string>();
  readonly #pushes: PushListener;
  #leader: TargetMember | null = null;

  constructor(target: RunningTarget, pushes: PushListener) {
    this.#target = target;
    this.#pushes = pushes;
  }

  async nextPush(): Promise<Outcome> {
    const push = await this.#pushes.next();
    return this.#normalise(push, RequestCode.NotifyBrokerRoleChanged, await this.#findLeader());
  }

  async ask(step: Ask): Promise<Outcome> {
    let last = '';
    for (let attempt = 0; attempt < ASK_AGAIN_MAX; attempt += 1) {
      const outcome = await this.#askOnce(step);
      if (step.until === undefined) return outcome;
      last = JSON.stringify(outcome);
      if (last.includes(step.until)) return outcome;
      await pause(ASK_AGAIN_MS);
    }
    throw new NeverHeldError(
      `no reply to ${JSON.stringify(step.request)} ever held ${step.until}; the last was ${last}`,
    );
  }

  async act({ do: what, on = 'main' }: Act): Promise<void> {
    const target = this.#target;
    switch (what) {
      case 'close-connection':
        for (const [name, connection] of this.#connections) {
          if (!name.endsWith(`/${on}`)) continue;
          connection.close();
          this.#connections.delete(name);
        }
        return;
      case 'kill-leader': {
        const { id } = await this.#findLeader();
        this.#dead.add(id);
        await target.kill(id, 'SIGKILL');
        break;
      }
      case 'restart-killed':
        for (const id of this.#dead) await target.restart(id);
        this.#dead.clear();
        break;
      case 'restart-all': {
        const ids = target.members().map(({ id }) => id);
        await Promise.all(ids.map((id) => target.kill(id, 'SIGKILL')));
        await Promise.all(ids.map((id) => target.restart(id)));
        break;
      }
    }
    // Connections to the members that live stay: brokers are alive by them.
    this.#leader = null;
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
    this.#pushes.close();
  }

  async #askOnce({ request, to = 'leader', on = 'main' }: Ask): Promise<Outcome> {
    const leader = await this.#findLeader();
    const { address } = to === 'leader' ? leader : this.#follower(to, leader);
    const outcome = await this.#connection(address, on).ask(this.#addressed(request));
    if (to === 'leader' && isReply(outcome) && outcome.code === ResponseCode.NotLeader) {
      throw new LeaderMovedError(`${leader.id} lost its leadership in the middle of the run`);
    }
    return this.#normalise(outcome, request.code, leader);
  }

  #addressed(request: WireRequest): WireRequest {
    const text = JSON.stringify(request);
    return JSON.parse(text.replaceAll(PUSH_ADDRESS, this.#pushes.address)) as WireRequest;
  }

  #normalise(outcome: Outcome, code: number, leader: TargetMember): Outcome {
    const ids = new Map(this.#target.members().map(({ address, id }) => [address, id]));
    ids.set(this.#pushes.address, 'push');
    return normalise(outcome, code, { ids, leader: leader.id });
  }

  #follower(to: Exclude<Recipient, 'leader'>, leader: TargetMember): TargetMember {
    const followers = this.#target
      .members()
      .filter(({ id }) => id !== leader.id && !this.#dead.has(id));
    const member = followers[to === 'follower-1' ? 0 : 1];
    assert(member !== undefined, `there is no ${to}`);
    return member;
  }

  #connection(address: string, name: string): WireConnection {
    const key = `${address}/${name}`;
    const known = this.#connections.get(key);
    if (known !== undefined && !known.isClosed) return known;
    const connection = new WireConnection(address);
    this.#connections.set(key, connection);
    return connection;
  }

  async #findLeader(): Promise<TargetMember> {
    for (let attempt = 1; this.#leader === null; attempt += 1) {
      this.#leader = await this.#target.leader().catch((error: unknown) => {
        if (attempt >= LEADER_ATTEMPTS_MAX) throw error;
        return null;
      });
    }
    return this.#leader;
  }
}
