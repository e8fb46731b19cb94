/**
 * Branded ids: a `MasterEpoch` cannot be passed where a `Term` is meant.
 *
 * The makers assert rather than report: ids are validated at the edge, so a bad one here is our bug.
 */

declare const brand: unique symbol;
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Raft term: counts elections among controllers. Never a broker's master epoch. */
export type Term = Brand<number, 'Term'>;
/** Position in the replicated log. The first entry is 1; 0 means "before the log". */
export type LogIndex = Brand<number, 'LogIndex'>;

export const logIndex = (value: number): LogIndex => counter(value) as LogIndex;
export const term = (value: number): Term => counter(value) as Term;

function counter(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`not a counter: ${value}`);
  return value;
}
