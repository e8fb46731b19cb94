/**
 * Makes every broker set ready: registered, with a master, all replicas in step.
 *
 * Reads what is there first (1006), so that doing it twice costs only the reading. One step at a
 * time per set, many sets at once; whatever a step answers, a set that is not ready is read and
 * planned anew, so a refusal or a lost answer needs no special case.
 */
import type { Request } from '../client/types.js';
import type { Clock } from '../lib/clock.js';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import type { RemotingCommand } from '../remoting/command.js';
import { readAlterSyncStateSetReply, readMaster } from '../remoting/headers.js';
import { type BrokerSet, CLUSTER } from './fleet.js';
import type { LeaderFinder } from './leader.js';
import type { Links } from './links.js';
import { type SetView, viewsOf } from './set-reader.js';
import type { Stop } from './stop.js';

export class PrepareError extends Error {
  override readonly name = 'PrepareError';
  readonly code = 'PREPARE_FAILED';
}

export interface PrepareOptions {
  readonly sets: readonly BrokerSet[];
  readonly links: Links;
  readonly leader: LeaderFinder;
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** Not one more set ready for so long: it will not become better. Default: as `deadlineMs`. */
  readonly stalledMs?: number;
  /** When it is requested, preparing ends as it is. */
  readonly stop: Stop;
}

const SETS_AT_ONCE = 512;
const NAMES_PER_READ = 100;
const RETRY_MS = 25;

export type Step =
  | { readonly kind: 'apply'; readonly id: number }
  | { readonly kind: 'elect'; readonly id: number }
  | { readonly kind: 'expand' };

/** What brings a set one step closer; null when it is ready. `view` null: the controllers do not know it. */
export function nextStep(view: SetView | null, replicas: number): Step | null {
  for (let id = 1; id <= replicas; id += 1) {
    if (view === null || !view.registered.includes(id)) return { kind: 'apply', id };
  }
  if (view === null || view.masterId === 0) return { kind: 'elect', id: 1 };
  return view.syncStateSet.length < replicas ? { kind: 'expand' } : null;
}

/**
 * Resolves when every set is ready and has adopted what the controller said about it.
 *
 * @throws {PrepareError} with what was missing and the last refusal, when the deadline passes.
 */
export function prepare(options: PrepareOptions): Promise<void> {
  const { sets, links, leader, clock, deadlineMs, stalledMs = deadlineMs, stop } = options;
  const waiting = [...sets].reverse();
  let ready = 0;
  let active = 0;
  let lastTrouble = 'no leader was found';
  let over = false;

  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      if (over) return;
      over = true;
      cancelDeadline();
      cancelStalled();
      settle();
    };
    const fail = (when: string): void => {
      const missing = `${sets.length - ready} of ${sets.length} broker sets were not ready`;
      end(() => reject(new PrepareError(`${missing} ${when}; last: ${lastTrouble}`)));
    };
    const cancelDeadline = clock.after(deadlineMs, () => fail(`after ${deadlineMs} ms`));
    let readyBefore = 0;
    const cancelStalled = clock.every(stalledMs, () => {
      if (ready === readyBefore) fail(`and no other became so in ${stalledMs} ms`);
      readyBefore = ready;
    });
    stop.whenRequested(() => end(resolve));
    fill();

    function fill(): void {
      if (ready === sets.length) {
        end(resolve);
        return;
      }
      while (active < SETS_AT_ONCE && waiting.length > 0) {
        const batch = waiting.splice(-NAMES_PER_READ).reverse();
        active += batch.length;
        read(batch);
      }
    }

    function read(batch: readonly BrokerSet[]): void {
      const [first] = batch;
      if (first === undefined) return;
      const body = JSON.stringify(batch.map((set) => set.name));
      ask(first, { code: RequestCode.GetSyncStateData, body }, (reply) => {
        const views = viewsOf(reply);
        if (views === null) later(() => read(batch));
        else for (const set of batch) advance(set, views.get(set.name) ?? null);
      });
    }

    function advance(set: BrokerSet, view: SetView | null): void {
      const step = nextStep(view, set.brokers.length);
      if (step !== null) {
        perform(set, view, step);
        return;
      }
      if (view !== null) set.adopt(view);
      ready += 1;
      active -= 1;
      fill();
    }

    /** A step that succeeded is believed; after any other the set is read again. */
    function perform(set: BrokerSet, view: SetView | null, step: Step): void {
      if (view !== null) set.adopt(view);
      ask(set, requestFor(set, step, clock.wallMs()), (reply) => {
        if (reply?.code === ResponseCode.Success) advance(set, after(set, view, step, reply));
        else later(() => read([set]));
      });
    }

    function ask(
      set: BrokerSet,
      request: Request,
      answered: (reply: RemotingCommand | null) => void,
    ): void {
      const member = leader.leader;
      const lane = set.brokers[0]?.lane ?? 0;
      const connection = member < 0 ? null : links.connection(member, lane);
      if (connection === null) {
        later(() => ask(set, request, answered));
        return;
      }
      connection.request(request, (failure, reply) => {
        if (over) return;
        if (reply?.code === ResponseCode.NotLeader) leader.doubt(member);
        if (reply?.code !== ResponseCode.Success)
          lastTrouble = describe(set, request, failure, reply);
        answered(reply);
      });
    }

    function later(action: () => void): void {
      clock.after(RETRY_MS, () => {
        if (!over) action();
      });
    }
  });
}

function requestFor(set: BrokerSet, step: Step, wallMs: number): Request {
  const names = { clusterName: CLUSTER, brokerName: set.name };
  switch (step.kind) {
    case 'apply': {
      // Always the same code, so that a repeated step finds its own id and succeeds.
      const registerCheckCode = `${set.broker(step.id).address};1`;
      const extFields = { ...names, appliedBrokerId: step.id, registerCheckCode };
      return { code: RequestCode.ApplyBrokerId, extFields };
    }
    case 'elect': {
      const extFields = {
        ...names,
        brokerId: step.id,
        designateElect: false,
        invokeTime: wallMs,
      };
      return { code: RequestCode.ElectMaster, extFields };
    }
    case 'expand':
      return set.alteration(set.nextSyncStateSet(), wallMs);
  }
}

/** What the set must look like after a successful step. */
function after(set: BrokerSet, view: SetView | null, step: Step, reply: RemotingCommand): SetView {
  const known = view ?? unknownSet;
  switch (step.kind) {
    case 'apply':
      return { ...known, registered: [...known.registered, step.id] };
    case 'elect': {
      const master = readMaster(reply.extFields);
      const masterId = master.masterBrokerId ?? step.id;
      return {
        ...known,
        masterId,
        masterEpoch: master.masterEpoch ?? 0,
        syncStateSet: [masterId],
        syncStateSetEpoch: master.syncStateSetEpoch ?? 0,
      };
    }
    case 'expand': {
      const { newSyncStateSetEpoch } = readAlterSyncStateSetReply(reply.extFields);
      return {
        ...known,
        syncStateSet: set.brokers.map((broker) => broker.id),
        syncStateSetEpoch: newSyncStateSetEpoch,
      };
    }
  }
}

const unknownSet: SetView = {
  registered: [],
  masterId: 0,
  masterEpoch: 0,
  syncStateSet: [],
  syncStateSetEpoch: 0,
};

function describe(
  set: BrokerSet,
  request: Request,
  failure: string | null,
  reply: RemotingCommand | null,
): string {
  return `${set.name}: ${request.code} → ${failure ?? `${reply?.code} ${reply?.remark ?? ''}`.trim()}`;
}
