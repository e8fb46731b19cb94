/**
 * The environment of a run, shown as it was written: its shape belongs to whoever measured it.
 *
 * Read defensively, because a report may be redone from the files of another version.
 */

import { megabytes } from './format.js';

export type Environment = Readonly<Record<string, unknown>>;

export interface EnvironmentFact {
  /** `cpu.model`. */
  readonly path: string;
  readonly value: string;
}

const FACTS_MAX = 200;
const VALUE_LENGTH_MAX = 200;
const DEPTH_MAX = 5;

/** All leaves, in the order they were written; at most {@link FACTS_MAX}. */
export function environmentFacts(environment: Environment): EnvironmentFact[] {
  return leaves(environment, [], 0).slice(0, FACTS_MAX);
}

function leaves(value: unknown, path: readonly string[], depth: number): EnvironmentFact[] {
  if (value === null || value === undefined || value === '') return [];
  if (typeof value !== 'object') return [{ path: path.join('.'), value: leaf(value, path) }];
  const entries = Object.entries(value);
  const isList = Array.isArray(value) && value.every((each) => typeof each !== 'object');
  if (isList)
    return [{ path: path.join('.'), value: short(value.map((each) => leaf(each, [])).join(', ')) }];
  if (depth >= DEPTH_MAX) return [{ path: path.join('.'), value: short(JSON.stringify(value)) }];
  return entries.flatMap(([key, inner]) => leaves(inner, [...path, key], depth + 1));
}

/** Bytes by their name are shown in a unit that can be read. */
function leaf(value: unknown, path: readonly string[]): string {
  const isBytes = typeof value === 'number' && /bytes$/i.test(path.at(-1) ?? '');
  if (isBytes) return megabytes(value);
  const isFraction = typeof value === 'number' && !Number.isInteger(value);
  return isFraction ? String(Number(value.toPrecision(4))) : short(String(value));
}

const short = (text: string): string =>
  text.length <= VALUE_LENGTH_MAX ? text : `${text.slice(0, VALUE_LENGTH_MAX - 1)}…`;

/** The first fact whose path matches, for the line of run facts. */
export function findFact(facts: readonly EnvironmentFact[], path: RegExp): string | undefined {
  return facts.find((fact) => path.test(fact.path) && fact.value !== '')?.value;
}
