/**
 * What the Java clients said, line by line, as facts: acknowledged, read, received. And the
 * judgement on them: nothing that was acknowledged may be missing or changed.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

export interface Acknowledged {
  readonly id: number;
  /** On the wall clock. */
  readonly atMs: number;
}

export interface Audit {
  /** Different messages that were found. */
  readonly found: number;
  /** Found once more, after a send whose answer was lost, or a fail-over of the consumer. */
  readonly duplicates: number;
}

/** As `peers/java/SendAndReceive.java` makes its bodies. */
const BODY_BYTES = 1024;
const SHOWN_MAX = 10;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** From the lines of a `send`. */
export function acknowledged(lines: readonly string[]): readonly Acknowledged[] {
  return factsOf(lines, 'acked').map(([id, atMs]) => ({ id: Number(id), atMs: Number(atMs) }));
}

/** Attempts of a `send` that were not acknowledged; their messages were sent again. */
export function failedAttempts(lines: readonly string[]): number {
  return factsOf(lines, 'failed').length;
}

/**
 * Compares what a `read` or a `consume` found with what a `send` was told.
 *
 * @throws AssertionError that names messages that are missing, or not as they were sent
 */
export function audit(
  run: string,
  sent: readonly Acknowledged[],
  lines: readonly string[],
  word: 'read' | 'received',
): Audit {
  const facts = factsOf(lines, word);
  const found = new Set(facts.map(([id]) => Number(id)));
  const missing = missingOf(sent, lines, word);
  assert.ok(missing.length === 0, `acknowledged, but not ${word}: ${show(missing)}`);
  const changed = facts
    .filter(([id, hash]) => hash !== hashOf(run, Number(id)))
    .map(([id]) => Number(id));
  assert.ok(changed.length === 0, `${word}, but not as they were sent: ${show(changed)}`);
  return { found: found.size, duplicates: facts.length - found.size };
}

/** What was acknowledged and is not there, or not yet. */
export function missingOf(
  sent: readonly Acknowledged[],
  lines: readonly string[],
  word: 'read' | 'received',
): readonly number[] {
  const found = new Set(factsOf(lines, word).map(([id]) => Number(id)));
  return sent.map(({ id }) => id).filter((id) => !found.has(id));
}

function factsOf(lines: readonly string[], word: string): readonly string[][] {
  return lines
    .filter((line) => line.startsWith(`${word} `))
    .map((line) => line.split(' ').slice(1));
}

function hashOf(run: string, id: number): string {
  let body = `${run}:${id}:`;
  while (body.length < BODY_BYTES) body += LETTERS[(body.length + id) % LETTERS.length];
  return createHash('sha1').update(body).digest('hex');
}

function show(ids: readonly number[]): string {
  const rest = ids.length - SHOWN_MAX;
  return `${ids.slice(0, SHOWN_MAX).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
