/**
 * Messages between the members of one controller group, as one-way remoting frames.
 *
 * The header is a constant per kind. The body is binary, big-endian:
 *
 *   u32 CRC32 of all that follows
 *   u32 hash of the group's name
 *   u64 sender's term
 *   u8  length, sender's id; u8 length, receiver's id
 *   ... the fields of the kind, integers as u64
 *
 * Members share their port with brokers, so anything may arrive here: checksum, group and receiver
 * must fit before a field is believed.
 */
import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { type LogIndex, logIndex, type Term, term } from '../lib/brand.js';
import { MemberCode } from '../lib/codes.js';
import {
  ConfigurationError,
  decodeConfiguration,
  encodeConfiguration,
} from '../raft/configuration.js';
import type {
  Configuration,
  Effect,
  Entry,
  MemberId,
  Message,
  SnapshotHead,
  VoteResult,
} from '../raft/types.js';
import { FLAG_ONEWAY, type RemotingCommand } from '../remoting/command.js';
import { FrameError } from '../remoting/errors.js';
import type { FrameWriter } from '../remoting/frame-writer.js';

/** The push that the core asks for; the entries come from the store. */
export type SendPush = Extract<Effect, { kind: 'send-push' }>;

const memberCodes: ReadonlySet<number> = new Set(Object.values(MemberCode));
export const isMemberCode = (code: number): boolean => memberCodes.has(code);

/** Position is the code on the wire: append only. */
const voteResults: readonly VoteResult[] = [
  'accept',
  'unknown-member',
  'log-behind',
  'expired-term',
  'already-voted',
  'already-has-leader',
  'term-not-ready',
  'term-below-log',
  'leader-alive',
];
const purposes = ['elect', 'ask', 'transfer'] as const;

const CRC_BYTES = 4;
const LONG_BYTES = 8;
const ENTRY_PREFIX_BYTES = LONG_BYTES + 4;
const PUSH_BYTES = 3 * LONG_BYTES + 4;
/** In an entry's length, of which 25 bits are used. */
const CONFIGURATION_BIT = 0x8000_0000;

interface KnownId {
  readonly id: MemberId;
  readonly bytes: Buffer;
}

export class MemberCodec {
  readonly #self: MemberId;
  readonly #groupHash: number;
  /** Ids and their bytes: our own, and those of the members that we wrote to. */
  readonly #ids: KnownId[] = [];

  /** @param options.self the member that sends with, and is addressed through, this codec */
  constructor(options: { readonly group: string; readonly self: MemberId }) {
    this.#self = options.self;
    this.#groupHash = crc32(options.group);
  }

