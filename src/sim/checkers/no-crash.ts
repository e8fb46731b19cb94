/**
 * Nothing ends a run but its end: an error that nobody expected is a bug, whoever threw it.
 *
 * Why: assertions of the shipped code are checkers too, and the cheapest. In a process they would end one
 * member, which the others outlive; so a bug that stops members one by one could hide behind a group that
 * still serves.
 */
import { Violation } from './violation.js';

export interface Found {
  readonly checker: string;
  readonly what: string;
}

/** What ended a run: what a checker found, or else a crash. */
export function foundBy(error: unknown): Found {
  if (error instanceof Violation) return { checker: error.checker, what: error.message };
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { checker: 'no-crash', what };
}
