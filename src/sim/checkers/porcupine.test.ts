/** Our checker against Porcupine, where Go is there to build it. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { Prng } from '../../lib/prng.js';
import { projectRoot } from '../../lib/project-root.js';
import { type KvCallInput, type KvCallOutput, kvModel } from './kv-model.js';
import { type Call, checkLinearizable } from './linearizability.js';

const HISTORIES = 2_000;
const END = 1_000;

test('Porcupine gives the same verdicts', (context) => {
  const directory = join(projectRoot(), 'tools', 'porcupine');
  const program = build(directory);
  if (program === null) {
    context.skip('Go, or the module that it needs, is not here');
    return;
  }
  const chance = new Prng(77);
  const histories = Array.from({ length: HISTORIES }, () => randomHistory(chance));
  const input = histories.map((calls) => JSON.stringify(calls.map(forPorcupine))).join('\n');
  const output = execFileSync(program, { input, encoding: 'utf8', maxBuffer: 1 << 26 });
  const theirs = output.trim().split('\n');
  assert.equal(theirs.length, HISTORIES);
  let linearizable = 0;
  for (const [i, calls] of histories.entries()) {
    const ours = checkLinearizable(calls, kvModel).kind === 'linearizable';
    assert.equal(String(ours), theirs[i], JSON.stringify(calls));
    linearizable += Number(ours);
  }
  assert(linearizable > 100 && linearizable < HISTORIES - 100, String(linearizable));
});

function build(directory: string): string | null {
  const program = join(projectRoot(), '.build', 'porcupine');
  const built = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: directory,
    timeout: 120_000,
  });
  return built.status === 0 ? program : null;
}

type KvCall = Call<KvCallInput, KvCallOutput>;

/** Run against a real register, with some answers falsified and some lost. */
function randomHistory(chance: Prng): KvCall[] {
  const calls: KvCall[] = [];
  let state: number | null = null;
  let at = 0;
  for (let i = chance.between(4, 14); i > 0; i -= 1) {
    at += chance.between(1, 10);
    const kind = chance.pick(['put', 'get', 'cas', 'delete'] as const);
    const input = { kind, value: chance.between(1, 3), expected: chance.pick([null, 1, 2, 3]) };
    const before: number | null = state;
    const isSame = input.expected === before;
    if (kind === 'put' || (kind === 'cas' && isSame)) state = input.value;
    if (kind === 'delete') state = null;
    const done = kind === 'cas' ? isSame : kind === 'delete' ? before !== null : true;
    const output = { done, value: chance.chance(0.08) ? chance.pick([null, 1, 2, 3]) : before };
    const isLost = kind !== 'get' && chance.chance(0.1);
    const span = chance.between(1, 25);
    const calledAt = at - chance.between(0, Math.min(at, span));
    calls.push({
      input,
      output: isLost ? null : output,
      calledAt,
      returnedAt: isLost ? Number.POSITIVE_INFINITY : at + span,
    });
  }
  return calls;
}

function forPorcupine({ calledAt, input, output, returnedAt }: KvCall) {
  return {
    Kind: input.kind,
    Value: input.value ?? -1,
    Expected: input.expected ?? -1,
    Known: output !== null,
    Done: output?.done ?? false,
    Read: output?.value ?? -1,
    Call: calledAt * 2,
    // Answers come after calls of the same moment, as ours are read.
    Return: returnedAt === Number.POSITIVE_INFINITY ? END : returnedAt * 2 + 1,
  };
}
