/**
 * One key of a key-value store, as its clients see it. The state is the value; -1: not there.
 *
 * Why: a register with compare-and-set is the object with which linearizability is checked best: every
 * write can be told from every other, and a lost, doubled or late one shows in a later answer.
 */
import type { Call, Model } from './linearizability.js';

export interface KvCallInput {
  readonly kind: 'put' | 'get' | 'cas' | 'delete';
  readonly value: number | null;
  readonly expected: number | null;
}

export interface KvCallOutput {
  readonly done: boolean;
  readonly value: number | null;
}

const ABSENT = -1;

export const kvModel: Model<number, KvCallInput, KvCallOutput> = {
  initial: ABSENT,
  step(state: number, { input, output }: Call<KvCallInput, KvCallOutput>): number | null {
    switch (input.kind) {
      case 'get':
        return output === null || (output.value ?? ABSENT) === state ? state : null;
      case 'put':
        return input.value ?? ABSENT;
      case 'delete': {
        const wasThere = state !== ABSENT;
        return output === null || output.done === wasThere ? ABSENT : null;
      }
      case 'cas': {
        const isSame = (input.expected ?? ABSENT) === state;
        if (output !== null && output.done !== isSame) return null;
        return isSame ? (input.value ?? ABSENT) : state;
      }
    }
  },
  isObserver: ({ input, output }) =>
    input.kind === 'get' || (input.kind === 'cas' && output?.done === false),
};
