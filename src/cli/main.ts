/**
 * The command line. Each command reads its arguments here, calls one function, and gives the exit
 * code; what a command needs is loaded when it runs, so that a controller carries no charts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Argument, Command, CommanderError, Option } from 'commander';
import type { KvRequest } from '../kv/wire.js';
import { projectRoot } from '../lib/project-root.js';
import { durabilities } from '../server/config.js';
import { ExitCode, exitCodeTable } from './exit-codes.js';
import {
  buildOption,
  durabilityOption,
  electionProfileOption,
  handoffOption,
  integerIn,
  logLevelOption,
} from './options.js';

async function run(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.Ok;
  const program = new Command('quorumark')
    .description('Measures, compares and breaks RocketMQ controllers.')
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError('(--help shows what is possible)')
    .addHelpText('after', `\n${EXAMPLES}\n\n${exitCodeTable()}`);

  // Commands, one function each; `finish` takes the exit code.
  const finish = (code: ExitCode): void => {
    exitCode = code;
  };
  addBench(program, finish);
  addCalibrate(program, finish);
  addReport(program, finish);
  addController(program, finish);
  addCluster(program, finish);
  addSim(program, finish);
  addMutants(program, finish);
  addElections(program, finish);
  addKv(program, finish);
  addPeers(program, finish);
  addConformance(program, finish);

  try {
    await program.parseAsync(argv);
    return exitCode;
  } catch (error) {
    return exitCodeOf(error);
  }
}

const EXAMPLES = `Examples:
  quorumark sim --seeds 1000                   looks for bugs on virtual time
  quorumark bench                              compares the builds in a report
  quorumark cluster --build optimized          three controllers for brokers
  quorumark controller --config n0.properties  one controller, as a service does
  quorumark help cluster                       all about one command`;

type Finish = (code: ExitCode) => void;

function addBench(program: Command, finish: Finish): void {
  program
    .command('bench')
    .description('Compares controllers on real clusters under real load, and writes a report.')
    .addOption(
      listOption(
        '--targets <names>',
        'comma list of baseline, optimized, mixtures, floor, java-dledger, java-jraft, etcd, zookeeper; ratios refer to the first build',
        ['baseline', 'optimized', 'floor'],
      ),
    )
    .option(
      '--workload <names>',
      'comma list of names, or paths of .yaml files (all that ship)',
      list,
    )
    .option('--trials <n>', 'rounds, in which every target runs once', integerIn(1, 100), 3)
    .option(
      '--duration <ms>',
      'of each measured window (each workload’s own)',
      integerIn(500, 3_600_000),
    )
    .option('--sets <n>', 'broker sets (each workload’s own)', integerIn(1, 100_000))
    .addOption(
      listOption(
        '--durability <policies>',
        'comma list; all workloads meet the first, closed-loop writes also the others',
        ['background', 'group'],
      ),
    )
    .addOption(handoffOption().default('wake'))
    .addOption(electionProfileOption().default('fast'))
    .option('--workers <n>', 'load threads (one less than there are cores)', integerIn(1, 64))
    .option('--seed <n>', 'replays the choices of a run (random)', integerIn(0, 2 ** 31))
    .option('--address <list>', 'a controller that runs already: host:port;host:port')
    .option('--address-name <name>', 'what the report calls it', 'address')
    .addOption(
      new Option('--address-durability <policy>', 'what it promises, as you know it')
        .choices([...durabilities, 'unknown'])
        .default('unknown'),
    )
    .option('--address-tls', 'speak TLS to it', false)
    .option('--address-ca <file>', 'who signs its certificates, PEM (whom Node trusts)')
    .option('--address-cert <file>', 'what to show it when asked, PEM')
    .option('--address-key <file>', 'the key of that certificate, PEM')
    .option('--address-insecure', 'believe whoever answers', false)
    .option('--yes', 'write to it without asking', false)
    .option('--etcd <path>', 'the program, for the target etcd (etcd)')
    .option('--out <dir>', 'where runs are kept (reports/runs)')
    .option('--dry-run', 'print the plan and its expected length, start nothing', false)
    .option('--json', 'results on stdout instead of the table', false)
    .addHelpText(
      'after',
      `
Targets take turns (A B A B), so that a machine that drifts drifts for all of
them. A trial that the load generator itself limited is shown as invalid, with
the reason, and counts for nothing. Ctrl-C keeps what was measured, marked
partial.

Examples:
  everything, in under 6 minutes:
    quorumark bench
  one question, asked more often:
    quorumark bench --workload isr-churn --trials 7
  the cost of a sync for every append:
    quorumark bench --durability each --workload isr-churn
  DLedger's hand-off, to compare with the Java controller:
    quorumark bench --targets baseline --handoff poll --workload single-write
  what one part alone buys:
    quorumark bench --targets baseline,baseline+reads=optimized \\
      --workload read-heavy
  the upstream Java controllers (npm run peers:install, once):
    quorumark bench --targets baseline,optimized,java-dledger,java-jraft,floor
  a controller that runs somewhere already:
    quorumark bench --address "10.0.0.1:9878;10.0.0.2:9878" --address-name ours`,
    )
    .action(async (options, command: Command) => {
      const { runBenchCommand } = await import('./bench.js');
      // Who points at a controller of his own wants that one, unless he says more.
      const isAlone =
        options.address !== undefined && command.getOptionValueSource('targets') === 'default';
      const chosen = isAlone ? { ...options, targets: [] } : options;
      finish(await runBenchCommand(chosen, packageVersion()));
    });
}

function addCalibrate(program: Command, finish: Finish): void {
  program
    .command('calibrate')
    .description('Compares baseline with the upstream controller that it models (needs a JDK).')
    .addOption(
      new Option('--concurrency <list>', 'comma list of writes outstanding')
        .argParser((text: string) => list(text).map(integerIn(1, 4_096)))
        .default(null, '1,16,64,256,1024'),
    )
    .option('--rounds <n>', 'in which both run once, in turn', integerIn(1, 100), 3)
    .option('--workers <n>', 'load threads (one less than there are cores)', integerIn(1, 64))
    .option('--seed <n>', 'replays the choices of a run (random)', integerIn(0, 2 ** 31))
    .option('--out <dir>', 'where runs are kept (reports/runs)')
    .option('--json', 'the calibration on stdout instead of the table', false)
    .action(async (options) => {
      const { runCalibrate } = await import('./calibrate.js');
      finish(await runCalibrate(options, packageVersion()));
    });
}

function addReport(program: Command, finish: Finish): void {
  program
    .command('report')
    .description('Redoes the report of a run from its result files.')
    .addArgument(
      new Argument('[dir]', 'the run’s directory').default(
        join(projectRoot(), 'reports', 'runs', 'latest'),
        'reports/runs/latest',
      ),
    )
    .addHelpText(
      'after',
      `
Needs results.json and environment.json; writes comparison.json, report.html,
summary.md and headline.svg beside them.`,
    )
    .action(async (directory) => {
      const { runReport } = await import('./report.js');
      finish(await runReport(directory));
    });
}

/** For options whose value is a comma list. */
function list(text: string): string[] {
  return text.split(',').filter((item) => item !== '');
}

