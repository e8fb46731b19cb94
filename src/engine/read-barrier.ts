/**
 * Shares one ReadIndex proof among all reads that wait for it.
 *
 * A proof covers a read only when the proof was asked for after the read arrived. So reads gather
 * until the turn ends and no proof is under way; then one proof is asked for all of them, and those
 * that come later gather for the next. The busier, the cheaper each proof becomes.
 */
import type { LogIndex } from '../lib/brand.js';
import type { Clock } from '../lib/clock.js';
import { LogError, type LogFailureCode } from './errors.js';

export interface ReadBarrierOptions {
  readonly clock: Clock;
  /** Asks the core for a proof; answered by `proved` or `refused` with the same number. */
  readonly start: (read: number) => void;
  /** A proof that takes longer is given up: its reads fail, the next ones get a proof of their own. */
  readonly timeoutMs: number;
  /** Reads that may gather for one proof; more are refused as BUSY. */
  readonly waitingMax: number;
}

/** All reads that share one proof hold the same promise. */
interface Batch {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: LogError) => void;
  size: number;
}

export class ReadBarrier {
  readonly #options: ReadBarrierOptions;
  #gathering: Batch | null = null;
  #proving: { readonly read: number; readonly batch: Batch; readonly startedAtMs: number } | null =
    null;
  /** Proved, and waiting until this member has applied `index`. Oldest first, indexes rising. */
  #applying: { readonly index: LogIndex; readonly batch: Batch; readonly startedAtMs: number }[] =
    [];
  #nextRead = 1;
  #startScheduled = false;
  #freshAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReadBarrierOptions) {
    this.#options = options;
  }

  /** Local state holds every write acknowledged before this moment, on this member's clock. */
  get freshAtMs(): number {
    return this.#freshAtMs;
  }

  wait(): Promise<void> {
    this.#gathering ??= newBatch();
    if (this.#gathering.size >= this.#options.waitingMax) {
      return Promise.reject(new LogError('BUSY'));
    }
    this.#gathering.size += 1;
    this.#scheduleStart();
    return this.#gathering.promise;
  }

  proved(read: number, index: LogIndex, appliedIndex: LogIndex): void {
    const proving = this.#take(read);
    if (proving === null) return;
    if (appliedIndex >= index) this.#succeed(proving);
    else this.#applying.push({ index, batch: proving.batch, startedAtMs: proving.startedAtMs });
    this.#scheduleStart();
  }

  refused(read: number, why: 'not-leader' | 'busy'): void {
    const proving = this.#take(read);
    if (proving === null) return;
    proving.batch.reject(new LogError(why === 'busy' ? 'BUSY' : 'NOT_LEADER'));
    this.#scheduleStart();
  }

  applied(appliedIndex: LogIndex): void {
    while (this.#applying.length > 0) {
      const first = this.#applying[0];
      if (first === undefined || first.index > appliedIndex) return;
      this.#applying.shift();
      this.#succeed(first);
    }
  }

  expire(nowMs: number): void {
    const tooOld = nowMs - this.#options.timeoutMs;
    while (this.#applying[0] !== undefined && this.#applying[0].startedAtMs < tooOld) {
      this.#applying.shift()?.batch.reject(new LogError('READ_TIMEOUT'));
    }
    if (this.#proving !== null && this.#proving.startedAtMs < tooOld) {
      const { batch } = this.#proving;
      this.#proving = null;
      batch.reject(new LogError('READ_TIMEOUT'));
      this.#scheduleStart();
    }
  }

  failAll(code: LogFailureCode): void {
    const batches = [this.#gathering, this.#proving?.batch, ...this.#applying.map((a) => a.batch)];
    this.#gathering = null;
    this.#proving = null;
    this.#applying = [];
    for (const batch of batches) batch?.reject(new LogError(code));
  }

  #succeed({ batch, startedAtMs }: { readonly batch: Batch; readonly startedAtMs: number }): void {
    this.#freshAtMs = Math.max(this.#freshAtMs, startedAtMs);
    batch.resolve();
  }

  #take(read: number): { batch: Batch; startedAtMs: number } | null {
    if (this.#proving?.read !== read) return null; // Given up, or failed already.
    const proving = this.#proving;
    this.#proving = null;
    return proving;
  }

  #scheduleStart(): void {
    if (this.#gathering === null || this.#proving !== null || this.#startScheduled) return;
    this.#startScheduled = true;
    this.#options.clock.endOfTurn(() => {
      this.#startScheduled = false;
      if (this.#gathering === null || this.#proving !== null) return;
      const read = this.#nextRead;
      this.#nextRead += 1;
      this.#proving = { read, batch: this.#gathering, startedAtMs: this.#options.clock.nowMs() };
      this.#gathering = null;
      this.#options.start(read);
    });
  }
}

function newBatch(): Batch {
  let resolve: () => void = () => {};
  let reject: (error: LogError) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // A batch whose readers all left must not bring the process down.
  promise.catch(() => {});
  return { promise, resolve, reject, size: 0 };
}
