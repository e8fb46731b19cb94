/**
 * How far a long command is, on stderr: one line that changes on a terminal, a new line each minute
 * anywhere else.
 */
const TERMINAL_EVERY_MS = 200;
const LOG_EVERY_MS = 60_000;

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
    const { isTTY } = process.stderr;
    if (now - this.#shownMs < (isTTY ? TERMINAL_EVERY_MS : LOG_EVERY_MS)) return;
    this.#shownMs = now;
    const elapsedS = (now - this.#startedMs) / 1_000;
    const leftS = done === 0 ? 0 : (elapsedS / done) * (this.#total - done);
    const share = Math.floor((100 * done) / this.#total);
    const line = `${share} % of ${this.#total} ${this.#unit}, ${Math.ceil(leftS)} s left ${note}`;
    process.stderr.write(isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}
