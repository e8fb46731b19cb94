/**
 * One line on stderr that says how far a long command is; nothing when nobody looks at a terminal.
 */
export class Progress {
  readonly #total: number;
  readonly #unit: string;
  readonly #startedMs = performance.now();
  #shownMs = performance.now();

  constructor(total: number, unit: string) {
    this.#total = total;
    this.#unit = unit;
  }

  /** @param note appended, for what else is worth knowing */
  at(done: number, note = ''): void {
    const now = performance.now();
    if (!process.stderr.isTTY || now - this.#shownMs < 200) return;
    this.#shownMs = now;
    const elapsedS = (now - this.#startedMs) / 1_000;
    const leftS = done === 0 ? 0 : (elapsedS / done) * (this.#total - done);
    const share = Math.floor((100 * done) / this.#total);
    process.stderr.write(
      `\r\x1b[K${share} % of ${this.#total} ${this.#unit}, ${Math.ceil(leftS)} s left ${note}`,
    );
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}
