/**
 * The port through which a member speaks to the others of its group, and its adapter for TCP: one
 * outgoing link to each peer. What peers send arrives at this member's own listening port.
 */
import type { Logger } from '../lib/logger.js';
import type { Configuration, Entry, MemberId, Message } from '../raft/types.js';
import type { RemotingCommand } from '../remoting/command.js';
import { FrameError } from '../remoting/errors.js';
import type { FrameWriter } from '../remoting/frame-writer.js';
import { type Address, parseAddress } from './address.js';
import type { Origin } from './doorway.js';
import { MemberCodec, type SendPush } from './member-codec.js';
import { MemberGate } from './member-gate.js';
import { TcpLink, type TcpLinkOptions } from './tcp-link.js';

/** Ordered per peer, and lossy. */
export interface Transport {
  /** Sends to `message.to`, or drops it. Never fails, never calls back. */
  send(message: Message): void;
  /** As `send`, for entries that the store has just read. */
  sendPush(push: SendPush, entries: readonly Entry[]): void;
  /** The group has changed: from now on these are the peers, where they listen. */
  setPeers?(members: Configuration): void;
  /** Sends what was handed over, as far as the peers take it. */
  close(): Promise<void>;
}

export interface Peer extends Address {
  readonly id: MemberId;
}

export interface TcpTransportOptions {
  readonly self: MemberId;
  /** The group's name. Members of other groups are not understood. */
  readonly group: string;
  /** Where the members listen; `self` may be among them. */
  readonly peers: readonly Peer[];
  readonly logger: Logger;
  /** Unsent bytes to one peer over which messages are dropped. */
  readonly outboundBytesMax?: number;
  /** How links connect; default: without TLS. */
  readonly dial?: TcpLinkOptions['dial'];
  /** Hosts besides those of the group that may speak as members; `*`: any. */
  readonly alsoAllowed?: readonly string[];
  /** Whether members must show a certificate that names a host of the group. */
  readonly needsCertificate?: boolean;
}

/** What is asked of a connection that speaks as a member. */
export interface MemberConnection {
  admittedAsMember: number;
  readonly origin: Origin;
}

export function tcpTransport(options: TcpTransportOptions): TcpTransport {
  return new TcpTransport(options);
}

export class TcpTransport implements Transport {
  readonly #codec: MemberCodec;
  readonly #links = new Map<MemberId, TcpLink>();
  readonly #self: MemberId;
  readonly #gate: MemberGate;
  readonly #link: Pick<TcpLinkOptions, 'logger' | 'outboundBytesMax' | 'dial'>;

  constructor({ self, group, peers, logger, ...options }: TcpTransportOptions) {
    const { alsoAllowed = [], dial, needsCertificate = false, outboundBytesMax } = options;
    this.#codec = new MemberCodec({ self, group });
    this.#self = self;
    this.#gate = new MemberGate({
      hosts: peers.map(({ host }) => host),
      alsoAllowed,
      needsCertificate,
      logger,
    });
    this.#link = {
      logger,
      ...(outboundBytesMax !== undefined && { outboundBytesMax }),
      ...(dial !== undefined && { dial }),
    };
    for (const { id, host, port } of peers) {
      if (id !== self) this.#links.set(id, new TcpLink({ host, port, ...this.#link }));
    }
  }

  /** A member whose address does not parse is reached by nobody; a change of address is a new link. */
  setPeers(members: Configuration): void {
    this.#gate.setMembers(members);
    for (const [id, link] of this.#links) {
      if (members.some((member) => member.id === id && isAt(member.address, link))) continue;
      this.#links.delete(id);
      void link.close();
    }
    for (const { address, id } of members) {
      const target = parseAddress(address);
      if (id === this.#self || target === null || this.#links.has(id)) continue;
      this.#links.set(id, new TcpLink({ ...target, ...this.#link }));
    }
  }

  /** Peers to which a connection is open. */
  get peersConnected(): number {
    let connected = 0;
    for (const { state } of this.#links.values()) if (state === 'open') connected += 1;
    return connected;
  }

  /** Messages dropped since the start, to all peers together. */
  get messagesDropped(): number {
    let dropped = 0;
    for (const { framesDropped } of this.#links.values()) dropped += framesDropped;
    return dropped;
  }

  send(message: Message): void {
    this.#send(message.to, (writer) => this.#codec.writeMessage(writer, message));
  }

  sendPush(push: SendPush, entries: readonly Entry[]): void {
    this.#send(push.to, (writer) => this.#codec.writePush(writer, push, entries));
  }

  /** Whether `host`, an address, is one of the group or listed as `alsoAllowed`. */
  isHostOfMembers(host: string): boolean {
    return this.#gate.isHostOfMembers(host);
  }

  /**
   * What a peer sent, from a command that came in at our port with a `MemberCode`.
   *
   * @throws {FrameError} MEMBER_FRAME, also when it came from where no member is; its connection is
   *   to be closed.
   */
  receive(command: RemotingCommand, from: MemberConnection): Message {
    const objection = this.#gate.admit(from);
    if (objection !== null) throw new FrameError('MEMBER_FRAME', objection);
    return this.#codec.decode(command);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  /** A message to nobody we know is dropped like one to a member that is down. */
  #send(to: MemberId, write: (writer: FrameWriter) => void): void {
    this.#links.get(to)?.send(write);
  }
}

const isAt = (address: string, link: TcpLink): boolean =>
  address === '' || link.address === address;
