/** The life of member processes, with stubs for members: started, killed, brought back, never left behind. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { freeBasePort } from './free-ports.js';
import { type MemberSpec, ProcessGroup } from './process-group.js';
import { type MemberExit, TargetError } from './target.js';

const LISTENS = `process.send('listening'); process.on('disconnect', () => process.exit());`;
const FAILS = `console.error('first'); console.error('error: port 1 is in use'); process.exit(5);`;
const IGNORES_SIGTERM = `process.on('SIGTERM', () => {}); ${LISTENS}`;

function specs(directory: string, ...programs: readonly string[]): MemberSpec[] {
  return programs.map((program, index) => ({
    id: `n${index}`,
    address: `127.0.0.1:${index}`,
    httpAddress: null,
    command: process.execPath,
    args: ['-e', program],
    logFile: join(directory, `n${index}`, 'log'),
  }));
}

/** Signal 0 asks whether the process is there. */
function isAlive(pid: number | null): boolean {
  try {
    return pid !== null && process.kill(pid, 0);
  } catch {
    return false;
  }
}

function groupTest(name: string, body: (directory: string) => Promise<void>): void {
  test(`process group: ${name}`, { timeout: 30_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'quorumark-test-'));
    try {
      await body(directory);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

groupTest('closing ends every member, and none is reported as an exit', async (directory) => {
  const group = await ProcessGroup.start(specs(directory, LISTENS, LISTENS));
  const exits: MemberExit[] = [];
  group.onExit((exit) => exits.push(exit));
  const pids = group.members().map(({ pid }) => pid);
  assert.deepEqual(pids.map(isAlive), [true, true]);
  await group.close();
  assert.deepEqual(pids.map(isAlive), [false, false]);
  assert.deepEqual(exits, []);
});

groupTest('a killed member is reported, the others go on, and it comes back', async (directory) => {
  const group = await ProcessGroup.start(specs(directory, LISTENS, LISTENS));
  try {
    const reported = new Promise<MemberExit>((resolve) => group.onExit(resolve));
    const [, killed] = group.members();
    await group.kill('n1', 'SIGKILL');
    const { member, how, left } = await reported;
    assert.deepEqual({ member, how, left }, { member: killed, how: 'SIGKILL', left: 1 });
    assert.equal(group.isRunning('n0'), true);
    assert.equal(group.isRunning('n1'), false);

    const back = await group.restart('n1');
    assert.notEqual(back.pid, killed?.pid);
    assert.deepEqual(group.members()[1], back);
    assert.equal(isAlive(back.pid), true);
  } finally {
    await group.close();
  }
});

groupTest('a member that fails to start takes the others with it, by name', async (directory) => {
  const pidFile = `require('fs').writeFileSync(${JSON.stringify(join(directory, 'pid'))}, String(process.pid));`;
  await assert.rejects(
    ProcessGroup.start(specs(directory, pidFile + LISTENS, FAILS)),
    (error) =>
      error instanceof TargetError &&
      error.code === 'START_FAILED' &&
      error.message === 'n1 did not start: port 1 is in use',
  );
  assert.equal(isAlive(Number(readFileSync(join(directory, 'pid'), 'utf8'))), false);
});

groupTest('a program that is not there is a failed start', async (directory) => {
  const [spec] = specs(directory, LISTENS);
  assert(spec !== undefined);
  await assert.rejects(
    ProcessGroup.start([{ ...spec, command: join(directory, 'nothing') }]),
    /n0 did not start: .*ENOENT/,
  );
});

groupTest('a stopped member is ended too', async (directory) => {
  const group = await ProcessGroup.start(specs(directory, LISTENS));
  const [member] = group.members();
  await group.kill('n0', 'SIGSTOP');
  assert.equal(group.isRunning('n0'), true);
  await group.close();
  assert.equal(isAlive(member?.pid ?? 0), false);
});

groupTest('a member that ignores SIGTERM is ended by force', async (directory) => {
  const group = await ProcessGroup.start(specs(directory, IGNORES_SIGTERM));
  const [member] = group.members();
  await group.close();
  assert.equal(isAlive(member?.pid ?? 0), false);
});

groupTest('a running member is not restarted, an unknown one is named', async (directory) => {
  const group = await ProcessGroup.start(specs(directory, LISTENS));
  try {
    await assert.rejects(group.restart('n0'), { code: 'NOT_EXITED' });
    await assert.rejects(group.kill('n7', 'SIGKILL'), { code: 'UNKNOWN_MEMBER' });
  } finally {
    await group.close();
  }
});

groupTest('members go when their parent is killed', async (directory) => {
  const module = new URL('./process-group.js', import.meta.url).href;
  const gone = join(directory, 'gone');
  const member = `${LISTENS} process.on('exit', () => fs.writeFileSync(${JSON.stringify(gone)}, ''));`;
  const program = `
    import { ProcessGroup } from ${JSON.stringify(module)};
    await ProcessGroup.start(${JSON.stringify(specs(directory, member))});
    console.log('started');`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(parent.stdout, 'data');
  assert.equal(existsSync(gone), false);
  parent.kill('SIGKILL');
  // Its exit is not ours to await: the test's timeout is the bound.
  while (!existsSync(gone)) await after(10);
});

test('free ports: a port in use is passed over', async () => {
  const base = await freeBasePort([0, 1]);
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(base + 101, '127.0.0.1', resolve));
  try {
    const next = await freeBasePort([0, 1]);
    assert.notEqual(next, base);
    assert.notEqual(next, base + 100);
  } finally {
    holder.close();
  }
});
