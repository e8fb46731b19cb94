/**
 * Upstream's brokers and clients on our controllers, as real processes, told step by step:
 *
 *   node dist/scripts/real-brokers.js [--build baseline|optimized] [--scenario NAME] [--data DIR]
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Lab } from '../src/brokers/lab.js';
import { type Figures, type Scenario, scenarios } from '../src/brokers/scenarios.js';
import { findPeers, type Peers, PeersError } from '../src/target/peers.js';

const builds = ['baseline', 'optimized'];
const names = scenarios.map(({ name }) => name);

interface Run {
  readonly build: string;
  readonly scenario: Scenario;
  /** null when something did not hold. */
  readonly figures: Figures | null;
}

let running: Lab | null = null;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    // What starts just now ends with this process all the same.
    void Promise.resolve(running?.close()).finally(() => process.exit(130));
  });
}
process.exitCode = await main();

async function main(): Promise<number> {
  const wanted = wantedOf(process.argv.slice(2));
  if (typeof wanted === 'string') {
    console.error(`error: ${wanted}`);
    return 2;
  }
  try {
    const peers = findPeers('5.4.0');
    const runs: Run[] = [];
    for (const build of wanted.builds) {
      for (const scenario of wanted.scenarios) {
        console.log(`\n${build}, ${scenario.name}: ${scenario.shows}`);
        runs.push({ build, scenario, figures: await run(build, scenario, peers, wanted.data) });
      }
    }
    console.log('\nfigures');
    for (const { build, scenario, figures } of runs) {
      console.log(`${build}, ${scenario.name}: ${figures === null ? 'FAILED' : 'all held'}`);
      for (const [figure, value] of Object.entries(figures ?? {})) {
        console.log(`  ${figure.padEnd(68)} ${String(value).padStart(7)}`);
      }
    }
    return runs.every(({ figures }) => figures !== null) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof PeersError)) throw error;
    console.log(`skipped: ${error.message}`);
    return 0;
  }
}

async function run(
  build: string,
  scenario: Scenario,
  peers: Peers,
  data: string | undefined,
): Promise<Figures | null> {
  const { byName = false } = scenario;
  try {
    running = await Lab.open({
      ...{ build, peers, byName, tell: console.log },
      ...(data !== undefined && { data: join(data, `${build}-${scenario.name}`) }),
    });
    return await scenario.run(running);
  } catch (error) {
    console.log(`  FAILED: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  } finally {
    await running?.close();
    running = null;
  }
}

interface Wanted {
  readonly builds: readonly string[];
  readonly scenarios: readonly Scenario[];
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
      scenarios: scenarios.filter(({ name }) => scenario === undefined || name === scenario),
      data,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
