/**
 * The shape of `results.json`: what was measured, raw enough that a report can be redone later.
 *
 * Latencies travel as encoded HDR histograms (hdr-histogram-js V2 compressed base64, microseconds,
 * 3 significant digits), never as percentiles. Doubted here once, trusted afterwards.
 */
import { z } from 'zod';

export const RESULTS_SCHEMA_VERSION = 1;

const count = z.int().min(0);
/** V2 compressed base64, unit microseconds. */
const histogram = z.string();

const operationSchema = z.strictObject({
  /** Upstream's name in camel case: `alterSyncStateSet`, `getReplicaInfo`, `heartbeat`, … */
  name: z.string(),
  code: z.int(),
  kind: z.enum(['write', 'read', 'heartbeat', 'local']),
  /** For reads: what the answer proves. `none` for anything else. */
  proof: z.enum(['none', 'unproved', 'log', 'read-index']),
  /** Answered with success (0) inside the measured window. */
  ok: count,
  /** Other response codes and how often: `{"2001": 3}`. */
  rejected: z.record(z.string(), count),
  /** No answer: `{"TIMEOUT": 1, "SHED": 2}`. */
  failed: z.record(z.string(), count),
  /** From the intended send to the answer; successes only. */
  responseTime: histogram,
  /** From the send to the answer; successes only. */
  serviceTime: histogram,
});

const intervalSchema = z.strictObject({
  /** From the start of the measured window. */
  startMs: z.number(),
  lengthMs: z.number(),
  operations: z.array(
    z.strictObject({
      name: z.string(),
      ok: count,
      notOk: count,
      responseTime: histogram,
    }),
  ),
});

const processSchema = z.strictObject({
  /** `n0`, `n1`, `n2`, `load`. */
  name: z.string(),
  kind: z.enum(['controller', 'load']),
  /** Over the measured window, in cores × seconds. */
  cpuSeconds: z.number().min(0),
  rssPeakBytes: count,
  samples: z.array(
    z.strictObject({
      /** From the start of the measured window. */
      atMs: z.number(),
      /** Share of one core since the last sample, in [0, n cores]. */
      cpuCores: z.number().min(0),
      rssBytes: count,
    }),
  ),
});

const faultSchema = z.strictObject({
  kind: z.enum(['kill-leader', 'member-exit', 'member-restart']),
  member: z.string(),
  /** From the start of the measured window. */
  atMs: z.number(),
  /** From the fault to the first acknowledged write after it; absent when none came. */
  gapMs: z.number().optional(),
  /** Whether the bench did it, or something outside. */
  planned: z.boolean(),
});

const warmUpSchema = z.strictObject({
  windowMs: z.number(),
  /** Of each window, in order. */
  ratesPerSecond: z.array(z.number()),
  /** Whether the last three differ by less than a tenth. */
  steady: z.boolean(),
});

export const trialSchema = z.strictObject({
  workload: z.string(),
  target: z.string(),
  /** Counts repetitions of the same workload on the same target, from 1. */
  round: z.int().min(1),
  /** Position in the whole run, from 1: shows the interleaving. */
  order: z.int().min(1),
  seed: z.int(),
  startedAt: z.iso.datetime(),
  status: z.enum(['valid', 'invalid', 'partial']),
  /** Why it is not valid; of a valid one, what else happened (`note: …`), mostly nothing. */
  reasons: z.array(z.string()),
  load: z.discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('open'), askedPerSecond: z.number() }),
    z.strictObject({ mode: z.literal('closed'), outstanding: z.int() }),
    /** Driven by the brokers' own state machines (bring-up). */
    z.strictObject({ mode: z.literal('script') }),
  ]),
  sets: count,
  replicas: count,
  measuredMs: z.number(),
  operations: z.array(operationSchema),
  intervals: z.array(intervalSchema),
  /** Actual minus intended send. */
  lateness: histogram,
  generator: z.strictObject({
    workers: z.int(),
    /** The busiest worker's, over the measured window, in [0, 1]. */
    eventLoopUtilization: z.number(),
    /** Time on a processor of the busiest worker, in [0, 1]; null where the system does not tell. */
    cpuShare: z.number().nullable(),
    /** How late an idle thread's 1 ms timer fired over the same window: the machine's own punctuality. */
    controlLatenessP99Us: z.number().min(0),
    sent: count,
    asked: count,
    /** Successes that came after the window: in the histograms, not in `ok`. */
    okAfterWindow: count,
    unansweredAtEnd: count,
    /** Sent beside the measured requests, to keep the brokers alive. */
    onewayHeartbeatsPerSecond: z.number(),
  }),
  processes: z.array(processSchema),
  faults: z.array(faultSchema),
  /** Windows of load before the trial, of targets that grow faster as they run. */
  warmUp: warmUpSchema.optional(),
  /** Named single figures: `bringUpMs`, `failoverMs`. Unit last in the name. */
  figures: z.record(z.string(), z.number()),
});

export const targetSchema = z.strictObject({
  name: z.string(),
  kind: z.enum(['build', 'floor', 'java', 'address', 'reference']),
  /** One line for people: what it is. */
  title: z.string(),
  members: z.int().min(1),
  durability: z.enum(['background', 'group', 'each', 'unknown']),
  handoff: z.enum(['wake', 'poll', 'unknown']),
  electionProfile: z.string(),
  version: z.string(),
});

export const resultsSchema = z.strictObject({
  schemaVersion: z.literal(RESULTS_SCHEMA_VERSION),
  run: z.strictObject({
    id: z.string(),
    startedAt: z.iso.datetime(),
    endedAt: z.iso.datetime(),
    commit: z.string(),
    dirty: z.boolean(),
    version: z.string(),
    command: z.string(),
    seed: z.int(),
    /** Interrupted: holds what was measured until then. */
    partial: z.boolean(),
  }),
  targets: z.array(targetSchema),
  /** The workloads as they ran: after defaults and flags. */
  workloads: z.array(
    z.looseObject({ name: z.string(), why: z.string(), sweepOf: z.string().optional() }),
  ),
  trials: z.array(trialSchema),
});

export type Operation = z.infer<typeof operationSchema>;
export type Interval = z.infer<typeof intervalSchema>;
export type ProcessUsage = z.infer<typeof processSchema>;
export type Fault = z.infer<typeof faultSchema>;
export type WarmUp = z.infer<typeof warmUpSchema>;
export type Trial = z.infer<typeof trialSchema>;
export type Target = z.infer<typeof targetSchema>;
export type Results = z.infer<typeof resultsSchema>;

export class ResultsError extends Error {
  override readonly name = 'ResultsError';
  readonly code = 'RESULTS_INVALID';
}

/** @throws {ResultsError} naming the file and the field, for anything that is not a results file we know. */
export function parseResults(file: string, input: unknown): Results {
  const result = resultsSchema.safeParse(input);
  if (result.success) return result.data;
  throw new ResultsError(`${file}: ${z.prettifyError(result.error)}`);
}
