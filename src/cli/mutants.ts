/**
 * `quorumark mutants`: whether the simulator is worth anything. Each known bug is planted in a process
 * of its own, which runs seeds until a checker objects.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '../lib/project-root.js';
import type { Mutant } from '../sim/mutants/mutant.js';
import { mutants } from '../sim/mutants/table.js';
import { ExitCode, InputError } from './exit-codes.js';
import type { HuntResult } from './mutant-hunt.js';
import { Progress } from './progress.js';

export interface MutantsCommand {
  readonly only?: readonly string[];
  readonly seeds: number;
  readonly first: number;
  readonly jobs?: number;
  readonly write: boolean;
  readonly list: boolean;
}

interface Row {
  readonly mutant: Mutant;
  readonly result: HuntResult;
  /** What the same seeds find in the build as it is: nothing, or the catch proves nothing. */
  readonly clean: HuntResult;
}

const REGISTER = fileURLToPath(new URL('../sim/mutants/register.js', import.meta.url));
const HUNT = fileURLToPath(new URL('./mutant-hunt.js', import.meta.url));

export async function runMutants(command: MutantsCommand): Promise<ExitCode> {
  const { only } = command;
  for (const name of only ?? []) {
    if (!mutants.some((mutant) => mutant.name === name))
      throw new InputError(`no mutant '${name}'`);
  }
  const wanted = mutants.filter(({ name }) => only === undefined || only.includes(name));
  if (command.list) {
    for (const { bug, name } of wanted) console.log(`${name}\n    ${bug}`);
    return ExitCode.Ok;
  }
  const jobs = command.jobs ?? availableParallelism();
  const progress = new Progress(wanted.length, 'mutants');
  const rows: Row[] = [];
  const waiting = [...wanted];
  await Promise.all(
    Array.from({ length: jobs }, async () => {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        const row = await judge(mutant, command);
        rows.push(row);
        progress.end();
        console.log(lineOf(row, command));
        progress.at(rows.length);
      }
    }),
  );
  progress.end();
  rows.sort((a, b) => wanted.indexOf(a.mutant) - wanted.indexOf(b.mutant));
  const caught = rows.filter(isCaught).length;
  console.log(
    `\n${caught} of ${rows.length} mutants were caught, by seeds on which the clean build passes`,
  );
  if (command.write) writeFileSync(join(projectRoot(), 'docs', 'mutants.md'), page(rows, command));
  return caught === rows.length ? ExitCode.Ok : ExitCode.CheckFailed;
}

const isCaught = ({ clean, result }: Row): boolean => result.seeds !== null && clean.seeds === null;

async function judge(mutant: Mutant, { first, seeds }: MutantsCommand): Promise<Row> {
  const result = await hunt(mutant, mutant.name, first, seeds);
  const clean = await hunt(mutant, '', first, result.seeds ?? 0);
  return { mutant, result, clean };
}

function lineOf({ clean, mutant, result }: Row, { first, seeds }: MutantsCommand): string {
  const caught =
    result.seeds === null
      ? `SURVIVED ${seeds} seeds`
      : `${String(result.seeds).padStart(4)} seeds  ${result.checker}`;
  const failed =
    clean.seeds === null
      ? ''
      : `, BUT the clean build fails at seed ${first + clean.seeds - 1}: ${clean.checker}: ${clean.what}`;
  return `${mutant.name.padEnd(36)} ${caught}${failed}`;
}

/** @param planted the mutant that runs; empty: none. Either way the swarm draws what `mutant` needs. */
function hunt(mutant: Mutant, planted: string, first: number, seeds: number): Promise<HuntResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [
        ...(planted === '' ? [] : ['--import', REGISTER]),
        HUNT,
        String(first),
        String(seeds),
        JSON.stringify(mutant.needs ?? {}),
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, QUORUMARK_MUTANT: planted },
      },
    );
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as HuntResult);
      else reject(new Error(`${mutant.name}: the hunt ended with ${code}`));
    });
  });
}

function page(rows: readonly Row[], { first, seeds }: MutantsCommand): string {
  const lines = rows.map(
    ({ mutant, result }) =>
      `| \`${mutant.name}\` | ${mutant.bug} | ${mutant.source} | ${mutant.needs === undefined ? 'drawn' : 'its own'} | ${result.seeds ?? `more than ${seeds}`} | ${result.checker ?? ''} |`,
  );
  const brought = rows.filter(({ mutant }) => mutant.needs !== undefined).length;
  return `# Mutants

Known bugs of this field, planted one at a time, and how many seeds the simulator needs to catch each. Made by

    npx quorumark mutants --first ${first} --seeds ${seeds} --write

A mutant is a change of one module's compiled text, made while a process of its own loads it
(\`src/sim/mutants/\`); shipped code has no switch for it. The same seeds were run without the mutant, and pass.

Weather: \`drawn\` by the swarm, as for any seed, or \`its own\`, options and faults that the mutant insists on
(${brought} of ${rows.length}). Seeds under weather of its own do not say how soon the open swarm would meet the bug
([decision 011](decisions/011-a-mutant-brings-its-weather.md)).

| mutant | bug | source | weather | seeds | caught by |
|---|---|---|---|---|---|
${lines.join('\n')}
`;
}
