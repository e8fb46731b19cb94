/**
 * The connections that have not sent a whole frame yet, oldest first: when a port is full, they give
 * way. Whoever connects to speak has spoken long before it is the oldest.
 *
 * Those from members' addresses do not give way to strangers, unless there are more of them than any
 * group needs: then it is their address that floods.
 */
import type { Socket } from 'node:net';
import type { Refusable } from './refusals.js';

export class Unheard {
  readonly #sparedMax: number;
  readonly #members = new Map<Socket, Refusable>();
  readonly #strangers = new Map<Socket, Refusable>();

  /** @param sparedMax so many from members' addresses do not give way to strangers */
  constructor(sparedMax: number) {
    this.#sparedMax = sparedMax;
  }

  add(socket: Socket, connection: Refusable, isMember: boolean): void {
    (isMember ? this.#members : this.#strangers).set(socket, connection);
  }

  /** Somebody else is now responsible for `socket`, which keeps its place. */
  replace(socket: Socket, connection: Refusable): void {
    for (const waiting of [this.#members, this.#strangers]) {
      if (waiting.has(socket)) waiting.set(socket, connection);
    }
  }

  /** It has been heard, or is gone. */
  delete(socket: Socket): void {
    this.#members.delete(socket);
    this.#strangers.delete(socket);
  }

  /** @returns who has to make room, and is forgotten; null: nobody */
  takeOldest(forMember: boolean): Refusable | null {
    const [first, second] =
      this.#members.size > this.#sparedMax
        ? [this.#members, this.#strangers]
        : [this.#strangers, forMember ? this.#members : new Map()];
    return takeFirst(first) ?? takeFirst(second);
  }
}

function takeFirst(waiting: Map<Socket, Refusable>): Refusable | null {
  for (const [socket, connection] of waiting) {
    waiting.delete(socket);
    return connection;
  }
  return null;
}
