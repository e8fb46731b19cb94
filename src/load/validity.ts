/**
 * Was it the generator? A trial that the load itself limited must not be read as a controller's figure.
 *
 * Open loop: the schedule is the promise. Late sends, sends left out, or a busy event loop break it.
 * How late is too late is measured against a control: a thread of the same process that has nothing
 * to do but wake every millisecond. A generator that is not much later than that is as punctual as
 * the machine lets anybody be, and its lateness is in the response times, which count from the
 * intended send. Around a fault the figure is a gap of hundreds of milliseconds, and more is allowed.
 *
 * Closed loop: there is no schedule to be late for, and a generator that shares few cores with the
 * controllers has a busy event loop whether it computes or waits for a core. What shows that more
 * load was needed than it could make is its own time on a processor: a worker that computed for
 * all but 5 % of the window had answers waiting for it. A worker that merely queued for a core says
 * that the machine was full, which is what such a trial measures. Where the system does not tell
 * the two apart, the event loop stands in for both.
 */
import type { Trial } from '../measure/results.js';

export interface GeneratorFacts {
  readonly mode: Trial['load']['mode'];
  readonly asked: number;
  readonly ok: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly failed: Readonly<Record<string, number>>;
  readonly latenessP99Us: number;
  /** How late an idle thread's 1 ms timer fired over the same window. */
  readonly controlLatenessP99Us: number;
  readonly responseP99Us: number;
  /** The busiest worker's. */
  readonly eventLoopUtilization: number;
  /** The busiest worker's time on a processor over the window, in [0, 1]; null where unknown. */
  readonly cpuShare: number | null;
  /** Unanswered when the window ended. */
  readonly inFlightAtEnd: number;
  readonly hasFault: boolean;
}

const LATENESS_FLOOR_US = 2_000;
const LATENESS_FLOOR_AT_FAULT_US = 25_000;
const TIMES_THE_CONTROL = 2;
const OPEN_UTILIZATION_MAX = 0.8;
const CLOSED_UTILIZATION_MAX = 0.98;
const CPU_SHARE_MAX = 0.95;
const ANSWERED_MIN = 0.99;
/** Refusals that say the load asked for nonsense: it knew the broker sets wrongly. */
const wronglyAsked = /^(1|3|200[0-6]|2008|201[0-4])$/;
const WRONGLY_ASKED_MAX = 0.01;

/** Why the trial does not count; empty when it does. */
export function invalidReasons(facts: GeneratorFacts): string[] {
  const reasons = facts.mode === 'open' ? openReasons(facts) : closedReasons(facts);
  const wrong = Object.entries(facts.rejected).filter(([code]) => wronglyAsked.test(code));
  const wrongCount = wrong.reduce((sum, [, count]) => sum + count, 0);
  const isScript = facts.mode === 'script'; // Its refusals are part of the real broker's life.
  const tolerated = WRONGLY_ASKED_MAX * (facts.ok + wrongCount);
  if (!isScript && !facts.hasFault && wrongCount > tolerated) {
    const codes = wrong.map(([code, count]) => `${code}: ${count}`).join(', ');
    reasons.push(`more than 1 % of the requests were refused as wrong (${codes})`);
  }
  if (facts.ok === 0) reasons.push('nothing was answered with success');
  return reasons;
}

function openReasons(facts: GeneratorFacts): string[] {
  const reasons: string[] = [];
  const latenessMaxUs = Math.max(
    facts.hasFault ? LATENESS_FLOOR_AT_FAULT_US : LATENESS_FLOOR_US,
    0.1 * facts.responseP99Us,
    TIMES_THE_CONTROL * facts.controlLatenessP99Us,
  );
  if (facts.latenessP99Us > latenessMaxUs) {
    const late = ms(facts.latenessP99Us);
    reasons.push(`the generator sent late: p99 ${late} ms, allowed ${ms(latenessMaxUs)} ms`);
  }
  if (facts.eventLoopUtilization > OPEN_UTILIZATION_MAX) {
    const share = percent(facts.eventLoopUtilization);
    reasons.push(`the generator's event loop was ${share} busy, allowed 80 %`);
  }
  if (facts.ok < ANSWERED_MIN * facts.asked && !controllerWasTheLimit(facts)) {
    reasons.push(
      `${facts.ok} of ${facts.asked} requests were answered, and no sign that the controller was full`,
    );
  }
  return reasons;
}

function closedReasons({ cpuShare, eventLoopUtilization }: GeneratorFacts): string[] {
  if (cpuShare !== null) {
    if (cpuShare <= CPU_SHARE_MAX) return [];
    return [`the generator was the limit: a worker computed ${percent(cpuShare)} of the time`];
  }
  if (eventLoopUtilization <= CLOSED_UTILIZATION_MAX) return [];
  const share = percent(eventLoopUtilization);
  return [`the generator was the limit: a worker's event loop was ${share} busy`];
}

/** Requests that waited, were refused as too many, or got no answer: the other side could not keep up. */
function controllerWasTheLimit(facts: GeneratorFacts): boolean {
  const { TIMEOUT = 0, SHED = 0, CONNECTION_LOST = 0, REFUSED = 0 } = facts.failed;
  const busy = (facts.rejected['2'] ?? 0) + (facts.rejected['2007'] ?? 0);
  const signs = TIMEOUT + SHED + CONNECTION_LOST + REFUSED + busy + facts.inFlightAtEnd;
  return signs >= (1 - ANSWERED_MIN) * facts.asked;
}

const ms = (us: number): string => (us / 1_000).toFixed(1);
const percent = (share: number): string => `${Math.round(share * 100)} %`;
