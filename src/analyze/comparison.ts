/**
 * The shape of `comparison.json`: every number of the report that is not a chart, with its trials.
 *
 * Derived from `results.json` alone, by `compare`; kept beside it so that other programs need not
 * decode histograms to ask who was faster.
 */
import { z } from 'zod';
import { operationClasses, units } from './metrics.js';
import { verdicts } from './verdict.js';

export const COMPARISON_SCHEMA_VERSION = 1;

const count = z.int().min(0);
const interval = z.strictObject({ low: z.number(), high: z.number() });
const durability = z.enum(['background', 'group', 'each', 'unknown']);

const estimateSchema = z.strictObject({
  /** Valid trials only, in order of round. */
  values: z.array(z.strictObject({ round: z.int().min(1), value: z.number() })).min(1),
  median: z.number(),
  /** 95 % bootstrap interval of the median; null with fewer than three trials. */
  interval: interval.nullable(),
});

const ratioSchema = z.strictObject({
  reference: z.string(),
  /** Target ÷ reference, of medians; null when the reference is zero. */
  value: z.number().nullable(),
  interval: interval.nullable(),
  /** Whether rounds were resampled as pairs. */
  paired: z.boolean(),
  /** Trials on the smaller side. */
  trials: count,
  verdict: z.enum(verdicts),
});

const metricSchema = z.strictObject({
  id: z.string(),
  label: z.string(),
  unit: z.enum(units),
  better: z.enum(['higher', 'lower']),
  operationClass: z.enum(operationClasses).optional(),
});

const targetValueSchema = z.strictObject({
  target: z.string(),
  estimate: estimateSchema,
  /** Null for the reference itself, for the floor, and where no reference has this metric. */
  ratio: ratioSchema.nullable(),
});

const outcomeSchema = z.strictObject({
  target: z.string(),
  trials: count,
  /** Zero: this workload failed on this target. */
  valid: count,
  /** Sums over the valid trials. */
  ok: count,
  rejected: z.record(z.string(), count),
  failed: z.record(z.string(), count),
});

const groupSchema = z.strictObject({
  durability,
  metrics: z.array(z.strictObject({ metric: metricSchema, targets: z.array(targetValueSchema) })),
  outcomes: z.array(outcomeSchema),
});

const workloadSchema = z.strictObject({
  workload: z.string(),
  why: z.string(),
  /** How it was driven: `open 2,000/s`, `closed 1,024`, `script`. */
  load: z.string(),
  /** Id of the metric that stands for this workload in the verdict; null when nothing was measured. */
  primary: z.string().nullable(),
  groups: z.array(groupSchema),
});

const readColumnSchema = z.strictObject({
  proof: z.enum(['unproved', 'log', 'read-index']),
  target: z.string(),
  workload: z.string(),
  operations: z.array(z.string()),
  perSecond: estimateSchema,
  p50Ms: estimateSchema.nullable(),
  p99Ms: estimateSchema.nullable(),
  /** Against the reference's reads of the same strength: proved with proved only. */
  ratio: ratioSchema.nullable(),
});

const sweepPointSchema = z.strictObject({
  askedPerSecond: z.number(),
  achievedPerSecond: z.number(),
  p50Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  trials: count,
});

const sweepTargetSchema = z.strictObject({
  target: z.string(),
  points: z.array(sweepPointSchema),
  /** Highest asked rate that was kept; null when not even the lowest was. */
  kneePerSecond: z.number().nullable(),
  /** A higher rate was tried and not kept. False: the knee is at least this. */
  bracketed: z.boolean(),
});

export const comparisonSchema = z.strictObject({
  schemaVersion: z.literal(COMPARISON_SCHEMA_VERSION),
  runId: z.string(),
  partial: z.boolean(),
  /** Base name of the targets that others are compared with; null when there is none. */
  reference: z.string().nullable(),
  method: z.strictObject({
    confidence: z.number(),
    resamples: z.int(),
    trialsMin: z.int(),
    effectMin: z.number(),
    seed: z.int(),
  }),
  workloads: z.array(workloadSchema),
  reads: z.array(
    z.strictObject({ workload: z.string(), durability, columns: z.array(readColumnSchema) }),
  ),
  sweeps: z.array(
    z.strictObject({ sweep: z.string(), durability, targets: z.array(sweepTargetSchema) }),
  ),
  /** Trials that no number above includes, and why. */
  excluded: z.array(
    z.strictObject({
      workload: z.string(),
      target: z.string(),
      round: z.int(),
      order: z.int(),
      status: z.enum(['invalid', 'partial']),
      reasons: z.array(z.string()),
    }),
  ),
});

export type Comparison = z.infer<typeof comparisonSchema>;
export type WorkloadComparison = z.infer<typeof workloadSchema>;
export type Group = z.infer<typeof groupSchema>;
export type Outcome = z.infer<typeof outcomeSchema>;
export type Estimate = z.infer<typeof estimateSchema>;
export type Ratio = z.infer<typeof ratioSchema>;
export type TargetValue = z.infer<typeof targetValueSchema>;
export type ReadColumn = z.infer<typeof readColumnSchema>;
export type SweepTarget = z.infer<typeof sweepTargetSchema>;
export type SweepPoint = z.infer<typeof sweepPointSchema>;
export type Durability = z.infer<typeof durability>;
