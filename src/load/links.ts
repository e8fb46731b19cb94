/**
 * The connections of one worker: a few to each member that its brokers share, or one for each broker.
 *
 * A broker always uses the same connection of a member (its lane), for requests and heartbeats
 * alike, as the real one does. A closed connection is dialled again with growing pauses, so that a
 * restarted member is found and a dead one costs little. Few are dialled at a time: thousands of
 * dials in one turn overflow a listener's backlog, and then wait a second to be tried again.
 */
import type { Connection, ConnectionOptions } from '../client/types.js';
import type { Clock } from '../lib/clock.js';

export type Connect = (address: string, options: ConnectionOptions) => Connection;

export interface LinkOptions {
  readonly members: readonly string[];
  readonly connectionsPerMember: number;
  readonly windowMax: number;
  readonly requestTimeoutMs: number;
  readonly connect: Connect;
  readonly clock: Clock;
  /** Local addresses to dial from in turn, where one has too few ports; default: the system chooses. */
  readonly sources?: readonly string[];
}

const REDIAL_FIRST_MS = 20;
const REDIAL_MAX_MS = 1_000;
const CONNECT_TIMEOUT_MS = 1_000;
/** To all members together; the backlog of one holds 1,024. */
const DIALS_AT_ONCE_MAX = 256;

export class Links {
  readonly members: readonly string[];
  readonly #options: LinkOptions;
  readonly #connections: (Connection | null)[];
  readonly #redialMs: number[];
  /** Slots that wait for their dial, in order. */
  readonly #toDial: number[] = [];
  readonly #forsaken = new Set<number>();
  #dialling = 0;
  #closed = false;
  /** Told when a connection to a member closes. */
  onLost: (member: number) => void = () => {};

  constructor(options: LinkOptions) {
    this.#options = options;
    this.members = options.members;
    const count = options.members.length * options.connectionsPerMember;
    this.#connections = new Array<Connection | null>(count).fill(null);
    this.#redialMs = new Array<number>(count).fill(REDIAL_FIRST_MS);
  }

  /** To every member in turn, so that each has its first connections early. */
  open(): void {
    const { members, connectionsPerMember } = this.#options;
    for (let lane = 0; lane < connectionsPerMember; lane += 1) {
      for (let member = 0; member < members.length; member += 1) {
        this.#toDial.push(this.#slot(member, lane));
      }
    }
    // Taken from the end.
    this.#toDial.reverse();
    this.#dialNext();
  }

  /** The open connection that `lane` has to `member`, if there is one. */
  connection(member: number, lane: number): Connection | null {
    const connection = this.#connections[this.#slot(member, lane)] ?? null;
    return connection !== null && connection.state === 'open' ? connection : null;
  }

  /** After `close`: nothing can be asked any more. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Whether no connection is still on its way. */
  get settled(): boolean {
    return this.#toDial.length === 0 && this.#dialling === 0;
  }

  /** Connections that are open now. */
  get openCount(): number {
    return this.#connections.filter((connection) => connection?.state === 'open').length;
  }

  /**
   * Gives a lane up for good: its connections are never dialled again.
   *
   * @param how `closed`: they close now, as when a process ends. `silent`: they stay open for as long
   *   as the members like, as when a process hangs.
   */
  forsake(lane: number, how: 'closed' | 'silent'): void {
    for (let member = 0; member < this.members.length; member += 1) {
      const slot = this.#slot(member, lane);
      this.#forsaken.add(slot);
      if (how === 'closed') this.#connections[slot]?.close();
    }
  }

  close(): void {
    this.#closed = true;
    this.#toDial.length = 0;
    for (const connection of this.#connections) connection?.close();
  }

  #slot(member: number, lane: number): number {
    const perMember = this.#options.connectionsPerMember;
    return member * perMember + (lane % perMember);
  }

  #dialNext(): void {
    while (!this.#closed && this.#dialling < DIALS_AT_ONCE_MAX) {
      const slot = this.#toDial.pop();
      if (slot === undefined) return;
      if (!this.#forsaken.has(slot)) this.#dial(slot);
    }
  }

  #dial(slot: number): void {
    const { connectionsPerMember, windowMax, requestTimeoutMs, connect, clock } = this.#options;
    const { sources = [] } = this.#options;
    const member = Math.floor(slot / connectionsPerMember);
    const localAddress = sources[slot % sources.length];
    let isDialling = true;
    const dialled = (): void => {
      if (!isDialling) return;
      isDialling = false;
      this.#dialling -= 1;
      this.#dialNext();
    };
    this.#dialling += 1;
    this.#connections[slot] = connect(this.members[member] as string, {
      windowMax,
      requestTimeoutMs,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      closeOnTimeout: true,
      ...(localAddress !== undefined && { localAddress }),
      onOpen: () => {
        this.#redialMs[slot] = REDIAL_FIRST_MS;
        dialled();
      },
      onClose: () => {
        dialled();
        if (this.#closed || this.#forsaken.has(slot)) return;
        const pauseMs = this.#redialMs[slot] ?? REDIAL_MAX_MS;
        this.#redialMs[slot] = Math.min(pauseMs * 2, REDIAL_MAX_MS);
        clock.after(pauseMs, () => {
          if (this.#closed) return;
          this.#toDial.unshift(slot);
          this.#dialNext();
        });
        this.onLost(member);
      },
    });
  }
}
