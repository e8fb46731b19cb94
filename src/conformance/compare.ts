/**
 * Field by field: is what we answered what upstream answered, and if not, is it known why? Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import { RequestCode } from '../lib/codes.js';
import type { Deviation, Pair } from './deviation.js';
import { type Ask, type AwaitPush, isReply, type Outcome } from './exchange.js';

export type Comparison =
  | { readonly result: 'equal' }
  /** By these, together. */
  | { readonly result: 'explained'; readonly by: readonly string[] }
  /** One line for each field that differs still. */
  | { readonly result: 'unexplained'; readonly differences: readonly string[] };

/** As a step that asks: a push answers nobody. */
const PUSH: Ask = { do: 'ask', request: { code: RequestCode.NotifyBrokerRoleChanged } };

export function compare(
  step: Ask | AwaitPush,
  pair: Pair,
  known: readonly Deviation[],
): Comparison {
  if (differencesOf(pair).length === 0) return { result: 'equal' };
  const by: string[] = [];
  let left = pair;
  for (const { id, takenAway } of known) {
    const next = takenAway(left, step.do === 'ask' ? step : PUSH);
    if (isDeepStrictEqual(next, left)) continue;
    by.push(id);
    left = next;
    if (differencesOf(left).length === 0) return { result: 'explained', by };
  }
  return { result: 'unexplained', differences: differencesOf(left) };
}

function differencesOf({ ours, upstream }: Pair): string[] {
  if (!isReply(upstream) || !isReply(ours)) {
    return ours === upstream ? [] : [difference('outcome', upstream, ours)];
  }
  return (['code', 'remark', 'extFields', 'body'] as const).flatMap((field) => {
    const [there, here] = [upstream, ours].map((reply) =>
      field === 'body' ? bodyOf(reply) : reply[field],
    );
    return isDeepStrictEqual(there, here) ? [] : [difference(field, there, here)];
  });
}

/** What a body says as JSON; the order of an object's keys says nothing. */
function bodyOf(outcome: Outcome): unknown {
  if (!isReply(outcome) || outcome.body === null) return null;
  try {
    return { json: JSON.parse(outcome.body) as unknown };
  } catch {
    return { text: outcome.body };
  }
}

function difference(field: string, upstream: unknown, ours: unknown): string {
  return `${field}: upstream ${shown(upstream, ours)}, ours ${shown(ours, upstream)}`;
}

/** Of a list of properties only what the other side does not have. */
function shown(value: unknown, other: unknown): string {
  if (!isLines(value) || !isLines(other)) return JSON.stringify(value);
  const known = new Set(other.text.split('\n'));
  return JSON.stringify(value.text.split('\n').filter((line) => !known.has(line)));
}

const isLines = (value: unknown): value is { readonly text: string } =>
  typeof value === 'object' && value !== null && 'text' in value;
