/**
 * What the framed connections of both ends need of a socket. `node:net`'s `Socket` is one as it is;
 * simulated runs hand in their own.
 */
export interface ByteStream {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly connecting: boolean;
  readonly writable: boolean;
  /** Bytes that the other end, or the kernel, has not taken yet. */
  readonly writableLength: number;
  write(bytes: Uint8Array): boolean;
  pause(): unknown;
  resume(): unknown;
  /** Sends what was written, then closes. */
  destroySoon(): void;
  destroy(): unknown;
  setTimeout(ms: number, onIdle: () => void): unknown;
  on(event: 'connect' | 'drain' | 'end' | 'close', listener: () => void): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}