/** Such an option with a default, which help shows as it would be typed. */
function listOption(flags: string, description: string, value: readonly string[]): Option {
  return new Option(flags, description).argParser(list).default(value, value.join(','));
}

function addController(program: Command, finish: Finish): void {
  program
    .command('controller')
    .description('Runs one controller in this process, until SIGTERM or SIGINT.')
    .requiredOption('--config <file>', "properties, with upstream's names where upstream has one")
    .addOption(buildOption())
    .addOption(durabilityOption())
    .addOption(handoffOption())
    .addOption(electionProfileOption())
    .addOption(logLevelOption('info'))
    .addHelpText(
      'after',
      `
Prints one line when it accepts connections, and its log on stderr:
  listening 127.0.0.1:9878 build optimized http 127.0.0.1:10878

The least that FILE must hold (docs/configuration.md lists the rest; a wrong
property is named with its line):
  controllerDLegerPeers=n0-127.0.0.1:9878;n1-127.0.0.1:9868;n2-127.0.0.1:9858
  controllerDLegerSelfId=n0
  controllerStorePath=/var/lib/quorumark/n0

Options given here win over FILE.

Example:
  quorumark controller --config n0.properties --durability group`,
    )
    .action(async ({ build, config, logLevel, ...overrides }) => {
      const { runController } = await import('./controller.js');
      finish(await runController({ build, config, logLevel, overrides }));
    });
}

