/**
 * The builds by name, and mixtures of them: `baseline+reads=optimized` is the baseline with one
 * part replaced, so that a comparison can say which change bought what.
 */
import { baseline } from '../../baseline/controller.js';
import { optimized } from '../../optimized/controller.js';
import type { ControllerBuild } from '../server/parts.js';
import { InputError } from './exit-codes.js';

const builds: ReadonlyMap<string, ControllerBuild> = new Map(
  [baseline, optimized].map((build) => [build.name, build]),
);
const partNames = ['admission', 'commits', 'reads', 'liveness'] as const;
type PartName = (typeof partNames)[number];

/**
 * @param text a build's name, then any number of `+part=build`; the last one wins.
 * @throws {InputError} naming the word that is not a build or a part.
 */
export function resolveBuild(text: string): ControllerBuild {
  const [base = '', ...replacements] = text.split('+');
  const build = buildNamed(base);
  const replaced = replacements.map((replacement) => {
    const [part = '', donor = ''] = replacement.split('=');
    const name = partNamed(part);
    return [name, buildNamed(donor)[name]] as const;
  });
  return { ...build, ...Object.fromEntries(replaced), name: text };
}

function buildNamed(name: string): ControllerBuild {
  const build = builds.get(name);
  if (build !== undefined) return build;
  throw new InputError(`no build '${name}': there is ${[...builds.keys()].join(', ')}`);
}

function partNamed(name: string): PartName {
  const part = partNames.find((known) => known === name);
  if (part !== undefined) return part;
  throw new InputError(`no part '${name}' in a build: there is ${partNames.join(', ')}`);
}
