/** What each process took from the machine: CPU stacked, memory side by side. */
import * as palette from '../palette.js';
import { type ChartSpec, frame } from './base.js';

export interface ProcessPoint {
  readonly workload: string;
  readonly process: string;
  readonly kind: 'controller' | 'load';
  /** Mean over the measured window. */
  readonly cpuCores: number;
  readonly rssPeakMb: number;
}

export interface ProcessesData {
  readonly points: readonly ProcessPoint[];
  readonly colour: palette.Colour;
  /** Upper ends that the panels of all targets share. */
  readonly cpuCoresMax: number;
  readonly rssMbMax: number;
}

/** Controllers in shades of their target's accent, the load generator in grey. */
function shades({ points, colour }: ProcessesData) {
  const names = [...new Set(points.map(({ process }) => process))];
  const isLoad = (name: string): boolean =>
    points.some((point) => point.process === name && point.kind === 'load');
  const controllers = names.filter((name) => !isLoad(name));
  return {
    color: {
      field: 'process',
      type: 'nominal',
      legend: null,
      scale: {
        domain: names,
        range: names.map((name) => (isLoad(name) ? palette.line.light : colour.light)),
      },
    },
    opacity: {
      field: 'process',
      type: 'nominal',
      legend: null,
      scale: {
        domain: names,
        range: names.map((name) =>
          isLoad(name) ? 1 : Math.max(0.3, 1 - 0.27 * controllers.indexOf(name)),
        ),
      },
    },
  } as const;
}

const workload = {
  field: 'workload',
  type: 'nominal',
  sort: null,
  title: null,
  axis: { labelLimit: 130, minExtent: 106, maxExtent: 136, labelColor: palette.ink.light },
} as const;

export function cpuChart(data: ProcessesData): ChartSpec {
  const values = data.points.map((point) => ({
    ...point,
    say: `${point.workload}, ${point.process}: ${point.cpuCores.toFixed(2)} cores`,
  }));
  return {
    ...frame,
    height: { step: 24 },
    data: { values },
    mark: { type: 'bar', stroke: palette.paper.light, strokeWidth: 0.75 },
    encoding: {
      y: { ...workload, scale: { paddingInner: 0.35 } },
      x: {
        field: 'cpuCores',
        type: 'quantitative',
        title: 'CPU, mean cores in use',
        scale: { domain: [0, data.cpuCoresMax], nice: false },
        axis: { tickCount: 5 },
      },
      order: { field: 'process', type: 'nominal', sort: 'ascending' },
      ...shades(data),
      description: { field: 'say', type: 'nominal' },
    },
  };
}

export function memoryChart(data: ProcessesData): ChartSpec {
  const values = data.points.map((point) => ({
    ...point,
    say: `${point.workload}, ${point.process}: ${Math.round(point.rssPeakMb)} MB`,
  }));
  return {
    ...frame,
    height: { step: 24 },
    data: { values },
    mark: { type: 'point', filled: true, size: 60 },
    encoding: {
      y: workload,
      x: {
        field: 'rssPeakMb',
        type: 'quantitative',
        title: 'memory, peak RSS in MB',
        scale: { domain: [0, data.rssMbMax], nice: false },
        axis: { tickCount: 5 },
      },
      ...shades(data),
      description: { field: 'say', type: 'nominal' },
    },
  };
}
