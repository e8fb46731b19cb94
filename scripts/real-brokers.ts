/**
 * Upstream's brokers and clients on our controllers, as real processes, told step by step:
 *
 *   node dist/scripts/real-brokers.js [--build baseline|optimized] [--scenario NAME] [--data DIR]
 */
import { parseArgs } from 'node:util';
import { Lab } from '../src/brokers/lab.js';
import { scenarios } from '../src/brokers/scenarios.js';
import { findPeers, PeersError } from '../src/target/peers.js';

const builds = ['baseline', 'optimized'];
const names = scenarios.map(({ name }) => name);

process.exitCode = await main();

async function main(): Promise<number> {
  const wanted = wantedOf(process.argv.slice(2));
  if (typeof wanted === 'string') {
    console.error(`error: ${wanted}`);
    return 2;
  }
  try {
    const peers = findPeers('5.4.0');
    for (const build of wanted.builds) {
      for (const scenario of scenarios) {
        if (!wanted.scenarios.includes(scenario.name)) continue;
        console.log(`\n${build}, ${scenario.name}: ${scenario.shows}`);
        const { byName = false } = scenario;
        const { data } = wanted;
        const lab = await Lab.open({
          ...{ build, peers, byName, tell: console.log },
          ...(data !== undefined && { data: `${data}/${build}-${scenario.name}` }),
        });
        try {
          const figures = await scenario.run(lab);
          for (const [figure, value] of Object.entries(figures)) {
            console.log(`  ${figure.padEnd(68)} ${String(value).padStart(8)}`);
          }
        } finally {
          await lab.close();
        }
      }
    }
    return 0;
  } catch (error) {
    if (error instanceof PeersError) {
      console.log(`skipped: ${error.message}`);
      return 0;
    }
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

interface Wanted {
  readonly builds: readonly string[];
  readonly scenarios: readonly string[];
  readonly data: string | undefined;
}

/** What the arguments ask for, or what is wrong with them. */
function wantedOf(args: readonly string[]): Wanted | string {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({
      args: [...args],
      options: { build: text, scenario: text, data: text },
    });
    const { build, scenario, data } = values;
    if (build !== undefined && !builds.includes(build)) {
      return `--build is one of ${builds.join(', ')}, not ${build}`;
    }
    if (scenario !== undefined && !names.includes(scenario)) {
      return `--scenario is one of ${names.join(', ')}, not ${scenario}`;
    }
    return {
      builds: build === undefined ? builds : [build],
      scenarios: scenario === undefined ? names : [scenario],
      data,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
