/** Waiting on real processes: for a condition, never for a while. */
import assert from 'node:assert/strict';
import { setTimeout as after } from 'node:timers/promises';

const POLL_MS = 20;

/** Resolves with what `condition` finds, as soon as it finds something. @throws after `withinMs` */
export async function until<Found>(
  what: string,
  withinMs: number,
  condition: () => Found | undefined | false | Promise<Found | undefined | false>,
): Promise<Found> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const found = await condition();
    if (found !== undefined && found !== false) return found;
    assert.ok(performance.now() < deadlineMs, `not within ${withinMs} ms: ${what}`);
    await after(POLL_MS);
  }
}
