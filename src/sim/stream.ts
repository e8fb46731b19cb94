/**
 * One end of a simulated TCP connection: what arrives is in order, and may arrive in pieces.
 */
import type { ByteStream } from '../net/byte-stream.js';
import type { Path, SimNetwork } from './network.js';
import type { ProcessClock } from './process-clock.js';

type Listener = (...args: never[]) => void;
type EventName = 'connect' | 'drain' | 'end' | 'close' | 'data' | 'error';

/** Of what one end sends; null: that it has closed. */
interface Piece {
  readonly chunk: Buffer | null;
  hasCome: boolean;
}

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
  readonly #underWay: Piece[] = [];

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
    if (this.#state !== 'open' || this.#peer === null) return false;
    const chunk = Buffer.from(bytes);
    const cut = this.#network.cutAt(chunk.length);
    if (cut === chunk.length) {
      this.#carry(chunk);
    } else {
      this.#carry(chunk.subarray(0, cut));
      this.#carry(chunk.subarray(cut));
    }
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
    if (this.#peer !== null) this.#carry(null);
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
    if (this.#peer !== null && this.#state === 'open') this.#carry(null);
    this.#gone();
  }

  #carry(chunk: Buffer | null): void {
    const piece = { chunk, hasCome: false };
    this.#underWay.push(piece);
    const come = (): void => this.#come(piece);
    this.#lastArrivalMs = this.#network.carry(this.#path, this.#lastArrivalMs, come);
  }

  #come(piece: Piece): void {
    const peer = this.#peer as SimStream;
    piece.hasCome = true;
    while (this.#underWay[0]?.hasCome === true) {
      const { chunk } = this.#underWay.shift() as Piece;
      if (chunk === null) peer.#peerClosed();
      else peer.#arrived(chunk);
    }
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
