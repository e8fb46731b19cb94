/** A panel: one small picture with its title. Panels stand in groups, a group per durability. */

import type { Series } from '../cast.js';
import type { ChartSpec } from '../charts/base.js';

export interface Chart {
  readonly spec: ChartSpec;
  /** What it shows, in words, for those who do not see it. */
  readonly label: string;
}

export interface Panel {
  readonly title: string;
  readonly note: string;
  readonly charts: readonly Chart[];
}

export interface PanelGroup {
  /** Absent for the only, or the main, durability. */
  readonly heading: string | undefined;
  readonly legend: readonly Series[];
  readonly panels: readonly Panel[];
}

/** Groups without panels are left out; so are legend entries that no panel of the group draws. */
export function group(
  heading: string | undefined,
  legend: readonly Series[],
  panels: readonly Panel[],
): PanelGroup[] {
  return panels.length === 0 ? [] : [{ heading, legend, panels }];
}

/** `background durability`, said only when there is more than one. */
export function headingFor(durability: string, casts: readonly unknown[]): string | undefined {
  return casts.length > 1 ? `${durability} durability` : undefined;
}
