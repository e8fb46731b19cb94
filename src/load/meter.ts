/**
 * Keeps the score of one window at a time: outcomes go into the recorder, intervals to the main thread.
 *
 * A success that comes after the window has ended is in the histograms, since leaving out the slowest
 * would flatter the controller, but it does not count as answered within the window.
 */
import type { ClientFailureCode } from '../client/errors.js';
import type { Cancel, Clock } from '../lib/clock.js';
import { ResponseCode } from '../lib/codes.js';
import { Recorder, type RecorderTotals } from '../measure/recorder.js';
import { entryNamed } from './catalog.js';
import type { Flight, Outcomes } from './driver.js';
import type { FromWorker, MeteredPhase } from './messages.js';
import type { Operation } from './operations.js';
import type { AcknowledgedMarks } from './recovery.js';

export interface Window {
  /** Flights of other windows are not counted. */
  readonly number: number;
  readonly phase: MeteredPhase;
  readonly startMs: number;
  readonly endMs: number;
  readonly intervalMs: number;
  /** Requests that were due since the start of the window. */
  readonly asked: () => number;
}

const US_PER_MS = 1_000;

export class Meter implements Outcomes {
  readonly #recorder: Recorder;
  readonly #clock: Clock;
  readonly #post: (message: FromWorker) => void;
  readonly #okAfterWindow = new Map<string, number>();
  #window: Window | null = null;
  #number = -1;
  #startMs = 0;
  #intervalFromMs = 0;
  #askedBefore = 0;
  #cancelInterval: Cancel | undefined;
  #acknowledged: AcknowledgedMarks = new Uint8Array(0);

  constructor(options: {
    readonly operations: readonly string[];
    readonly clock: Clock;
    readonly post: (message: FromWorker) => void;
  }) {
    this.#recorder = new Recorder(options.operations);
    this.#clock = options.clock;
    this.#post = options.post;
  }

  /** Forgets what came before, and counts from now on. */
  open(window: Window): void {
    const { number, startMs, endMs } = window;
    this.#recorder.reset();
    this.#okAfterWindow.clear();
    this.#window = window;
    this.#number = number;
    this.#startMs = startMs;
    this.#intervalFromMs = startMs;
    this.#askedBefore = 0;
    this.#acknowledged = new Uint8Array(Math.round(endMs - startMs));
    this.#scheduleInterval();
  }

  /**
   * The window ends now. Answers still to come count as late.
   *
   * @returns how long it was: a timer ends it, so it is seldom exactly as long as planned.
   */
  close(): number {
    const nowMs = this.#clock.nowMs();
    this.#cancelInterval?.();
    if (nowMs > this.#intervalFromMs) this.#takeInterval(nowMs);
    this.#window = null;
    return Math.max(0, nowMs - this.#startMs);
  }

  answered(flight: Flight, nowMs: number, code: number): void {
    if (flight.window !== this.#number || flight.operation === null) return;
    const { name } = flight.operation;
    if (code !== ResponseCode.Success) {
      this.#recorder.recordRejected(name, code);
      return;
    }
    this.#ok(name, nowMs, nowMs - flight.intendedMs, nowMs - flight.sentMs);
  }

  failed(flight: Flight, why: ClientFailureCode): void {
    if (flight.window !== this.#number || flight.operation === null) return;
    this.#recorder.recordFailed(flight.operation.name, why);
  }

  /** An arrival that could not even be aimed: every broker set was busy. */
  shed(operation: Operation): void {
    this.#recorder.recordFailed(operation.name, 'SHED');
  }

  /** A call of a simulated broker, which is due when it is sent. */
  callAnswered(name: string, sentMs: number, nowMs: number, code: number): void {
    if (code === ResponseCode.Success) this.#ok(name, nowMs, nowMs - sentMs, nowMs - sentMs);
    else this.#recorder.recordRejected(name, code);
  }

  callFailed(name: string, why: ClientFailureCode): void {
    this.#recorder.recordFailed(name, why);
  }

  late(latenessMs: number): void {
    this.#recorder.recordLateness(latenessMs * US_PER_MS);
  }

  result(): {
    readonly totals: RecorderTotals;
    readonly okAfterWindow: Readonly<Record<string, number>>;
  } {
    const okAfterWindow = Object.fromEntries(this.#okAfterWindow);
    return { totals: this.#recorder.totals(), okAfterWindow };
  }

  /** One mark a millisecond of the window in which a write was acknowledged. */
  get acknowledged(): AcknowledgedMarks {
    return this.#acknowledged;
  }

  destroy(): void {
    this.#cancelInterval?.();
    this.#recorder.destroy();
  }

  #ok(name: string, nowMs: number, responseMs: number, serviceMs: number): void {
    this.#recorder.recordOk(name, responseMs * US_PER_MS, serviceMs * US_PER_MS);
    if (this.#window === null) {
      this.#okAfterWindow.set(name, (this.#okAfterWindow.get(name) ?? 0) + 1);
    } else if (entryNamed(name).kind === 'write') {
      this.#acknowledged[Math.floor(nowMs - this.#startMs)] = 1;
    }
  }

  #scheduleInterval(): void {
    const { intervalMs, endMs } = this.#window ?? {};
    if (intervalMs === undefined || endMs === undefined) return;
    const dueMs = this.#intervalFromMs + intervalMs;
    if (dueMs >= endMs) return; // The last one is taken when the window closes.
    this.#cancelInterval = this.#clock.after(Math.max(0, dueMs - this.#clock.nowMs()), () => {
      this.#takeInterval(dueMs);
      this.#scheduleInterval();
    });
  }

  /** Bounds are the planned ones, so that the intervals of all workers fall together. */
  #takeInterval(untilMs: number): void {
    const window = this.#window;
    if (window === null) return;
    const startMs = Math.round(this.#intervalFromMs - window.startMs);
    const interval = this.#recorder.takeInterval(startMs, untilMs - this.#intervalFromMs);
    const asked = window.asked();
    const { phase } = window;
    this.#post({ kind: 'interval', phase, asked: asked - this.#askedBefore, interval });
    this.#askedBefore = asked;
    this.#intervalFromMs = untilMs;
  }
}
