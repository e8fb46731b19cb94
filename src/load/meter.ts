/**
 * Keeps the score of a window: outcomes into the recorder, intervals and progress to the main thread.
 *
 * A success that comes after the window ended is in the histograms, since leaving out the slowest
 * would flatter the controller, but not in the number answered within the window.
 */
import type { ClientFailureCode } from '../client/errors.js';
import type { Cancel, Clock } from '../lib/clock.js';
import { ResponseCode } from '../lib/codes.js';
import type { Recorder } from '../measure/recorder.js';
import { entryNamed } from './catalog.js';
import type { Flight, Outcomes } from './driver.js';
import type { FromWorker, Phase, ProgressMessage, WorkerOperation } from './messages.js';
import type { Operation } from './operations.js';

export type OutcomeRecorder = Recorder;

export interface WindowSpec {
  /** Flights of other windows are not counted. */
  readonly window: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly phase: Phase;
  /** Requests that were due so far. */
  readonly asked: () => number;
  /** Length of the intervals; null when nobody wants them. */
  readonly intervalMs: number | null;
}
