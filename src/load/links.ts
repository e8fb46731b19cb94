/**
 * The connections of one worker: a few to each member, shared by its brokers.
 *
 * A broker always uses the same connection of a member (its lane), for requests and heartbeats
 * alike, as the real one does. A closed connection is dialled again with growing pauses, so that a
 * restarted member is found and a dead one costs little.
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
}

const REDIAL_FIRST_MS = 20;
const REDIAL_MAX_MS = 1_000;
const CONNECT_TIMEOUT_MS = 1_000;

export class Links {
  readonly members: readonly string[];
  readonly #options: LinkOptions;
  readonly #connections: (Connection | null)[];
  readonly #redialMs: number[];
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

  open(): void {
    for (let slot = 0; slot < this.#connections.length; slot += 1) this.#dial(slot);
  }

  /** The open connection that `lane` has to `member`, if there is one. */
  connection(member: number, lane: number): Connection | null {
    const perMember = this.#options.connectionsPerMember;
    const connection = this.#connections[member * perMember + (lane % perMember)] ?? null;
    return connection !== null && connection.state === 'open' ? connection : null;
  }

  /** After `close`: nothing can be asked any more. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Whether no connection is still on its way. */
  get settled(): boolean {
    return this.#connections.every((connection) => connection?.state !== 'connecting');
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#connections) connection?.close();
  }

  #dial(slot: number): void {
    const { connectionsPerMember, windowMax, requestTimeoutMs, connect, clock } = this.#options;
    const member = Math.floor(slot / connectionsPerMember);
    this.#connections[slot] = connect(this.members[member] as string, {
      windowMax,
      requestTimeoutMs,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      closeOnTimeout: true,
      onOpen: () => {
        this.#redialMs[slot] = REDIAL_FIRST_MS;
      },
      onClose: () => {
        if (this.#closed) return;
        const pauseMs = this.#redialMs[slot] ?? REDIAL_MAX_MS;
        this.#redialMs[slot] = Math.min(pauseMs * 2, REDIAL_MAX_MS);
        clock.after(pauseMs, () => {
          if (!this.#closed) this.#dial(slot);
        });
        this.onLost(member);
      },
    });
  }
}
