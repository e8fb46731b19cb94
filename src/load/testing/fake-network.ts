/**
 * Connections without sockets, for tests of the load: replies come after a set time on a virtual clock.
 */
import type { ClientFailureCode } from '../../client/errors.js';
import type { Connection, ConnectionOptions, Done, Request } from '../../client/types.js';
import type { VirtualClock } from '../../lib/virtual-clock.js';
import type { RemotingCommand } from '../../remoting/command.js';
import type { Connect } from '../links.js';
import type { FakeGroup, FakeReply } from './fake-group.js';

export class FakeNetwork {
  readonly #group: FakeGroup;
  readonly #clock: VirtualClock;
  readonly #connections: FakeConnection[] = [];
  readonly #down = new Set<string>();
  /** From the request to its reply. */
  latencyMs = 1;
  /** Requests of this kind are swallowed: their answer never comes. */
  swallow: (request: Request) => boolean = () => false;

  constructor(group: FakeGroup, clock: VirtualClock) {
    this.#group = group;
    this.#clock = clock;
  }

  readonly connect: Connect = (address, options) => {
    const connection = new FakeConnection(address, options, {
      isDown: () => this.#down.has(address),
      clock: this.#clock,
      answer: (request) => {
        if (this.swallow(request)) return null;
        return this.#group.handle(this.#group.members.indexOf(address), request);
      },
      latencyMs: () => this.latencyMs,
    });
    this.#connections.push(connection);
    return connection;
  };

  /** Connections that are open to a member now. */
  openTo(member: number): number {
    const address = this.#group.members[member];
    return this.#connections.filter((each) => each.address === address && each.state === 'open')
      .length;
  }

  /** The member's process is gone: connections break, new ones are refused. */
  kill(member: number): void {
    const address = this.#group.members[member] ?? '';
    this.#down.add(address);
    for (const connection of this.#connections) {
      if (connection.address === address) connection.break('killed');
    }
  }

  restart(member: number): void {
    this.#down.delete(this.#group.members[member] ?? '');
  }
}

interface Wire {
  readonly clock: VirtualClock;
  isDown(): boolean;
  latencyMs(): number;
  /** null: no answer. */
  answer(request: Request): FakeReply | null;
}

class FakeConnection implements Connection {
  readonly address: string;
  readonly #options: ConnectionOptions;
  readonly #wire: Wire;
  /** Callbacks are reused for later requests, so each wait has a number of its own. */
  readonly #waiting = new Map<number, Done>();
  #opaque = 0;
  state: Connection['state'] = 'connecting';

  constructor(address: string, options: ConnectionOptions, wire: Wire) {
    this.address = address;
    this.#options = options;
    this.#wire = wire;
    wire.clock.after(0, () => {
      if (this.state !== 'connecting') return;
      if (wire.isDown()) this.break('refused');
      else {
        this.state = 'open';
        options.onOpen?.();
      }
    });
  }

  get inFlight(): number {
    return this.#waiting.size;
  }

  request(request: Request, done: Done): void {
    const { clock } = this.#wire;
    if (this.state === 'closed' || this.#waiting.size >= this.#options.windowMax) {
      const why = this.state === 'closed' ? 'REFUSED' : 'SHED';
      clock.after(0, () => done(why, null));
      return;
    }
    this.#opaque += 1;
    const opaque = this.#opaque;
    this.#waiting.set(opaque, done);
    clock.after(this.#wire.latencyMs(), () => {
      if (!this.#waiting.has(opaque)) return;
      const reply = this.#wire.answer(request);
      if (reply !== null) this.#settle(opaque, null, commandOf(reply));
    });
    clock.after(this.#options.requestTimeoutMs, () => {
      if (!this.#waiting.has(opaque)) return;
      this.#settle(opaque, 'TIMEOUT', null);
      if (this.#options.closeOnTimeout) this.break('timeout');
    });
  }

  oneway(request: Request): boolean {
    if (this.state !== 'open') return false;
    this.#wire.answer(request);
    return true;
  }

  close(): void {
    this.break('closed by us');
  }

  break(reason: string): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    for (const opaque of [...this.#waiting.keys()]) this.#settle(opaque, 'CONNECTION_LOST', null);
    this.#options.onClose?.(reason);
  }

  #settle(opaque: number, failure: ClientFailureCode | null, reply: RemotingCommand | null): void {
    const done = this.#waiting.get(opaque);
    this.#waiting.delete(opaque);
    done?.(failure, reply);
  }
}

function commandOf({ code, extFields, body }: FakeReply): RemotingCommand {
  return {
    code,
    language: 'JAVA',
    version: 0,
    opaque: 0,
    flag: 1,
    remark: null,
    extFields: extFields ?? null,
    body: body === undefined ? null : Buffer.from(body),
  };
}
