/**
 * How long nobody was able to write, from a mark for every millisecond in which a write was acknowledged.
 */

/** One mark a millisecond over the measured window: 1 where some worker had a write acknowledged. */
export type AcknowledgedMarks = Uint8Array;

/** Joins the marks of all workers. They may differ in length: workers end at slightly different times. */
export function joinMarks(parts: readonly AcknowledgedMarks[]): AcknowledgedMarks {
  const joined = new Uint8Array(Math.max(0, ...parts.map((part) => part.length)));
  for (const part of parts) {
    part.forEach((mark, atMs) => {
      if (mark === 1) joined[atMs] = 1;
    });
  }
  return joined;
}

/**
 * From a fault to the first acknowledged write after the silence that it caused, in milliseconds.
 *
 * The silence is the longest one that lasts beyond the fault and begins before `untilMs`: answers that
 * were on their way when the leader died may still arrive just after the fault, and end nothing.
 *
 * @param faultAtMs from the start of the measured window.
 * @param untilMs the next fault, or the end of the window.
 * @returns undefined when no write was acknowledged after the silence.
 */
export function gapAfterMs(
  marks: AcknowledgedMarks,
  faultAtMs: number,
  untilMs = marks.length,
): number | undefined {
  let longestMs = 0;
  let endMs: number | undefined;
  let silentFromMs = 0;
  for (let atMs = 0; atMs <= marks.length; atMs += 1) {
    const acknowledged = atMs < marks.length && marks[atMs] === 1;
    if (!acknowledged && atMs < marks.length) continue;
    const silenceMs = atMs - silentFromMs;
    const counts = atMs > faultAtMs && silentFromMs < untilMs;
    if (counts && silenceMs > longestMs) {
      longestMs = silenceMs;
      endMs = acknowledged ? atMs : undefined;
    }
    silentFromMs = atMs + 1;
  }
  return endMs === undefined ? undefined : endMs - faultAtMs;
}
