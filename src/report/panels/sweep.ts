/** One panel per sweep and durability: where each target stops keeping up. */
import type { Comparison } from '../../analyze/comparison.js';
import { P99_MAX_MS } from '../../analyze/saturation.js';
import type { Cast, Series } from '../cast.js';
import { type StepPoint, saturationChart } from '../charts/saturation.js';
import { listed } from '../format.js';
import { kneeText } from '../verdict-words.js';
import { group, headingFor, type Panel, type PanelGroup } from './panel.js';

export function sweepPanels(
  comparison: Comparison,
  casts: readonly Cast[],
  series: readonly Series[],
): PanelGroup[] {
  return casts.flatMap((cast) => {
    const sweeps = comparison.sweeps.filter(({ durability }) => durability === cast.durability);
    const panels = sweeps.flatMap(({ sweep, targets }): Panel[] => {
      const points = targets.flatMap(({ target, points: steps, kneePerSecond }) =>
        steps.flatMap((step): StepPoint[] =>
          step.p99Ms === null || step.achievedPerSecond <= 0
            ? []
            : [
                {
                  series: target,
                  askedPerSecond: step.askedPerSecond,
                  achievedPerSecond: step.achievedPerSecond,
                  p99Ms: step.p99Ms,
                  isKnee: step.askedPerSecond === kneePerSecond,
                },
              ],
        ),
      );
      if (points.length === 0) return [];
      const said = targets.map((each) => `${each.target} ${kneeText(each)}`);
      return [
        {
          title: sweep,
          note: `highest rate kept: ${listed(said)}`,
          charts: [
            {
              spec: saturationChart({ points, hues: series, limitMs: P99_MAX_MS }),
              label: `${sweep}, answers per second against p99 response time. Highest rate kept: ${listed(said)}`,
            },
          ],
        },
      ];
    });
    const drawn = new Set(sweeps.flatMap(({ targets }) => targets.map(({ target }) => target)));
    const legend = series.filter(({ name }) => drawn.has(name));
    return group(headingFor(cast.durability, casts), legend, panels);
  });
}
