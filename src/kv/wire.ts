/**
 * Requests of the key-value store, as remoting commands: their codes are in `lib/codes.ts`, their
 * fields here. Values are bodies.
 */
import type { Request } from '../client/types.js';
import { KvCode } from '../lib/codes.js';
import type { RemotingCommand } from '../remoting/command.js';
import { encodePair, type KvPair, PairReader } from './state.js';

export type KvRequest =
  | { readonly kind: 'put'; readonly key: string; readonly value: Buffer }
  | { readonly kind: 'delete'; readonly key: string }
  | {
      readonly kind: 'cas';
      readonly key: string;
      readonly expected: Buffer | null;
      readonly value: Buffer;
    }
  /** `maxStalenessMs` null: linearizable. */
  | { readonly kind: 'get'; readonly key: string; readonly maxStalenessMs: number | null }
  | {
      readonly kind: 'range';
      readonly from: string;
      readonly to: string | null;
      readonly limit: number;
      readonly maxStalenessMs: number | null;
    };

export interface KvReply {
  /** `cas`: whether it was swapped; `delete`: whether it was there; else true. */
  readonly done: boolean;
  /** `get`: the value; null when the key is not there. */
  readonly value: Buffer | null;
  readonly pairs: readonly KvPair[];
  /** Of a read: it holds every write acknowledged longer ago than this. */
  readonly stalenessMs: number;
}

export const RANGE_LIMIT_MAX = 1_000;

/** What a request breaks: answered with code 1 and this message. */
export class KvRequestError extends Error {
  override readonly name = 'KvRequestError';
  readonly code = 'KV_REQUEST_INVALID';
}

export function encodeKvRequest(request: KvRequest): Request {
  switch (request.kind) {
    case 'put':
      return { code: KvCode.Put, extFields: { key: request.key }, body: request.value };
    case 'delete':
      return { code: KvCode.Delete, extFields: { key: request.key } };
    case 'cas': {
      const { expected, key, value } = request;
      const expectedBytes = expected === null ? -1 : expected.length;
      return {
        code: KvCode.CompareAndSwap,
        extFields: { key, expectedBytes },
        body: Buffer.concat([expected ?? Buffer.alloc(0), value]),
      };
    }
    case 'get':
      return { code: KvCode.Get, extFields: { key: request.key, ...staleness(request) } };
    case 'range': {
      const { from, limit, to } = request;
      return {
        code: KvCode.Range,
        extFields: { from, ...(to !== null && { to }), limit, ...staleness(request) },
      };
    }
  }
}

const staleness = ({ maxStalenessMs }: { readonly maxStalenessMs: number | null }) =>
  maxStalenessMs === null ? {} : { maxStalenessMs };

/** @throws {KvRequestError} naming the field. */
export function decodeKvRequest({ body, code, extFields }: RemotingCommand): KvRequest {
  const fields = extFields ?? {};
  const text = (name: string): string => {
    const value = fields[name];
    if (value === undefined || value === '')
      throw new KvRequestError(`the field ${name} is missing`);
    return value;
  };
  const integer = (name: string, min: number, max: number): number => {
    const value = Number(text(name));
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new KvRequestError(`${name}=${fields[name]}: must be an integer in [${min}, ${max}]`);
  };
  const maxStalenessMs = (): number | null =>
    fields['maxStalenessMs'] === undefined ? null : integer('maxStalenessMs', 0, 3_600_000);
  const value = body ?? Buffer.alloc(0);
  switch (code) {
    case KvCode.Put:
      return { kind: 'put', key: text('key'), value };
    case KvCode.Delete:
      return { kind: 'delete', key: text('key') };
    case KvCode.CompareAndSwap: {
      const length = integer('expectedBytes', -1, value.length);
      const at = Math.max(0, length);
      const expected = length < 0 ? null : value.subarray(0, at);
      return { kind: 'cas', key: text('key'), expected, value: value.subarray(at) };
    }
    case KvCode.Get:
      return { kind: 'get', key: text('key'), maxStalenessMs: maxStalenessMs() };
    case KvCode.Range:
      return {
        kind: 'range',
        from: fields['from'] ?? '',
        to: fields['to'] ?? null,
        limit: integer('limit', 1, RANGE_LIMIT_MAX),
        maxStalenessMs: maxStalenessMs(),
      };
    default:
      throw new KvRequestError(`request code ${code} is not one of the store’s`);
  }
}

/** The fields and body of a successful response. */
export function encodeKvReply(reply: KvReply): {
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  readonly body: Buffer | null;
} {
  const { done, pairs, stalenessMs, value } = reply;
  const fields = {
    done,
    found: value !== null,
    pairs: pairs.length,
    stalenessMs: Math.ceil(stalenessMs),
  };
  return { fields, body: pairs.length > 0 ? Buffer.concat(pairs.map(encodePair)) : value };
}

export function decodeKvReply({ body, extFields }: RemotingCommand): KvReply {
  const fields = extFields ?? {};
  const hasPairs = Number(fields['pairs'] ?? 0) > 0;
  return {
    done: fields['done'] === 'true',
    value: fields['found'] === 'true' ? (body ?? Buffer.alloc(0)) : null,
    pairs: hasPairs && body !== null ? new PairReader().push(body) : [],
    stalenessMs: Number(fields['stalenessMs'] ?? 0),
  };
}
