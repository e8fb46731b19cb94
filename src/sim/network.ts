/**
 * The network of a simulated run: datagrams between members, byte streams from clients to members.
 *
 * Members' messages travel as the frames that they are on a real wire and meet every fault a packet
 * can meet. Streams are what TCP makes of the same network: in order, delayed, cut into pieces,
 * silent behind a partition, reset when a process dies.
 */
import type { Prng } from '../lib/prng.js';
import { MemberCodec, type SendPush } from '../net/member-codec.js';
import type { Transport } from '../net/transport.js';
import type { Entry, MemberId, Message } from '../raft/types.js';
import { decodeCommand } from '../remoting/codec.js';
import { FrameWriter } from '../remoting/frame-writer.js';
import { HeaderMemo } from '../remoting/header-memo.js';
import type { PartitionMode } from './faults.js';
import type { ProcessClock } from './process-clock.js';
import { SimStream } from './stream.js';
import type { World } from './world.js';

export interface Conditions {
  delayMinMs: number;
  delayMeanMs: number;
  lossShare: number;
  duplicationShare: number;
  reorderingShare: number;
}

/** One way between two hosts, and what is the matter with it. */
export interface Path {
  isCut: boolean;
  cloggedUntilMs: number;
  /** Its queue grows: what is sent now arrives as late as the queue is long. */
  filling: { readonly sinceMs: number; readonly lateMs: number } | null;
  /** Messages on it. */
  underWay: number;
}

/** What a host offers to those who dial it. */
export interface Listener {
  readonly clock: ProcessClock;
  accept(stream: SimStream): void;
}

/** A member's process, as messages reach it. */
interface Receiver {
  readonly clock: ProcessClock;
  readonly codec: MemberCodec;
  readonly headers: HeaderMemo;
  readonly receive: (message: Message) => void;
}

/** Messages under way on one path; one more is lost, as in a full router. */
const PATH_MAX = 2_000;
const REORDER_MAX_MS = 50;
/** A retransmission after a loss, as TCP would. */
const TCP_RETRY_MS = 200;

export class SimNetwork {
  readonly #world: World;
  readonly #chance: Prng;
  readonly conditions: Conditions;
  readonly #listeners = new Map<string, Listener>();
  readonly #members = new Map<MemberId, Receiver>();
  /** From each host to each other that it has to do with. */
  readonly #paths = new Map<string, Map<string, Path>>();
  readonly #streams = new Set<SimStream>();
  readonly #hostOfAddress = new Map<string, string>();
  delivered = 0;

  constructor(world: World, chance: Prng, conditions: Conditions) {
    this.#world = world;
    this.#chance = chance;
    this.conditions = conditions;
  }