function addCluster(program: Command, finish: Finish): void {
  program
    .command('cluster')
    .description('Runs a cluster of controllers on this machine, until SIGTERM or SIGINT.')
    .addOption(buildOption())
    .option('--nodes <n>', 'members, 1 to 9', integerIn(1, 9), 3)
    .option(
      '--base-port <port>',
      'members listen on base, base+10, base+20, …; HTTP one above each',
      integerIn(1_024, 65_000),
      19_870,
    )
    .option('--data <dir>', 'stores, logs and properties of the members; a temporary one if absent')
    .addOption(durabilityOption().default('background'))
    .addOption(handoffOption().default('wake'))
    .addOption(electionProfileOption().default('fast'))
    .option('--restart', 'bring back members that exit', false)
    .addOption(logLevelOption('info'))
    .addHelpText(
      'after',
      `
Prints one line when a leader serves and every member knows it:
  ready 127.0.0.1:19870;127.0.0.1:19880;127.0.0.1:19890 pids 101,102,103
and one for every member that exits:
  member n1 (pid 102) exited: SIGKILL; 2 of 3 members left

The addresses are what a broker's controllerAddr takes. Stopping this command
stops the members.

Examples:
  quorumark cluster --build optimized
  quorumark cluster --build baseline --data ./data --durability group --restart`,
    )
    .action(async (options) => {
      const { runCluster } = await import('./cluster.js');
      finish(await runCluster(options));
    });
}

function addSim(program: Command, finish: Finish): void {
  program
    .command('sim')
    .description('Simulates whole groups on virtual time, under faults, and checks them.')
    .option('--seeds <n>', 'how many runs', integerIn(1, 100_000_000), 200)
    .option('--first <n>', 'the first seed (1)', integerIn(0, 2 ** 31))
    .option('--tree', 'begin at the seed that follows from the source tree', false)
    .option('--minutes <m>', 'go on for so long instead', integerIn(1, 100_000))
    .option('--seed <n>', 'one run, told in full', integerIn(0, 2 ** 31))
    .option('--replay <file>', 'a plan that an earlier failure left')
    .addOption(new Option('--build <name>', 'always this one').choices(['baseline', 'optimized']))
    .addOption(new Option('--subject <name>', 'always this one').choices(['controller', 'kv']))
    .option('--jobs <n>', 'threads (as many as there are cores)', integerIn(1, 64))
    .option('--out <dir>', 'where failures are kept (reports/sim)')
    .option('--no-shrink', 'leave a failing plan as it is')
    .option('--no-coverage', 'leave out the table of transitions and faults')
    .addHelpText(
      'after',
      `
A run is a function of its seed: sizes, rates, rules, faults and what clients do
all follow from it. First come faults, with the checkers looking on; then all is
healed, and the group must come right in bounded time. A failure prints the
command that replays it, is made smaller, and leaves a page that tells its story.

Examples:
  quorumark sim --seeds 1000
  quorumark sim --seed 42
  quorumark sim --minutes 10 --build optimized
  quorumark sim --replay reports/sim/seed-42.json`,
    )
    .action(async (options) => {
      const { runSim } = await import('./sim.js');
      finish(await runSim(options));
    });
}

