/** What each process took from the machine: CPU stacked, memory side by side. */
import * as palette from '../palette.js';
import { type ChartSpec, frame, NAME_AXIS, rowName } from './base.js';

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

interface Shaded extends ProcessPoint {
  /** Controllers in order, then the load. */
  readonly place: number;
  /** Opacity: controllers in shades of their target's accent. */
  readonly shade: number;
}

function shaded(points: readonly ProcessPoint[]): Shaded[] {
  const names = [...new Set(points.map(({ process }) => process))];
  return points.map((point) => {
    const isLoad = point.kind === 'load';
    const place = isLoad ? names.length : names.indexOf(point.process);
    return {
      ...point,
      workload: rowName(point.workload),
      place,
      shade: isLoad ? 0.4 : Math.max(0.5, 1 - 0.22 * place),
    };
  });
}

/** The load generator is grey, whosever the panel is. */
function colours(colour: palette.Colour) {
  return {
    color: {
      field: 'kind',
      type: 'nominal',
      legend: null,
      scale: { domain: ['controller', 'load'], range: [colour.light, palette.muted.light] },
    },
    opacity: { field: 'shade', type: 'quantitative', scale: null, legend: null },
  } as const;
}

/** A row of 24 pixels a workload. */
function heightOf({ points }: ProcessesData): number {
  return 24 * new Set(points.map((point) => point.workload)).size;
}

const workload = {
  field: 'workload',
  type: 'nominal',
  sort: null,
  title: null,
  axis: { labelLimit: 0, labelColor: palette.ink.light },
} as const;

export function cpuChart(data: ProcessesData): ChartSpec {
  const values = shaded(data.points).map((point) => ({
    ...point,
    say: `${point.workload}, ${point.process}: ${point.cpuCores.toFixed(2)} cores`,
  }));
  return {
    ...frame({ left: NAME_AXIS, top: 4, bottom: 42 }),
    height: heightOf(data),
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
      order: { field: 'place', type: 'quantitative' },
      ...colours(data.colour),
      description: { field: 'say', type: 'nominal' },
    },
  };
}

export function memoryChart(data: ProcessesData): ChartSpec {
  const values = shaded(data.points).map((point) => ({
    ...point,
    say: `${point.workload}, ${point.process}: ${Math.round(point.rssPeakMb)} MB`,
  }));
  return {
    ...frame({ left: NAME_AXIS, top: 4, bottom: 42 }),
    height: heightOf(data),
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
      ...colours(data.colour),
      description: { field: 'say', type: 'nominal' },
    },
  };
}