  #path(from: string, to: string): Path {
    let paths = this.#paths.get(from);
    if (paths === undefined) {
      paths = new Map();
      this.#paths.set(from, paths);
    }
    let path = paths.get(to);
    if (path === undefined) {
      path = { isCut: false, cloggedUntilMs: 0, filling: null, underWay: 0 };
      paths.set(to, path);
    }
    return path;
  }

  // Datagrams

  /** What a member sends with; `receive` is called in its process, with what others sent it. */
  join(options: {
    readonly self: MemberId;
    readonly group: string;
    readonly clock: ProcessClock;
    readonly receive: (message: Message) => void;
  }): Transport {
    const { self, group, clock, receive } = options;
    const codec = new MemberCodec({ self, group });
    const writer = new FrameWriter();
    this.#members.set(self, { clock, codec, headers: new HeaderMemo(), receive });
    const post = (to: MemberId): void => {
      const frame = Buffer.from(writer.bytes());
      writer.clear();
      this.#post(this.#path(self, to), to, frame);
    };
    return {
      send: (message) => {
        codec.writeMessage(writer, message);
        post(message.to);
      },
      sendPush: (push: SendPush, entries: readonly Entry[]) => {
        codec.writePush(writer, push, entries);
        post(push.to);
      },
      close: async () => {},
    };
  }

  #post(path: Path, to: MemberId, frame: Buffer): void {
    const { lossShare, duplicationShare, reorderingShare } = this.conditions;
    if (path.isCut || path.underWay >= PATH_MAX) return;
    if (lossShare > 0 && this.#chance.chance(lossShare)) return;
    let delayMs = this.#delay(path);
    if (reorderingShare > 0 && this.#chance.chance(reorderingShare)) {
      delayMs += this.#chance.unit() * REORDER_MAX_MS;
    }
    this.#deliver(path, to, frame, delayMs);
    if (duplicationShare > 0 && this.#chance.chance(duplicationShare)) {
      this.#deliver(path, to, frame, delayMs + this.#chance.unit() * 500);
    }
  }

  #deliver(path: Path, to: MemberId, frame: Buffer, delayMs: number): void {
    path.underWay += 1;
    this.#world.after(delayMs, () => {
      path.underWay -= 1;
      const member = this.#members.get(to);
      if (member === undefined || path.isCut) return;
      this.delivered += 1;
      this.#world.note(frame.length);
      this.#world.note(frame[frame.length - 1] as number);
      const { clock, codec, headers, receive } = member;
      clock.run(() => {
        // Its process may have started anew while the message waited.
        if (this.#members.get(to) !== member) return;
        // The path of a frame that a socket brought: past the length word, decoded, checked.
        receive(codec.decode(decodeCommand(frame, 4, frame.length, headers)));
      });
    });
  }

  #delay({ cloggedUntilMs, filling }: Path): number {
    const { delayMeanMs, delayMinMs } = this.conditions;
    const delayMs = delayMinMs - Math.log(1 - this.#chance.unit()) * delayMeanMs;
    const clogMs = cloggedUntilMs - this.#world.nowMs;
    const queuedMs =
      filling === null ? 0 : Math.min(filling.lateMs, this.#world.nowMs - filling.sinceMs);
    return Math.max(clogMs, queuedMs, 0) + delayMs;
  }

  // Streams

  listen(address: string, host: string, listener: Listener): void {
    this.#listeners.set(address, listener);
    this.#hostOfAddress.set(address, host);
  }

  /** The host's process has ended: nobody listens, and its streams are reset. */
  hostEnded(host: string): void {
    this.#members.delete(host);
    for (const [address, at] of this.#hostOfAddress) {
      if (at === host) this.#listeners.delete(address);
    }
    for (const stream of [...this.#streams]) {
      if (stream.host === host) stream.processEnded();
    }
  }

  /** Starts to connect from `fromHost`. */
  dial(fromHost: string, clock: ProcessClock, address: string): SimStream {
    const toHost = this.#hostOfAddress.get(address) ?? address;
    const path = this.#path(fromHost, toHost);
    const back = this.#path(toHost, fromHost);
    const near = new SimStream({ network: this, host: fromHost, path, clock, address });
    this.#streams.add(near);
    const arrive = (): void => {
      if (near.isGone) return;
      if (path.isCut || back.isCut) {
        // SYNs vanish; the kernel repeats them.
        this.#world.after(TCP_RETRY_MS, arrive);
        return;
      }
      const listener = this.#listeners.get(address);
      if (listener === undefined) {
        this.#world.after(this.#delay(path), () => near.refused());
        return;
      }
      const far = new SimStream({
        network: this,
        host: toHost,
        path: back,
        clock: listener.clock,
        address: `${fromHost}:0`,
      });
      this.#streams.add(far);
      near.pair(far);
      far.pair(near);
      far.opened();
      listener.clock.run(() => listener.accept(far));
      this.#world.after(this.#delay(back), () => near.opened());
    };
    this.#world.after(this.#delay(path), arrive);
    return near;
  }

  /** For streams: runs `arrive` at the other end, in order, when the path lets it through. */
  carry(path: Path, notBeforeMs: number, arrive: () => void): number {
    let atMs = this.#world.nowMs + this.#delay(path);
    if (this.conditions.lossShare > 0 && this.#chance.chance(this.conditions.lossShare)) {
      atMs += TCP_RETRY_MS;
    }
    atMs = Math.max(atMs, notBeforeMs);
    const tryNow = (): void => {
      if (path.isCut) this.#world.after(TCP_RETRY_MS, tryNow);
      else arrive();
    };
    this.#world.at(atMs, tryNow);
    return atMs;
  }

  /** How a chunk of this length is cut on its way. */
  cutAt(length: number): number {
    return length > 1 && this.#chance.chance(0.1) ? this.#chance.between(1, length - 1) : length;
  }

  forget(stream: SimStream): void {
    this.#streams.delete(stream);
  }

  note(value: number): void {
    this.#world.note(value);
  }

  // Faults

  /** Nothing passes from `from` to `to`. */
  cut(from: string, to: string): void {
    this.#path(from, to).isCut = true;
  }

  heal(): void {
    for (const paths of this.#paths.values()) {
      for (const path of paths.values()) {
        path.isCut = false;
        path.cloggedUntilMs = 0;
        path.filling = null;
      }
    }
  }

  healPath(from: string, to: string): void {
    this.#path(from, to).isCut = false;
  }

  clog(from: string, to: string, forMs: number): void {
    this.#path(from, to).cloggedUntilMs = this.#world.nowMs + forMs;
  }

  /** From now on what is sent arrives later and later, until it is `lateMs` late. */
  fill(from: string, to: string, lateMs: number): void {
    this.#path(from, to).filling = { sinceMs: this.#world.nowMs, lateMs };
  }

  drain(from: string, to: string): void {
    this.#path(from, to).filling = null;
  }
}

/** Ordered pairs, from whom nothing passes to whom. */
type Cuts = readonly (readonly [string, string])[];

/** @param directions draws which of the two ways is dead; null: both are. */
export function cutsBetween(
  some: readonly string[],
  others: readonly string[],
  directions: Prng | null,
): Cuts {
  const isForth = directions?.chance(0.5) ?? true;
  const isBack = directions === null || !isForth;
  return some.flatMap((one) =>
    others.flatMap(
      (other): Cuts => [
        ...(isForth ? [[one, other] as const] : []),
        ...(isBack ? [[other, one] as const] : []),
      ],
    ),
  );
}

/** What a partition of these hosts cuts; `directions` draws for each side, or pair, of its own. */
export function partitionOf(
  mode: PartitionMode,
  hosts: readonly string[],
  directions: Prng | null,
  chance: Prng,
): Cuts {
  const order = shuffled(hosts, chance);
  const cuts: (readonly [string, string])[] = [];
  const between = (some: readonly string[], others: readonly string[]): void => {
    cuts.push(...cutsBetween(some, others, directions));
  };
  switch (mode) {
    case 'isolate-one':
      between(order.slice(0, 1), order.slice(1));
      break;
    case 'halves':
      between(
        order.slice(0, Math.floor(order.length / 2)),
        order.slice(Math.floor(order.length / 2)),
      );
      break;
    case 'uniform':
      for (const one of order) {
        for (const other of order) {
          if (one < other && chance.chance(0.5)) between([one], [other]);
        }
      }
      break;
    case 'bridge': {
      // Two halves that share one member.
      const half = Math.floor((order.length - 1) / 2);
      between(order.slice(1, 1 + half), order.slice(1 + half));
      break;
    }
    case 'majorities-ring': {
      // Each member hears a majority, and no two hear the same one.
      const reach = Math.floor(order.length / 4) || 1;
      for (const [i, one] of order.entries()) {
        for (const [j, other] of order.entries()) {
          const distance = Math.min(
            (i - j + order.length) % order.length,
            (j - i + order.length) % order.length,
          );
          if (i < j && distance > reach) between([one], [other]);
        }
      }
      if (order.length === 3) between([order[0] as string], [order[1] as string]);
      break;
    }
  }
  return cuts;
}

function shuffled(items: readonly string[], chance: Prng): string[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = chance.between(0, i);
    [order[i], order[j]] = [order[j] as string, order[i] as string];
  }
  return order;
}
