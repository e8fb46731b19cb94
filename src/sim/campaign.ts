/**
 * One seed from start to verdict, and what to do with a failure: make it smaller, and keep it.
 */
import type { ControllerBuild } from '../server/parts.js';
import type { ScheduledFault } from './faults.js';
import { type RunPlan, type RunResult, simulate } from './run.js';
import { shrink } from './shrink.js';
import { drawOptions, drawSchedule, type SimOverrides } from './swarm.js';
import type { Lane, Span, Timeline } from './timeline.js';
import { drawWorkload, type ScheduledOp } from './workload.js';

export type Builds = Readonly<Record<'baseline' | 'optimized', ControllerBuild>>;

/** All that a seed means; the same seed and overrides mean the same. */
export function planOf(seed: number, overrides: SimOverrides = {}): RunPlan {
  const options = drawOptions(seed, overrides);
  return { options, faults: drawSchedule(options), workload: drawWorkload(options) };
}

export function runPlan(plan: RunPlan, builds: Builds): Promise<RunResult> {
  return simulate(plan, builds[plan.options.build]);
}

/** Runs that shrinking may take. */
const SHRINK_RUNS_MAX = 160;

/** Drops faults, then operations, while the same checker still objects. */
export async function shrinkPlan(
  plan: RunPlan,
  failure: RunResult,
  builds: Builds,
  onRun: (runs: number) => void,
): Promise<RunPlan> {
  let runs = 0;
  const stillFails = async (candidate: RunPlan): Promise<boolean> => {
    runs += 1;
    onRun(runs);
    const { violation } = await runPlan(candidate, builds);
    return violation !== null && violation.checker === failure.violation?.checker;
  };
  const faults = await shrink<ScheduledFault>(
    plan.faults,
    (left) => stillFails({ ...plan, faults: left }),
    SHRINK_RUNS_MAX / 2,
  );
  const withFaults = { ...plan, faults };
  const workload = await shrink<ScheduledOp>(
    plan.workload,
    (left) => stillFails({ ...withFaults, workload: left }),
    SHRINK_RUNS_MAX / 2,
  );
  return { ...withFaults, workload };
}

/** The story of a run as the page of it wants it. */
export function timelineOf(plan: RunPlan, result: RunResult, replay: string): Timeline {
  const { simulatedMs: endMs, story, violation } = result;
  const byMember = new Map<string, Span[]>();
  for (const { atMs, label, member, role } of story.roles) {
    const spans = byMember.get(member) ?? [];
    const last = spans.at(-1);
    if (last !== undefined) spans[spans.length - 1] = { ...last, toMs: atMs };
    spans.push({ fromMs: atMs, toMs: endMs, kind: role, label: `${role}, ${label}` });
    byMember.set(member, spans);
  }
  const byKind = new Map<string, Span[]>();
  for (const { fromMs, kind, toMs, what, where } of story.faults) {
    const spans = byKind.get(kind) ?? [];
    const label = where === null ? what : `${what} (${where})`;
    spans.push({ fromMs, toMs: Math.min(toMs, endMs), kind: 'fault', label });
    byKind.set(kind, spans);
  }
  const byClient = new Map<string, Span[]>();
  for (const operation of story.operations) {
    const spans = byClient.get(operation.client) ?? [];
    const label = `${operation.partition} ${JSON.stringify(operation.input)} → ${operation.outcome} ${JSON.stringify(operation.output)}`;
    const toMs = Math.min(operation.returnedAtMs, endMs);
    spans.push({ fromMs: operation.invokedAtMs, toMs, kind: operation.outcome, label });
    byClient.set(operation.client, spans);
  }
  return {
    title: `Seed ${plan.options.seed}: ${violation === null ? 'no violation' : violation.checker}`,
    replay,
    endMs,
    violation,
    members: lanes(byMember),
    faults: lanes(byKind),
    clients: lanes(byClient),
    events: story.events,
    options: { ...plan.options },
  };
}

function lanes(spans: ReadonlyMap<string, readonly Span[]>): Lane[] {
  return [...spans]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, list]) => ({ name, spans: list }));
}
