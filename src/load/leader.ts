/**
 * Which member leads: asked of all (1005) until one says that it does.
 *
 * Real brokers look every 10 s. The load looks every 25 ms while it is in doubt, because it measures
 * how long the controllers need, not how long brokers sleep. While it is sure it looks twice a
 * second, so that a leader that fell silent without closing its connections is noticed too.
 */
import type { Cancel, Clock } from '../lib/clock.js';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import type { RemotingCommand } from '../remoting/command.js';
import { readControllerMetadata } from '../remoting/headers.js';
import type { Links } from './links.js';

const DOUBT_POLL_MS = 25;
const SURE_POLL_MS = 500;
/** Doubts come by the thousand; they ask at most this often. */
const POLL_GAP_MIN_MS = 5;
const ask = { code: RequestCode.GetMetadataInfo };

export class LeaderFinder {
  readonly #links: Links;
  readonly #clock: Clock;
  readonly #asking: boolean[];
  #leader = -1;
  #sure = false;
  /** The member that gave reason for doubt: only its own word brings it back. */
  #doubted = -1;
  #lastPollMs = Number.NEGATIVE_INFINITY;
  #cancel: Cancel | undefined;
  /** Told when another member turns out to lead. */
  onChange: (leader: number) => void = () => {};

  constructor(links: Links, clock: Clock) {
    this.#links = links;
    this.#clock = clock;
    this.#asking = links.members.map(() => false);
    links.onLost = (member) => this.doubt(member);
  }

  /** The last known leader's position among the members; −1 before any was known. */
  get leader(): number {
    return this.#leader;
  }

  get isSure(): boolean {
    return this.#sure;
  }

  start(): void {
    this.#cancel = this.#clock.every(DOUBT_POLL_MS, () => {
      const pauseMs = this.#sure ? SURE_POLL_MS : 0;
      if (this.#clock.nowMs() - this.#lastPollMs >= pauseMs) this.#poll();
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  /** `member` answered NOT_LEADER, or was lost. */
  doubt(member: number): void {
    if (member !== this.#leader) return;
    this.#sure = false;
    this.#doubted = member;
    if (this.#clock.nowMs() - this.#lastPollMs >= POLL_GAP_MIN_MS) this.#poll();
  }

  #poll(): void {
    this.#lastPollMs = this.#clock.nowMs();
    this.#links.members.forEach((_, member) => {
      if (this.#asking[member]) return;
      const connection = this.#links.connection(member, 0);
      if (connection === null) return;
      this.#asking[member] = true;
      connection.request(ask, (_failure, reply) => {
        this.#asking[member] = false;
        if (reply?.code === ResponseCode.Success) this.#heard(member, reply);
      });
    });
  }

  #heard(from: number, reply: RemotingCommand): void {
    const { isLeader, controllerLeaderAddress } = readControllerMetadata(reply.extFields);
    if (isLeader) {
      this.#believe(from);
      return;
    }
    // Hearsay may be stale: it counts only while nothing better is known, and never for the member in doubt.
    const named = this.#links.members.indexOf(controllerLeaderAddress ?? '');
    if (this.#sure || named < 0 || named === this.#doubted) return;
    if (this.#links.connection(named, 0) !== null) this.#believe(named);
  }

  #believe(leader: number): void {
    this.#sure = true;
    this.#doubted = -1;
    if (leader === this.#leader) return;
    this.#leader = leader;
    this.onChange(leader);
  }
}
