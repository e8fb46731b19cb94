/**
 * ZooKeeper's wire protocol, as much as a client of plain nodes needs: records in jute (big-endian
 * integers, strings and buffers behind their length), each in a frame behind its length.
 *
 * @source zookeeper 3.9 zookeeper-jute/src/main/resources/zookeeper.jute, ZooDefs.OpCode
 */

export const Op = { create: 1, getData: 4, setData: 5, sync: 9 } as const;
export const Code = { ok: 0, nodeExists: -110, badVersion: -103 } as const;

const PERMS_ALL = 31;
const PASSWORD_BYTES = 16;
/** czxid, mzxid, ctime, mtime come before it in a Stat. */
const VERSION_IN_STAT = 32;
const STAT_BYTES = 68;

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const long0 = Buffer.alloc(8);
const bytesOf = (value: Buffer | string): Buffer => {
  const body = Buffer.from(value as string);
  return Buffer.concat([int(body.length), body]);
};

const framed = (...parts: readonly Buffer[]): Buffer => bytesOf(Buffer.concat(parts));

/** Asks for a new session. */
export const connectRequest = (timeoutMs: number): Buffer =>
  framed(int(0), long0, int(timeoutMs), long0, bytesOf(Buffer.alloc(PASSWORD_BYTES)), Buffer.of(0));

const request = (xid: number, op: number, ...body: readonly Buffer[]): Buffer =>
  framed(int(xid), int(op), ...body);

/** A node that stays, and that everybody may change. */
export const createRequest = (xid: number, path: string, data: Buffer): Buffer =>
  request(
    xid,
    Op.create,
    ...[bytesOf(path), bytesOf(data)],
    ...[int(1), int(PERMS_ALL), bytesOf('world'), bytesOf('anyone'), int(0)],
  );

/** Changes a node if its version is as told. */
export const setDataRequest = (xid: number, path: string, data: Buffer, version: number): Buffer =>
  request(xid, Op.setData, bytesOf(path), bytesOf(data), int(version));

export const getDataRequest = (xid: number, path: string): Buffer =>
  request(xid, Op.getData, bytesOf(path), Buffer.of(0));

/** Its answer comes when this server has all that the leader had committed. */
export const syncRequest = (xid: number, path: string): Buffer =>
  request(xid, Op.sync, bytesOf(path));

export interface Reply {
  readonly xid: number;
  /** One of `Code`. */
  readonly code: number;
  readonly body: Buffer;
}

/** @throws {RangeError} for a frame that is too short. */
export function readReply(frame: Buffer): Reply {
  return { xid: frame.readInt32BE(0), code: frame.readInt32BE(12), body: frame.subarray(16) };
}

/** The session's agreed timeout; 0 when the server gave none. @throws {RangeError} */
export const readSessionTimeoutMs = (frame: Buffer): number => frame.readInt32BE(4);

/** The node's version at the end of an answer to `setData` or `getData`. @throws {RangeError} */
export const versionIn = (body: Buffer): number =>
  body.readInt32BE(body.length - STAT_BYTES + VERSION_IN_STAT);

/** Cuts a stream into frames; keeps what is not complete. */
export class FrameCutter {
  readonly #frameBytesMax: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** @throws {RangeError} for a length that cannot be. */
  push(chunk: Buffer): Buffer[] {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    while (bytes.length >= 4) {
      const length = bytes.readInt32BE(0);
      if (length < 0 || length > this.#frameBytesMax) {
        throw new RangeError(`a frame of ${length} bytes`);
      }
      if (bytes.length < 4 + length) break;
      frames.push(bytes.subarray(4, 4 + length));
      bytes = bytes.subarray(4 + length);
    }
    this.#rest = bytes;
    return frames;
  }
}