  /** @throws {FrameError} FRAME_TOO_LARGE; nothing was added. */
  writePush(writer: FrameWriter, push: SendPush, entries: readonly Entry[]): void {
    this.writeMessage(writer, pushMessage(this.#self, push, entries));
  }

  /** @throws {FrameError} FRAME_TOO_LARGE; nothing was added. */
  writeMessage(writer: FrameWriter, message: Message): void {
    const from = this.#idBytes(message.from);
    const to = this.#idBytes(message.to);
    const bytes = 2 * 4 + LONG_BYTES + 2 + from.length + to.length + payloadBytes(message);
    const start = writer.reserve(0, headers[message.kind], bytes);
    const put = new Put(writer.buffer, start + CRC_BYTES);
    put.u32(this.#groupHash);
    put.u64(message.term);
    put.id(from);
    put.id(to);
    putPayload(put, message);
    assert.equal(put.at, start + bytes);
    const checked = writer.buffer.subarray(start + CRC_BYTES, start + bytes);
    writer.buffer.writeUInt32BE(crc32(checked), start);
  }

  #idBytes(id: MemberId): Buffer {
    for (const known of this.#ids) if (known.id === id) return known.bytes;
    const bytes = Buffer.from(id);
    assert(bytes.length < 256, 'a member id is at most 255 bytes long');
    this.#ids.push({ id, bytes });
    return bytes;
  }

  /**
   * Entry bodies are not copied: they stay in the buffer of the frame.
   *
   * @throws {FrameError} MEMBER_FRAME for anything that a member of this group did not send to us.
   */
  decode(command: RemotingCommand): Message {
    const { body } = command;
    if (body === null || body.length < CRC_BYTES) throw refused('no body');
    if (crc32(body.subarray(CRC_BYTES)) !== body.readUInt32BE(0)) throw refused('checksum');
    const take = new Take(body, CRC_BYTES);
    if (take.u32() !== this.#groupHash) throw refused('of another group');
    const senderTerm = term(take.u64());
    const from = take.id(this.#ids);
    const to = take.id(this.#ids);
    if (to !== this.#self) throw refused(`for ${JSON.stringify(to)}, not for ${this.#self}`);
    const message = takePayload(take, command.code, { from, to, term: senderTerm });
    if (take.at !== body.length) throw refused('bytes left over');
    return message;
  }
}

/** The message that a push effect with its entries makes. */
export function pushMessage(from: MemberId, push: SendPush, entries: readonly Entry[]): Message {
  const { to, prevIndex, prevTerm, commitIndex } = push;
  return { kind: 'push', from, to, term: push.term, prevIndex, prevTerm, commitIndex, entries };
}

const headerOf = (code: MemberCode): Buffer =>
  Buffer.from(
    `{"code":${code},"flag":${FLAG_ONEWAY},"language":"NODE_JS","opaque":0,"serializeTypeCurrentRPC":"JSON","version":0}`,
  );
const headers: Readonly<Record<Message['kind'], Buffer>> = {
  vote: headerOf(MemberCode.Vote),
  'vote-result': headerOf(MemberCode.VoteResult),
  heartbeat: headerOf(MemberCode.Heartbeat),
  'heartbeat-ack': headerOf(MemberCode.HeartbeatAck),
  push: headerOf(MemberCode.Push),
  'push-ack': headerOf(MemberCode.PushAck),
  'take-over': headerOf(MemberCode.TakeOver),
  snapshot: headerOf(MemberCode.Snapshot),
  'snapshot-ack': headerOf(MemberCode.SnapshotAck),
  'read-index': headerOf(MemberCode.ReadIndex),
  'read-index-result': headerOf(MemberCode.ReadIndexResult),
};

function payloadBytes(message: Message): number {
  switch (message.kind) {
    case 'vote':
      return 2 * LONG_BYTES + 1;
    case 'heartbeat':
    case 'snapshot-ack':
      return 2 * LONG_BYTES;
    case 'vote-result':
      return LONG_BYTES + 2;
    case 'take-over':
      return 0;
    case 'snapshot':
      return (
        4 * LONG_BYTES + 2 * 4 + configurationBytes(message.head).length + message.bytes.length
      );
    case 'heartbeat-ack':
    case 'read-index':
      return LONG_BYTES;
    case 'push': {
      let bytes = PUSH_BYTES;
      for (const { body } of message.entries) bytes += ENTRY_PREFIX_BYTES + body.length;
      return bytes;
    }
    case 'push-ack':
      return 1 + (message.result === 'matched' ? 1 : 2) * LONG_BYTES;
    case 'read-index-result':
      return LONG_BYTES + 1 + (message.index === null ? 0 : LONG_BYTES);
  }
}

function putPayload(put: Put, message: Message): void {
  switch (message.kind) {
    case 'vote':
      put.u64(message.lastIndex);
      put.u64(message.lastTerm);
      put.u8(purposes.indexOf(message.purpose));
      return;
    case 'vote-result':
      put.u64(message.votedTerm);
      put.u8(purposes.indexOf(message.purpose));
      put.u8(voteResults.indexOf(message.result));
      return;
    case 'take-over':
      return;
    case 'snapshot': {
      const configuration = configurationBytes(message.head);
      put.u64(message.head.index);
      put.u64(message.head.term);
      put.u64(message.totalBytes);
      put.u64(message.offset);
      put.u32(configuration.length);
      put.bytes(configuration);
      put.u32(message.bytes.length);
      put.bytes(message.bytes);
      return;
    }
    case 'snapshot-ack':
      put.u64(message.index);
      put.u64(message.received);
      return;
    case 'heartbeat':
      put.u64(message.commitIndex);
      put.u64(message.round);
      return;
    case 'heartbeat-ack':
      put.u64(message.round);
      return;
    case 'push':
      put.u64(message.prevIndex);
      put.u64(message.prevTerm);
      put.u64(message.commitIndex);
      put.u32(message.entries.length);
      putEntries(put, message.entries, message.prevIndex);
      return;
    case 'push-ack':
      put.u8(message.result === 'matched' ? 0 : 1);
      if (message.result === 'mismatch') put.u64(message.prevIndex);
      put.u64(message.index);
      return;
    case 'read-index':
      put.u64(message.read);
      return;
    case 'read-index-result':
      put.u64(message.read);
      put.u8(message.index === null ? 0 : 1);
      if (message.index !== null) put.u64(message.index);
      return;
  }
}

/** Indexes are not sent: they count on from `prevIndex`. */
function putEntries(put: Put, entries: readonly Entry[], prevIndex: LogIndex): void {
  let index: number = prevIndex;
  for (const entry of entries) {
    index += 1;
    assert(entry.index === index, 'pushed entries are contiguous');
    put.u64(entry.term);
    put.u32(
      entry.kind === 'configuration' ? entry.body.length + CONFIGURATION_BIT : entry.body.length,
    );
    put.bytes(entry.body);
  }
}

interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: Term;
}

/** What comes all the time is put together field by field, the envelope first: a spread costs twice as much. */
function takePayload(take: Take, code: number, envelope: Envelope): Message {
  const { from, to, term: sent } = envelope;
  switch (code) {
    case MemberCode.Vote: {
      const lastIndex = logIndex(take.u64());
      const lastTerm = term(take.u64());
      return { ...envelope, kind: 'vote', lastIndex, lastTerm, purpose: takePurpose(take) };
    }
    case MemberCode.VoteResult: {
      const votedTerm = term(take.u64());
      const purpose = takePurpose(take);
      const result = voteResults[take.u8()];
      if (result === undefined) throw refused('unknown vote result');
      return { ...envelope, kind: 'vote-result', votedTerm, purpose, result };
    }
    case MemberCode.TakeOver:
      return { ...envelope, kind: 'take-over' };
    case MemberCode.Snapshot: {
      const index = logIndex(take.u64());
      const headTerm = term(take.u64());
      const totalBytes = take.u64();
      const offset = take.u64();
      const configuration = takeConfiguration(take);
      const head = { index, term: headTerm, configuration };
      const bytes = take.bytes(take.u32());
      return { ...envelope, kind: 'snapshot', head, totalBytes, offset, bytes };
    }
    case MemberCode.SnapshotAck: {
      const index = logIndex(take.u64());
      return { ...envelope, kind: 'snapshot-ack', index, received: take.u64() };
    }
    case MemberCode.Heartbeat: {
      const commitIndex = logIndex(take.u64());
      return { from, to, term: sent, kind: 'heartbeat', commitIndex, round: take.u64() };
    }
    case MemberCode.HeartbeatAck:
      return { from, to, term: sent, kind: 'heartbeat-ack', round: take.u64() };
    case MemberCode.Push: {
      const prevIndex = logIndex(take.u64());
      const prevTerm = term(take.u64());
      const commitIndex = logIndex(take.u64());
      const entries = takeEntries(take, prevIndex);
      return { from, to, term: sent, kind: 'push', prevIndex, prevTerm, commitIndex, entries };
    }
    case MemberCode.PushAck: {
      if (take.flag()) {
        const prevIndex = logIndex(take.u64());
        const index = logIndex(take.u64());
        return { from, to, term: sent, kind: 'push-ack', result: 'mismatch', prevIndex, index };
      }
      const index = logIndex(take.u64());
      return { from, to, term: sent, kind: 'push-ack', result: 'matched', index };
    }
    case MemberCode.ReadIndex:
      return { ...envelope, kind: 'read-index', read: take.u64() };
    case MemberCode.ReadIndexResult: {
      const read = take.u64();
      const index = take.flag() ? logIndex(take.u64()) : null;
      return { ...envelope, kind: 'read-index-result', read, index };
    }
    default:
      throw refused(`code ${code}`);
  }
}

function takeEntries(take: Take, prevIndex: LogIndex): readonly Entry[] {
  const count = take.u32();
  if (count * ENTRY_PREFIX_BYTES > take.left)
    throw refused(`${count} entries in ${take.left} bytes`);
  const entries: Entry[] = [];
  for (let i = 1; i <= count; i += 1) {
    const entryTerm = term(take.u64());
    const length = take.u32();
    const isConfiguration = length >= CONFIGURATION_BIT;
    const body = take.bytes(isConfiguration ? length - CONFIGURATION_BIT : length);
    const kind = isConfiguration ? 'configuration' : 'data';
    if (isConfiguration) readConfiguration(body);
    entries.push({ term: entryTerm, index: logIndex(prevIndex + i), kind, body });
  }
  return entries;
}

function takePurpose(take: Take): (typeof purposes)[number] {
  const purpose = purposes[take.u8()];
  if (purpose === undefined) throw refused('unknown purpose of a vote');
  return purpose;
}

const takeConfiguration = (take: Take): Configuration => readConfiguration(take.bytes(take.u32()));

function readConfiguration(bytes: Uint8Array): Configuration {
  try {
    return decodeConfiguration(bytes);
  } catch (error) {
    if (error instanceof ConfigurationError) throw refused(error.message);
    throw error;
  }
}

/** A snapshot's parts carry the same head, one after another. */
function configurationBytes(head: SnapshotHead): Uint8Array {
  let bytes = encodedConfigurations.get(head.configuration);
  if (bytes === undefined) {
    bytes = encodeConfiguration(head.configuration);
    encodedConfigurations.set(head.configuration, bytes);
  }
  return bytes;
}
const encodedConfigurations = new WeakMap<Configuration, Uint8Array>();

const refused = (detail: string): FrameError => new FrameError('MEMBER_FRAME', detail);

const TWO_TO_32 = 0x1_0000_0000;
/** High halves of integers that a number holds exactly. */
const HIGH_MAX = 0x1f_ffff;

class Put {
  readonly #buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer;
    this.at = at;
  }

  u8(value: number): void {
    this.at = this.#buffer.writeUInt8(value, this.at);
  }

  u32(value: number): void {
    this.at = this.#buffer.writeUInt32BE(value, this.at);
  }

  u64(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0);
    this.u32(Math.floor(value / TWO_TO_32));
    this.u32(value % TWO_TO_32);
  }

  id(id: Buffer): void {
    this.u8(id.length);
    this.bytes(id);
  }

  bytes(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.at);
    this.at += bytes.length;
  }
}

/** Every read past the end is a `FrameError`. */
class Take {
  readonly #buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer;
    this.at = at;
  }

  get left(): number {
    return this.#buffer.length - this.at;
  }

  u8(): number {
    return this.#buffer.readUInt8(this.#advance(1));
  }

  u32(): number {
    return this.#buffer.readUInt32BE(this.#advance(4));
  }

  u64(): number {
    const high = this.u32();
    if (high > HIGH_MAX) throw refused('integer over 2^53');
    return high * TWO_TO_32 + this.u32();
  }

  flag(): boolean {
    const value = this.u8();
    if (value > 1) throw refused(`flag ${value}`);
    return value === 1;
  }

  /** @param known ids that need not be made anew */
  id(known: readonly KnownId[]): MemberId {
    const length = this.u8();
    const start = this.#advance(length);
    for (const { bytes, id } of known) if (this.#holds(start, length, bytes)) return id;
    return this.#buffer.toString('utf8', start, start + length);
  }

  #holds(start: number, length: number, bytes: Buffer): boolean {
    if (bytes.length !== length) return false;
    for (let i = 0; i < length; i += 1) if (this.#buffer[start + i] !== bytes[i]) return false;
    return true;
  }

  bytes(length: number): Buffer {
    const start = this.#advance(length);
    return this.#buffer.subarray(start, start + length);
  }

  #advance(bytes: number): number {
    const start = this.at;
    if (bytes > this.left) throw refused('cut short');
    this.at = start + bytes;
    return start;
  }
}