function addMutants(program: Command, finish: Finish): void {
  program
    .command('mutants')
    .description('Plants known bugs one by one, and counts the seeds until each is caught.')
    .option('--only <names>', 'comma list', list)
    .option('--seeds <n>', 'give up after so many', integerIn(1, 1_000_000), 2_000)
    .option('--first <n>', 'the first seed', integerIn(0, 2 ** 31), 1)
    .option('--jobs <n>', 'mutants at once (as many as there are cores)', integerIn(1, 64))
    .option('--write', 'keep the table in docs/mutants.md', false)
    .option('--list', 'only say what there is', false)
    .addHelpText(
      'after',
      `
A mutant is a change of the compiled text of one module, made while a process of
its own loads it: nothing that ships has a switch for it.`,
    )
    .action(async (options) => {
      const { runMutants } = await import('./mutants.js');
      finish(await runMutants(options));
    });
}

function addPeers(program: Command, finish: Finish): void {
  program
    .command('peers')
    .description('Fetches the upstream Java programs from Maven Central, once.')
    .addOption(
      new Option('--peer-version <v>', 'of RocketMQ').choices(['5.4.0', '5.3.3']).default('5.4.0'),
    )
    .option('--zookeeper', 'ZooKeeper instead, for the target of that name', false)
    .action(async ({ peerVersion, zookeeper }) => {
      const { runPeers } = await import('./peers.js');
      finish(await runPeers(peerVersion, zookeeper));
    });
}

function addConformance(program: Command, finish: Finish): void {
  program
    .command('conformance')
    .description('Compares every answer of the builds with those of the upstream Java controller.')
    .addOption(
      new Option('--peer-version <v>', 'of RocketMQ').choices(['5.4.0', '5.3.3']).default('5.4.0'),
    )
    .option('--seed <n>', 'of the generated requests', integerIn(0, 2 ** 31), 1)
    .option(
      '--exchanges <n>',
      'generated, beyond those written by hand',
      integerIn(0, 1_000_000),
      2_000,
    )
    .option('--record', 'keep the answers for machines without a JDK', false)
    .addOption(
      listOption('--build <names>', 'comma list of builds and mixtures', ['baseline', 'optimized']),
    )
    .addHelpText(
      'after',
      `
Needs a JDK and the peers (quorumark peers) to be live. Without them the recorded
answers are used, whose requests are those of the seed they were recorded with.
Known differences are in docs/compatibility.md; any other one fails the run.

Examples:
  quorumark conformance
  quorumark conformance --seed 7 --exchanges 20000 --build optimized`,
    )
    .action(async (options) => {
      const { runConformance } = await import('./conformance.js');
      finish(await runConformance(options));
    });
}

