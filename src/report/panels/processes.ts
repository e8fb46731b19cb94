/** CPU and memory of every process, one panel a target: medians over its valid trials. */
import { median } from '../../analyze/bootstrap.js';
import type { Results, Trial } from '../../measure/results.js';
import type { Cast, Series } from '../cast.js';
import { cpuChart, memoryChart, type ProcessPoint } from '../charts/processes.js';
import { listed, rounded } from '../format.js';
import { group, headingFor, type Panel, type PanelGroup } from './panel.js';

export interface TargetProcesses {
  readonly target: string;
  readonly points: readonly ProcessPoint[];
}

/** Steps of a sweep count as one workload, at its highest rate: where usage is most telling. */
export function processesOf(results: Results): TargetProcesses[] {
  const valid = results.trials.filter(({ status }) => status === 'valid');
  return results.targets.flatMap(({ name: target }) => {
    const own = valid.filter((trial) => trial.target === target);
    const points = workloadsOf(results, own).flatMap(({ workload, trials }) =>
      pointsOf(workload, trials),
    );
    return points.length === 0 ? [] : [{ target, points }];
  });
}

function workloadsOf(results: Results, trials: readonly Trial[]) {
  const sweepOf = new Map(results.workloads.map(({ name, sweepOf: sweep }) => [name, sweep]));
  const names = [...new Set(trials.map(({ workload }) => workload))];
  const rateOf = (name: string): number => {
    const load = trials.find(({ workload }) => workload === name)?.load;
    return load?.mode === 'open' ? load.askedPerSecond : 0;
  };
  const isTop = (name: string): boolean => {
    const sweep = sweepOf.get(name);
    const steps = names.filter((other) => sweepOf.get(other) === sweep);
    return sweep === undefined || steps.every((other) => rateOf(other) <= rateOf(name));
  };
  return names.filter(isTop).map((name) => ({
    workload: name,
    trials: trials.filter(({ workload }) => workload === name),
  }));
}

function pointsOf(workload: string, trials: readonly Trial[]): ProcessPoint[] {
  const uses = trials.flatMap(({ processes, measuredMs }) =>
    processes.map((process) => ({
      ...process,
      cores: measuredMs > 0 ? (process.cpuSeconds * 1_000) / measuredMs : 0,
    })),
  );
  const names = [...new Map(uses.map(({ name, kind }) => [name, kind]))];
  return names.map(([process, kind]) => {
    const own = uses.filter(({ name }) => name === process);
    return {
      workload,
      process,
      kind,
      cpuCores: median(own.map(({ cores }) => cores)),
      rssPeakMb: median(own.map(({ rssPeakBytes }) => rssPeakBytes)) / 2 ** 20,
    };
  });
}

export function processPanels(
  processes: readonly TargetProcesses[],
  casts: readonly Cast[],
  series: readonly Series[],
): PanelGroup[] {
  const points = processes.flatMap((each) => each.points);
  const cpuCoresMax = Math.max(0.1, ...processes.flatMap((each) => totals(each.points)));
  const rssMbMax = Math.max(1, ...points.map(({ rssPeakMb }) => rssPeakMb)) * 1.08;
  return casts.flatMap((cast) => {
    const own = series.filter(({ target }) => cast.all.includes(target));
    const panels = own.flatMap(({ name, colour }): Panel[] => {
      const found = processes.find(({ target }) => target === name);
      if (found === undefined) return [];
      const data = { points: found.points, colour, cpuCoresMax, rssMbMax };
      const most = Math.max(...totals(found.points));
      const names = [...new Set(found.points.map(({ process }) => process))];
      return [
        {
          title: name,
          note: `${listed(names)}; at most ${rounded(most)} cores together`,
          charts: [
            { spec: cpuChart(data), label: `${name}: mean CPU cores of each process by workload` },
            { spec: memoryChart(data), label: `${name}: peak memory of each process by workload` },
          ],
        },
      ];
    });
    return group(headingFor(cast.durability, casts), [], panels);
  });
}

/** Cores of all processes together, for each workload. */
function totals(points: readonly ProcessPoint[]): number[] {
  const sums = new Map<string, number>();
  for (const { workload, cpuCores } of points) {
    sums.set(workload, (sums.get(workload) ?? 0) + cpuCores);
  }
  return [...sums.values()];
}
