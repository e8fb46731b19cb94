/** Linearizability by trying every order: slow, and too simple to be wrong. For comparing with. */
import type { Call, Model } from './linearizability.js';

export function isLinearizableByForce<State extends string | number, Input, Output>(
  calls: readonly Call<Input, Output>[],
  { byItself, initial, step }: Model<State, Input, Output>,
): boolean {
  /** Whether these calls can be explained from this state, in any order that time allows. */
  const explains = (state: State, left: readonly Call<Input, Output>[]): boolean => {
    if (left.every(({ returnedAt }) => returnedAt === Number.POSITIVE_INFINITY)) return true;
    const firstReturn = Math.min(...left.map(({ returnedAt }) => returnedAt));
    for (const call of left) {
      if (call.calledAt > firstReturn) continue; // Another one had ended before it was called.
      const rest = left.filter((other) => other !== call);
      for (const from of reachable(state, call)) {
        const after = step(from, call);
        if (after !== null && explains(after, rest)) return true;
      }
    }
    return false;
  };
  const reachable = (state: State, call: Call<Input, Output>): readonly State[] => {
    const found = new Set([state]);
    for (const known of found) for (const next of byItself?.(known, call) ?? []) found.add(next);
    return [...found];
  };
  return explains(initial, calls);
}
