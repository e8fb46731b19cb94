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
  const found = new Set<number>();
  const damaged: number[] = [];
  const facts = factsOf(lines, word);
  for (const [text, hash] of facts) {
    const id = Number(text);
    found.add(id);
    if (hash !== hashOf(run, id)) damaged.push(id);
  }
  const missing = sent.filter(({ id }) => !found.has(id)).map(({ id }) => id);
  assert.deepEqual(missing, [], `acknowledged, but not ${word}`);
  assert.deepEqual(damaged, [], `${word}, but not as they were sent`);
  return { found: found.size, duplicates: facts.length - found.size };
}

/** Different messages so far, without a judgement. */
export function countFound(lines: readonly string[], word: 'read' | 'received'): number {
  return new Set(factsOf(lines, word).map(([id]) => id)).size;
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
