/**
 * One frame to one command and back, with either header serialisation.
 *
 * Decoding tries `JSON.parse` first and accepts its answer only when every field has the type it
 * should have; anything else goes to the lenient reader, which tolerates what Java does.
 *
 * @source rocketmq RemotingCommand, RocketMQSerializable, RemotingSerializable (5.4.0)
 */
import type { RemotingCommand } from './command.js';
import { FrameError } from './errors.js';
import {
  FrameWriter,
  type Identity,
  type RequestFrame,
  type ResponseFrame,
} from './frame-writer.js';
import type { HeaderMemo } from './header-memo.js';
import { parseJavaInt } from './java-numbers.js';
import { defaultLanguage, languageAt, languageCode, languageNamed } from './languages.js';
import { type Json, LenientJsonError, parseLenientJson } from './lenient-json.js';

const TYPE_JSON = 0;
const TYPE_BINARY = 1;
const INT_MIN = -0x8000_0000;
const INT_MAX = 0x7fff_ffff;

/**
 * Decodes the frame at [start, end) of `bytes`, after its length word. The body is not copied.
 *
 * @param memo of the sender's headers; commands decoded with it may share their `extFields`
 * @throws {FrameError} for every input that is not a command.
 */
export function decodeCommand(
  bytes: Buffer,
  start = 0,
  end = bytes.length,
  memo: HeaderMemo | null = null,
): RemotingCommand {
  const headerStart = start + 4;
  if (headerStart > end) throw new FrameError('FRAME_TOO_SHORT', `${end - start} bytes`);
  const type = bytes.readUInt8(start);
  const headerBytes = bytes.readUIntBE(start + 1, 3);
  const headerEnd = headerStart + headerBytes;
  if (headerEnd > end) {
    const detail = `header of ${headerBytes} bytes, ${end - headerStart} left`;
    throw new FrameError('HEADER_LENGTH', detail);
  }
  const body = headerEnd === end ? null : bytes.subarray(headerEnd, end);
  if (type === TYPE_JSON) {
    const known = memo?.recall(bytes, headerStart, headerEnd, body) ?? null;
    if (known !== null) return known;
    const command = jsonHeader(bytes.toString('utf8', headerStart, headerEnd), body);
    memo?.remember(command, bytes, headerStart, headerEnd);
    return command;
  }
  if (type === TYPE_BINARY) return binaryHeader(bytes, headerStart, headerEnd, body);
  throw new FrameError('SERIALIZE_TYPE', `${type}`);
}

/** One request as a frame with a JSON header. */
export function encodeRequest(frame: RequestFrame, identity: Identity): Buffer {
  const writer = new FrameWriter(identity);
  writer.request(frame);
  return writer.bytes();
}

/** One response as a frame with a JSON header. */
export function encodeResponse(frame: ResponseFrame, identity: Identity): Buffer {
  const writer = new FrameWriter(identity);
  writer.response(frame);
  return writer.bytes();
}

/** One command as a frame with a binary header, which members never send but must understand. */
export function encodeBinary(command: RemotingCommand): Buffer {
  const remark = Buffer.from(command.remark ?? '');
  const fields: Buffer[] = [];
  for (const [key, value] of Object.entries(command.extFields ?? {})) {
    const keyBytes = Buffer.from(key);
    const valueBytes = Buffer.from(value);
    const lengths = Buffer.alloc(6);
    lengths.writeInt16BE(keyBytes.length, 0);
    lengths.writeInt32BE(valueBytes.length, 2);
    fields.push(lengths.subarray(0, 2), keyBytes, lengths.subarray(2), valueBytes);
  }
  const extFields = Buffer.concat(fields);
  const fixed = Buffer.alloc(21);
  fixed.writeInt16BE(command.code, 0);
  fixed.writeUInt8(languageCode(command.language), 2);
  fixed.writeInt16BE(command.version, 3);
  fixed.writeInt32BE(command.opaque, 5);
  fixed.writeInt32BE(command.flag, 9);
  fixed.writeInt32BE(remark.length, 13);
  fixed.writeInt32BE(extFields.length, 17);
  const header = Buffer.concat([fixed.subarray(0, 17), remark, fixed.subarray(17), extFields]);
  const body = command.body ?? Buffer.alloc(0);
  const writer = new FrameWriter();
  const bodyStart = writer.reserve(TYPE_BINARY, header, body.length);
  writer.buffer.set(body, bodyStart);
  return writer.bytes();
}

function jsonHeader(text: string, body: Buffer | null): RemotingCommand {
  let parsed: StrictHeader | null;
  try {
    parsed = JSON.parse(text) as StrictHeader | null;
  } catch {
    return lenientHeader(text, body);
  }
  if (typeof parsed !== 'object' || parsed === null) return lenientHeader(text, body);
  const { code = 0, flag = 0, opaque = 0, version = 0, remark = null, extFields = null } = parsed;
  const isStrict =
    isInt(code) &&
    isInt(flag) &&
    isInt(opaque) &&
    isInt(version) &&
    (remark === null || typeof remark === 'string') &&
    (parsed.language === undefined || typeof parsed.language === 'string') &&
    (extFields === null || hasOnlyStrings(extFields)) &&
    !Array.isArray(parsed);
  if (!isStrict) return lenientHeader(text, body);
  const language = parsed.language === undefined ? defaultLanguage : languageNamed(parsed.language);
  return { code, language, version, opaque, flag, remark, extFields, body };
}

