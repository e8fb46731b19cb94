/**
 * One end of a simulated TCP connection: what arrives is in order, and may arrive in pieces.
 */
import type { ByteStream } from '../net/byte-stream.js';
import type { Path, SimNetwork } from './network.js';
import type { ProcessClock } from './process-clock.js';

type Listener = (...args: never[]) => void;
type EventName = 'connect' | 'drain' | 'end' | 'close' | 'data' | 'error';

export class SimStream implements ByteStream {
  readonly #network: SimNetwork;
  readonly host: string;
  readonly #path: Path;
  readonly #clock: ProcessClock;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #listeners = new Map<EventName, Listener[]>();
  #peer: SimStream | null = null;
  #state: 'connecting' | 'open' | 'gone' = 'connecting';
  #isPaused = false;
  #held: Buffer[] = [];
  #ended = false;
  /** Nothing sent later arrives before this. */
  #lastArrivalMs = 0;
  /** What is under way, oldest first; what has come too early waits for what was sent before it. */
  readonly #underWay: { hasCome: boolean; readonly arrive: () => void }[] = [];

  constructor(options: {
    readonly network: SimNetwork;
    readonly host: string;
    /** To its peer. */
    readonly path: Path;
    readonly clock: ProcessClock;
    readonly address: string;
  }) {
    this.#network = options.network;
    this.host = options.host;
    this.#path = options.path;
    this.#clock = options.clock;
    const [address = '', port = '0'] = options.address.split(':');
    this.remoteAddress = address;
    this.remotePort = Number(port);
  }

  get connecting(): boolean {
    return this.#state === 'connecting';
  }

  get writable(): boolean {
    return this.#state === 'open';
  }

  /** The other end takes at once what the network brings: nothing piles up here. */
  get writableLength(): number {
    return 0;
  }

  get isGone(): boolean {
    return this.#state === 'gone';
  }

  on(event: EventName, listener: Listener): void {
    const listeners = this.#listeners.get(event);
    if (listeners === undefined) this.#listeners.set(event, [listener]);
    else listeners.push(listener);
  }

  write(bytes: Uint8Array): boolean {
    const peer = this.#peer;
    if (this.#state !== 'open' || peer === null) return false;
    const chunk = Buffer.from(bytes);
    const cut = this.#network.cutAt(chunk.length);
    this.#carry(() => peer.#arrived(chunk.subarray(0, cut)));
    if (cut < chunk.length) this.#carry(() => peer.#arrived(chunk.subarray(cut)));
    return true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (const chunk of this.#held.splice(0)) this.#emit('data', chunk);
  }

  setTimeout(): void {
    // Only used to impose an end on a close; closing here ends by itself.
  }

  destroySoon(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#state === 'gone') return;
    const peer = this.#peer;
    if (peer !== null) this.#carry(() => peer.#peerClosed());
    this.#gone();
    this.#clock.endOfTurn(() => this.#emit('close'));
  }

  // For the network

  pair(peer: SimStream): void {
    this.#peer = peer;
  }

  opened(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'open';
    this.#clock.run(() => this.#emit('connect'));
  }

  refused(): void {
    if (this.#state === 'gone') return;
    this.#gone();
    this.#clock.run(() => {
      this.#emit('error', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
      this.#emit('close');
    });
  }

  /** Our process is gone: the kernel resets the connection, and nobody here hears of it. */
  processEnded(): void {
    const peer = this.#peer;
    if (peer !== null && this.#state === 'open') this.#carry(() => peer.#peerClosed());
    this.#gone();
  }

  #carry(arrive: () => void): void {
    const piece = { hasCome: false, arrive };
    this.#underWay.push(piece);
    const come = (): void => {
      piece.hasCome = true;
      while (this.#underWay[0]?.hasCome === true) this.#underWay.shift()?.arrive();
    };
    this.#lastArrivalMs = this.#network.carry(this.#path, this.#lastArrivalMs, come);
  }

  #arrived(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    this.#network.note(chunk.length);
    this.#clock.run(() => {
      if (this.#state !== 'open') return;
      if (this.#isPaused) this.#held.push(chunk);
      else this.#emit('data', chunk);
    });
  }

  #peerClosed(): void {
    this.#clock.run(() => {
      if (this.#state === 'gone' || this.#ended) return;
      this.#ended = true;
      this.#emit('end');
      this.#gone();
      this.#emit('close');
    });
  }

  #gone(): void {
    this.#state = 'gone';
    this.#held = [];
    this.#network.forget(this);
  }

  #emit(event: EventName, argument?: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      (listener as (argument?: unknown) => void)(argument);
    }
  }
}
