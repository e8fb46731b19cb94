/**
 * Members that have applied equally much have equal states, byte for byte.
 *
 * Why: a state machine that looks at its own clock, at liveness, or at the order of a map drifts
 * apart while every log agrees. It shows at the first entry after which two members differ.
 */
import { Violation } from './violation.js';

export class AppliedEqual {
  readonly #states = new Map<number, { readonly hash: number; readonly by: string }>();

  applied(member: string, index: number, state: Uint8Array): void {
    let hash = 17;
    for (let i = 0; i < state.length; i += 1) {
      hash = Math.imul(hash ^ (state[i] as number), 0x01000193) >>> 0;
    }
    const known = this.#states.get(index);
    if (known === undefined) this.#states.set(index, { hash, by: member });
    else if (known.hash !== hash) {
      throw new Violation(
        'applied-equal',
        `after entry ${index} ${member} and ${known.by} have different states`,
      );
    }
  }
}
