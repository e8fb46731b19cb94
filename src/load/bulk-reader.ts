/**
 * Asks the leader about many broker sets at once (1006), again and again, for as long as somebody
 * wants to know.
 *
 * Every set is looked at once in `everyMs`, in parts of a hundred names, evenly spread; with all
 * places taken it waits, so a controller that answers slowly is asked as often as it answers.
 */
import type { Cancel, Clock } from '../lib/clock.js';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import type { BrokerSet } from './fleet.js';
import type { LeaderFinder } from './leader.js';
import type { Links } from './links.js';
import { type SetView, viewsOf } from './set-reader.js';

const NAMES_PER_READ = 100;
const IN_FLIGHT_MAX = 4;
const TICK_MS = 2;

export interface BulkReaderOptions {
  readonly links: Links;
  readonly leader: LeaderFinder;
  readonly clock: Clock;
  /** Told of every answer about a set: asked then, answered now. */
  readonly seen: (set: BrokerSet, view: SetView, askedMs: number, nowMs: number) => void;
}

export class BulkReader {
  readonly #options: BulkReaderOptions;
  #cancel: Cancel | undefined;
  #inFlight = 0;

  constructor(options: BulkReaderOptions) {
    this.#options = options;
  }

  /**
   * Looks at the sets that `isWanted` says, until `stop`.
   *
   * @param everyMs asked before each part, so that it may change.
   */
  start(
    sets: readonly BrokerSet[],
    isWanted: (set: BrokerSet) => boolean,
    everyMs: () => number,
  ): void {
    const { clock } = this.#options;
    let wanted = sets.filter(isWanted);
    let cursor = 0;
    let dueMs = clock.nowMs();
    this.#cancel = clock.every(TICK_MS, () => {
      const nowMs = clock.nowMs();
      while (nowMs >= dueMs && this.#inFlight < IN_FLIGHT_MAX) {
        if (cursor >= wanted.length) {
          wanted = wanted.filter(isWanted);
          cursor = 0;
        }
        const part = wanted.slice(cursor, cursor + NAMES_PER_READ).filter(isWanted);
        cursor += NAMES_PER_READ;
        const share = Math.min(1, NAMES_PER_READ / Math.max(1, wanted.length));
        // What a stall made late is not made up for.
        dueMs = Math.max(dueMs, nowMs - TICK_MS) + everyMs() * share;
        if (part.length > 0) this.#read(part, () => {});
      }
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  /**
   * Reads every set once, trying again what is not answered.
   *
   * @returns resolved when all have been answered, or `stop.pollUntil` has given up.
   */
  readAll(sets: readonly BrokerSet[]): { readonly isDone: () => boolean } {
    const parts: BrokerSet[][] = [];
    for (let at = 0; at < sets.length; at += NAMES_PER_READ) {
      parts.push(sets.slice(at, at + NAMES_PER_READ));
    }
    let open = parts.length;
    const next = (): void => {
      const part = parts.shift();
      if (part === undefined) return;
      this.#read(part, (isAnswered) => {
        if (isAnswered) {
          open -= 1;
          next();
          return;
        }
        parts.push(part);
        this.#options.clock.after(RETRY_MS, next);
      });
    };
    for (let place = 0; place < IN_FLIGHT_MAX; place += 1) next();
    return { isDone: () => open === 0 };
  }

  #read(part: readonly BrokerSet[], done: (isAnswered: boolean) => void): void {
    const { links, leader, clock, seen } = this.#options;
    const member = leader.leader;
    const connection = member < 0 || links.isClosed ? null : links.connection(member, 0);
    if (connection === null) {
      if (!links.isClosed) done(false);
      return;
    }
    const askedMs = clock.nowMs();
    const body = JSON.stringify(part.map(({ name }) => name));
    this.#inFlight += 1;
    connection.request({ code: RequestCode.GetSyncStateData, body }, (_failure, reply) => {
      this.#inFlight -= 1;
      if (reply?.code === ResponseCode.NotLeader) leader.doubt(member);
      const views = viewsOf(reply);
      if (views !== null) {
        const nowMs = clock.nowMs();
        for (const set of part) {
          const view = views.get(set.name);
          if (view !== undefined) seen(set, view, askedMs, nowMs);
        }
      }
      done(views !== null);
    });
  }
}

const RETRY_MS = 20;
