/**
 * What was acknowledged stays in the log for good.
 *
 * Why: it is the promise that clients live by. It holds as far as the durability mode promises it:
 * under `group` and `each` whatever fails within the fault model, under `background` as long as page
 * caches survive. An acknowledgement sent before the write was durable shows here.
 */
import { Violation } from './violation.js';

export class NoAcknowledgedLoss {
  /** Chain of the log up to each acknowledged index. */
  readonly #acknowledged = new Map<number, number>();
  #max = 0;

  get max(): number {
    return this.#max;
  }

  acknowledged(index: number, chain: number | null): void {
    if (chain === null) {
      throw new Violation(
        'no-acknowledged-loss',
        `entry ${index} was acknowledged before anybody had applied it`,
      );
    }
    this.#acknowledged.set(index, chain);
    this.#max = Math.max(this.#max, index);
  }

  /** @param chainAt of the log that the group ended with. */
  atEnd(chainAt: (index: number) => number | null): void {
    for (const [index, chain] of this.#acknowledged) {
      if (chainAt(index) === chain) continue;
      throw new Violation(
        'no-acknowledged-loss',
        `entry ${index} was acknowledged, and the log ended without it`,
      );
    }
  }
}