function addKv(program: Command, finish: Finish): void {
  const kv = program
    .command('kv')
    .description('A small replicated key-value store on the log engine, to try it.')
    .addHelpText(
      'after',
      `
Example:
  quorumark kv start --data ./kv &
  quorumark kv put city Paris
  quorumark kv get city --address 127.0.0.1:19902
  quorumark kv cas city Paris Rome
  quorumark kv range`,
    );
  kv.command('start')
    .description('Runs three members in this process, until SIGTERM or SIGINT.')
    .option('--base-port <port>', 'the first of three', integerIn(1_024, 65_000), 19_900)
    .option('--data <dir>', 'logs and states; a temporary one if absent')
    .addOption(
      new Option('--state <where>', 'in memory, or in LevelDB')
        .choices(['memory', 'level'])
        .default('memory'),
    )
    .addOption(durabilityOption().default('group'))
    .action(async (options) => {
      const { runKvStart } = await import('./kv.js');
      finish(await runKvStart(options));
    });
  const request = (usage: string, description: string): Command =>
    kv
      .command(usage)
      .description(description)
      .option(
        '--address <list>',
        'members to ask, joined by ;',
        '127.0.0.1:19900;127.0.0.1:19901;127.0.0.1:19902',
      );
  const staleOption = (): Option =>
    new Option('--stale <ms>', 'answer from local state if it is not older').argParser(
      integerIn(0, 3_600_000),
    );
  const send = async (body: KvRequest, address: string): Promise<void> => {
    const { runKvRequest } = await import('./kv.js');
    finish(await runKvRequest(body, address));
  };
  request('put <key> <value>', 'Sets a key.').action((key, value, { address }) =>
    send({ kind: 'put', key, value: Buffer.from(value) }, address),
  );
  request('get <key>', 'Prints a value; any member answers.')
    .addOption(staleOption())
    .action((key, { address, stale = null }) =>
      send({ kind: 'get', key, maxStalenessMs: stale }, address),
    );
  request(
    'cas <key> <expected> <value>',
    'Swaps if the value is as expected (- : not there).',
  ).action((key, expected, value, { address }) => {
    const before = expected === '-' ? null : Buffer.from(expected);
    return send({ kind: 'cas', key, expected: before, value: Buffer.from(value) }, address);
  });
  request('delete <key>', 'Removes a key.').action((key, { address }) =>
    send({ kind: 'delete', key }, address),
  );
  request('range [from] [to]', 'Prints keys and values from <from> to before <to>.')
    .option('--limit <n>', 'at most', integerIn(1, 1_000), 100)
    .addOption(staleOption())
    .action((from = '', to = null, { address, limit, stale = null }) =>
      send({ kind: 'range', from, to, limit, maxStalenessMs: stale }, address),
    );
}

function addElections(program: Command, finish: Finish): void {
  program
    .command('elections')
    .description('Shows how long a group is without a leader, for each election rule.')
    .option('--seeds <n>', 'deaths of a leader per rule', integerIn(1, 1_000_000), 1_000)
    .option('--first <n>', 'the first seed', integerIn(0, 2 ** 31), 1)
    .addOption(
      listOption('--rules <names>', 'comma list of dledger, pre-vote, plain', [
        'dledger',
        'pre-vote',
        'plain',
      ]),
    )
    .addOption(
      new Option('--timing <name>', "upstream's 2 s × 3, or fast")
        .choices(['dledger', 'fast'])
        .default('dledger'),
    )
    .option('--json', 'the figures alone', false)
    .action(async ({ first: firstSeed, ...options }) => {
      const { runElections } = await import('./elections.js');
      finish(runElections({ ...options, firstSeed }));
    });
}

/** Errors whose message is all that the caller needs: what was wrong is outside this program. */
const CODE_OF_ERROR: Readonly<Record<string, ExitCode>> = {
  InputError: ExitCode.InvalidInput,
  ConfigError: ExitCode.InvalidInput,
  WorkloadError: ExitCode.InvalidInput,
  ResultsError: ExitCode.InvalidInput,
  TargetError: ExitCode.TargetFailed,
  PeersError: ExitCode.TargetFailed,
  WireError: ExitCode.TargetFailed,
  LeaderMovedError: ExitCode.TargetFailed,
  NeverHeldError: ExitCode.TargetFailed,
};

function exitCodeOf(error: unknown): ExitCode {
  // Commander has already said what was wrong; help and version come this way too.
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? ExitCode.Ok : ExitCode.InvalidInput;
  }
  const known = error instanceof Error ? CODE_OF_ERROR[error.name] : undefined;
  if (known !== undefined) {
    console.error(`error: ${(error as Error).message}`);
    return known;
  }
  console.error(error);
  return ExitCode.RunInvalid;
}

function packageVersion(): string {
  const text = readFileSync(join(projectRoot(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

process.exit(await run(process.argv));
