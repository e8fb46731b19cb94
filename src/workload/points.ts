/**
 * From a workload to what is run: overrides applied, each sweep spread into its points.
 */
import { WorkloadError } from './parse.js';
import {
  type BringUpWorkload,
  hasWrites,
  type LoadWorkload,
  type MassFailoverWorkload,
  type Workload,
  workloadSchema,
} from './schema.js';

type OneRate<Load> = Load extends { ratePerSecond: unknown }
  ? Omit<Load, 'ratePerSecond'> & { ratePerSecond: number }
  : Load extends { outstanding: unknown }
    ? Omit<Load, 'outstanding'> & { outstanding: number }
    : Load;

/** A workload with one rate: what one trial runs. */
export type WorkloadPoint = { readonly sweepOf?: string } & (
  | BringUpWorkload
  | MassFailoverWorkload
  | (Omit<LoadWorkload, 'load'> & { load: OneRate<LoadWorkload['load']> })
);
export type LoadPoint = Extract<WorkloadPoint, { kind: 'load' }>;
export type BringUpPoint = Extract<WorkloadPoint, { kind: 'bring-up' }>;

export type MassFailoverPoint = Extract<WorkloadPoint, { kind: 'mass-failover' }>;

export interface WorkloadOverrides {
  readonly sets?: number | undefined;
  readonly replicas?: number | undefined;
  readonly warmUpMs?: number | undefined;
  readonly durationMs?: number | undefined;
}

/**
 * One point per value of the sweep, named `saturation@2000`; a workload without a sweep is one
 * point of its own name. With fewer sets than writes outstanding, the number outstanding follows
 * the sets, and a fault keeps its place in a shorter window.
 *
 * @throws {WorkloadError} when an override makes the workload invalid.
 */
export function workloadPoints(
  workload: Workload,
  overrides: WorkloadOverrides = {},
): WorkloadPoint[] {
  const result = workloadSchema.safeParse(override(workload, overrides));
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new WorkloadError(`${workload.name}: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const changed = result.data;
  if (changed.kind !== 'load') return [changed];

  const { load, ...rest } = changed;
  switch (load.mode) {
    case 'timers':
      return [{ ...rest, load }];
    case 'open':
      return spread(load.ratePerSecond, (ratePerSecond, named) => ({
        ...rest,
        ...named,
        load: { ...load, ratePerSecond },
      }));
    case 'closed':
      return spread(load.outstanding, (outstanding, named) => ({
        ...rest,
        ...named,
        load: { ...load, outstanding },
      }));
  }

  function spread(
    values: number | number[],
    point: (value: number, named: { name?: string; sweepOf?: string }) => WorkloadPoint,
  ): WorkloadPoint[] {
    if (typeof values === 'number') return [point(values, {})];
    return [...new Set(values)].map((value) =>
      point(value, { name: `${changed.name}@${value}`, sweepOf: changed.name }),
    );
  }
}

function override(workload: Workload, overrides: WorkloadOverrides): Workload {
  const sets = overrides.sets ?? workload.sets;
  const replicas = overrides.replicas ?? workload.replicas;
  if (workload.kind !== 'load') return { ...workload, sets, replicas };

  const durationMs = overrides.durationMs ?? workload.durationMs;
  const changed = {
    ...workload,
    sets,
    replicas,
    durationMs,
    warmUpMs: overrides.warmUpMs ?? workload.warmUpMs,
  };
  if (changed.load.mode === 'closed' && hasWrites(changed)) {
    const { outstanding } = changed.load;
    const fit = (value: number): number => Math.min(value, sets);
    changed.load = {
      ...changed.load,
      outstanding: typeof outstanding === 'number' ? fit(outstanding) : outstanding.map(fit),
    };
  }
  if (changed.fault !== undefined && durationMs !== workload.durationMs) {
    const share = changed.fault.atMs / workload.durationMs;
    changed.fault = { ...changed.fault, atMs: Math.round(share * durationMs) };
  }
  return changed;
}
