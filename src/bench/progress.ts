/**
 * What a bench says while it runs: one living line on a terminal, plain lines elsewhere.
 */
import pc from 'picocolors';

export interface ProgressState {
  /** `trial 3 of 24 · optimized · isr-churn · round 1`. */
  readonly where: string;
  readonly phase: string;
  /** Requests per second; null where the phase has none. */
  readonly asked: number | null;
  readonly achieved: number | null;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  readonly errors: number;
}

export interface Progress {
  update(state: ProgressState): void;
  /** A line that stays. */
  note(text: string): void;
  stop(): void;
}

/** Elsewhere than on a terminal, one line in so many milliseconds is enough. */
const PLAIN_PERIOD_MS = 2_000;
const REDRAW_PERIOD_MS = 100;

export function createProgress(out: NodeJS.WriteStream, nowMs: () => number): Progress {
  const startedAtMs = nowMs();
  const isTerminal = out.isTTY === true;
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  let isLineOpen = false;

  const clear = (): void => {
    if (isLineOpen) out.write('\r\u001b[2K');
    isLineOpen = false;
  };

  return {
    update(state) {
      const now = nowMs();
      if (now - drawnAtMs < (isTerminal ? REDRAW_PERIOD_MS : PLAIN_PERIOD_MS)) return;
      drawnAtMs = now;
      const line = progressLine(state, now - startedAtMs);
      if (isTerminal) {
        clear();
        out.write(pc.dim(line.slice(0, (out.columns ?? 80) - 1)));
        isLineOpen = true;
      } else {
        out.write(`${line}\n`);
      }
    },
    note(text) {
      clear();
      out.write(`${text}\n`);
    },
    stop: clear,
  };
}

/** At most 80 columns for the usual names. */
export function progressLine(state: ProgressState, elapsedMs: number): string {
  const seconds = Math.round(elapsedMs / 1_000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  const parts = [`${clock} ${state.where}`, state.phase];
  if (state.achieved !== null) {
    const asked = state.asked === null ? '' : ` of ${thousands(state.asked)}`;
    parts.push(`${thousands(state.achieved)}${asked}/s`);
  }
  if (state.p50Us !== null && state.p99Us !== null) {
    parts.push(`p50 ${milliseconds(state.p50Us)} p99 ${milliseconds(state.p99Us)} ms`);
  }
  if (state.errors > 0) parts.push(`${thousands(state.errors)} not ok`);
  return parts.join('  ');
}

export function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function milliseconds(us: number): string {
  const ms = us / 1_000;
  return ms < 10 ? ms.toFixed(2) : ms.toFixed(0);
}