/** What a header claims to be; each field is checked before it is believed. */
interface StrictHeader {
  readonly code?: number;
  readonly flag?: number;
  readonly opaque?: number;
  readonly version?: number;
  readonly language?: string;
  readonly remark?: string | null;
  readonly extFields?: Readonly<Record<string, string>> | null;
}

function isInt(value: unknown): value is number {
  return (
    typeof value === 'number' && Number.isInteger(value) && value >= INT_MIN && value <= INT_MAX
  );
}

function hasOnlyStrings(fields: unknown): boolean {
  if (typeof fields !== 'object' || Array.isArray(fields)) return false;
  const record = fields as Readonly<Record<string, unknown>>;
  for (const name in record) if (typeof record[name] !== 'string') return false;
  return true;
}

function lenientHeader(text: string, body: Buffer | null): RemotingCommand {
  let header: Json;
  try {
    header = parseLenientJson(text, { numbers: 'text' });
  } catch (error) {
    if (error instanceof LenientJsonError) throw new FrameError('HEADER_JSON', error.message);
    throw error;
  }
  if (!isObject(header)) throw new FrameError('HEADER_JSON', 'not an object');
  const fields = header;
  const own = (name: string): Json | undefined =>
    Object.hasOwn(fields, name) ? fields[name] : undefined;
  return {
    code: lenientInt('code', own('code')),
    language: lenientLanguage(own('language')),
    version: lenientInt('version', own('version')),
    opaque: lenientInt('opaque', own('opaque')),
    flag: lenientInt('flag', own('flag')),
    remark: lenientText('remark', own('remark')),
    extFields: lenientFields(own('extFields')),
    body,
  };
}

function lenientInt(name: string, value: Json | undefined): number {
  if (value === undefined || value === null) return 0;
  const integer = typeof value === 'string' ? parseJavaInt(value) : null;
  if (integer === null) throw new FrameError('HEADER_JSON', `${name} is not an int32`);
  return integer;
}

function lenientText(name: string, value: Json | undefined): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  throw new FrameError('HEADER_JSON', `${name} is neither text, number nor boolean`);
}

/** An ordinal is accepted for a name. */
function lenientLanguage(value: Json | undefined): string | null {
  if (value === undefined) return defaultLanguage;
  const name = lenientText('language', value);
  if (name === null) return null;
  const ordinal = parseJavaInt(name);
  return ordinal === null ? languageNamed(name) : languageAt(ordinal);
}

function lenientFields(value: Json | undefined): Readonly<Record<string, string>> | null {
  if (value === undefined || value === null) return null;
  if (!isObject(value)) throw new FrameError('HEADER_JSON', 'extFields is not an object');
  const texts = Object.entries(value).flatMap(([name, field]) => {
    const text = lenientText(`extFields.${name}`, field);
    return text === null ? [] : [[name, text] as const];
  });
  return Object.fromEntries(texts);
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Fixed part: code, language, version, opaque, flag and the two lengths. */
const BINARY_HEADER_BYTES_MIN = 21;

function binaryHeader(
  bytes: Buffer,
  start: number,
  end: number,
  body: Buffer | null,
): RemotingCommand {
  if (end - start < BINARY_HEADER_BYTES_MIN) {
    throw new FrameError('HEADER_BINARY', `${end - start} bytes`);
  }
  const remarkBytes = bytes.readInt32BE(start + 13);
  const remarkStart = start + 17;
  if (remarkBytes < 0 || remarkStart + remarkBytes + 4 > end) {
    throw new FrameError('HEADER_BINARY', `remark of ${remarkBytes} bytes`);
  }
  const remarkEnd = remarkStart + remarkBytes;
  const fieldsBytes = bytes.readInt32BE(remarkEnd);
  const fieldsStart = remarkEnd + 4;
  if (fieldsBytes < 0 || fieldsStart + fieldsBytes > end) {
    throw new FrameError('HEADER_BINARY', `extFields of ${fieldsBytes} bytes`);
  }
  return {
    code: bytes.readInt16BE(start),
    language: languageAt(bytes.readUInt8(start + 2)),
    version: bytes.readInt16BE(start + 3),
    opaque: bytes.readInt32BE(start + 5),
    flag: bytes.readInt32BE(start + 9),
    remark: remarkBytes === 0 ? null : bytes.toString('utf8', remarkStart, remarkEnd),
    extFields:
      fieldsBytes === 0 ? null : binaryFields(bytes, fieldsStart, fieldsStart + fieldsBytes),
    body,
  };
}

/** A zero-length key or value reads as null upstream, which its maps then treat as absent. */
function binaryFields(bytes: Buffer, start: number, end: number): Readonly<Record<string, string>> {
  const fields: [string, string][] = [];
  let at = start;
  while (at < end) {
    const keyEnd = at + 2 + (at + 2 <= end ? bytes.readInt16BE(at) : end);
    const valueStart = keyEnd + 4;
    if (keyEnd < at + 2 || valueStart > end) {
      throw new FrameError('HEADER_BINARY', `extFields key at byte ${at - start}`);
    }
    const valueBytes = bytes.readInt32BE(keyEnd);
    if (valueBytes < 0 || valueStart + valueBytes > end) {
      throw new FrameError('HEADER_BINARY', `extFields value at byte ${keyEnd - start}`);
    }
    const valueEnd = valueStart + valueBytes;
    const key = bytes.toString('utf8', at + 2, keyEnd);
    if (key !== '' && valueBytes > 0) {
      fields.push([key, bytes.toString('utf8', valueStart, valueEnd)]);
    }
    at = valueEnd;
  }
  return Object.fromEntries(fields);
}
