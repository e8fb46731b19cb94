/**
 * One request inside the server, from its arrival to its one answer.
 *
 * Calls that are being handled form a list in the order in which they began, so that those which
 * took too long are found at its head.
 */
import type { Reply } from '../controller/reply.js';
import type { RemotingCommand } from '../remoting/command.js';
import type { ResponseFrame } from '../remoting/frame-writer.js';
import type { AdmittedCall } from './parts.js';

/** What the server needs of a client's connection. */
export interface ClientConnection {
  readonly isClosed: boolean;
  respond(response: ResponseFrame): void;
  close(reason: string): void;
}

/** What becomes of a call outside of it. */
export interface CallOwner {
  begun(call: Call): void;
  /** @param reply what to send, or null where no answer is due */
  answered(call: Call, reply: Reply): void;
}

export class Call implements AdmittedCall {
  readonly command: RemotingCommand;
  readonly connection: ClientConnection;
  readonly arrivedAtMs: number;
  readonly #owner: CallOwner;
  isAnswered = false;
  /** When its handler began; 0 while it waits for one. */
  begunAtMs = 0;
  older: Call | null = null;
  newer: Call | null = null;

  constructor(
    command: RemotingCommand,
    connection: ClientConnection,
    arrivedAtMs: number,
    owner: CallOwner,
  ) {
    this.command = command;
    this.connection = connection;
    this.arrivedAtMs = arrivedAtMs;
    this.#owner = owner;
  }

  /** Nobody waits for the answer any more. */
  get givenUp(): boolean {
    return this.isAnswered || this.connection.isClosed;
  }

  begin(): void {
    this.#owner.begun(this);
  }

  /** The first answer counts; a later one finds nobody. */
  answer(reply: Reply): void {
    if (this.isAnswered) return;
    this.isAnswered = true;
    this.#owner.answered(this, reply);
  }
}

/** Calls in the order in which they began; adding and removing cost the same however many there are. */
export class CallList {
  #oldest: Call | null = null;
  #newest: Call | null = null;
  size = 0;

  get oldest(): Call | null {
    return this.#oldest;
  }

  add(call: Call): void {
    call.older = this.#newest;
    if (this.#newest === null) this.#oldest = call;
    else this.#newest.newer = call;
    this.#newest = call;
    this.size += 1;
  }

  remove(call: Call): void {
    if (call.older === null) this.#oldest = call.newer;
    else call.older.newer = call.newer;
    if (call.newer === null) this.#newest = call.older;
    else call.newer.older = call.older;
    call.older = null;
    call.newer = null;
    this.size -= 1;
  }
}
