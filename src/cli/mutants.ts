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
        const row = { mutant, result: await hunt(mutant, command) };
        rows.push(row);
        progress.end();
        console.log(lineOf(row, command));
        progress.at(rows.length);
      }
    }),
  );
  progress.end();
  rows.sort((a, b) => wanted.indexOf(a.mutant) - wanted.indexOf(b.mutant));
  const survived = rows.filter(({ result }) => result.seeds === null).length;
  console.log(`\n${rows.length - survived} of ${rows.length} mutants were caught`);
  if (command.write) writeFileSync(join(projectRoot(), 'docs', 'mutants.md'), page(rows, command));
  return survived === 0 ? ExitCode.Ok : ExitCode.CheckFailed;
}

function lineOf({ mutant, result }: Row, { seeds }: MutantsCommand): string {
  const how =
    result.seeds === null
      ? `SURVIVED ${seeds} seeds`
      : `${String(result.seeds).padStart(4)} seeds  ${result.checker}`;
  return `${mutant.name.padEnd(36)} ${how}`;
}

function hunt(mutant: Mutant, { first, seeds }: MutantsCommand): Promise<HuntResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [
        '--import',
        REGISTER,
        HUNT,
        String(first),
        String(seeds),
        JSON.stringify(mutant.needs ?? {}),
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, QUORUMARK_MUTANT: mutant.name },
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
      `| \`${mutant.name}\` | ${mutant.bug} | ${mutant.source} | ${result.seeds ?? `more than ${seeds}`} | ${result.checker ?? ''} |`,
  );
  return `# Mutants

Known bugs of this field, planted one at a time, and how many seeds the simulator needs to catch each. Made by

    npx quorumark mutants --first ${first} --seeds ${seeds} --write

A mutant is a change of one module's compiled text, made while a process of its own loads it
(\`src/sim/mutants/\`); shipped code has no switch for it. The same seeds pass without a mutant.

| mutant | bug | source | seeds | caught by |
|---|---|---|---|---|
${lines.join('\n')}
`;
}
