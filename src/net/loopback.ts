/**
 * A network in memory for tests: messages wait in one queue until the test delivers them, so a
 * history depends on nothing but the test.
 */
import { BoundedQueue } from '../lib/bounded-queue.js';
import type { MemberId, Message } from '../raft/types.js';
import { pushMessage } from './member-codec.js';
import type { Transport } from './transport.js';

export class LoopbackNetwork {
  readonly #receivers = new Map<MemberId, (message: Message) => void>();
  readonly #queue: BoundedQueue<Message>;
  #dropped = 0;

  /** @param messagesMax one more waiting message is dropped, as a network may */
  constructor(messagesMax = 100_000) {
    this.#queue = new BoundedQueue(messagesMax);
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** Messages that found the queue full, or their receiver gone. */
  get dropped(): number {
    return this.#dropped;
  }

  join(self: MemberId, receive: (message: Message) => void): Transport {
    this.#receivers.set(self, receive);
    return {
      send: (message) => this.#send(message),
      sendPush: (push, entries) => this.#send(pushMessage(self, push, entries)),
      close: async () => {
        this.#receivers.delete(self);
      },
    };
  }

  /** Delivers the oldest message; false when none waits. */
  deliverNext(): boolean {
    const message = this.#queue.poll();
    if (message === undefined) return false;
    const receive = this.#receivers.get(message.to);
    if (receive === undefined) this.#dropped += 1;
    else receive(message);
    return true;
  }

  /** Delivers until none waits, those sent meanwhile included, or `messagesMax` were delivered. */
  deliver(messagesMax = 100_000): number {
    let delivered = 0;
    while (delivered < messagesMax && this.deliverNext()) delivered += 1;
    return delivered;
  }

  #send(message: Message): void {
    if (this.#queue.offer(message) === 'full') this.#dropped += 1;
  }
}
