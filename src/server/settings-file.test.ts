/** Changes over the wire on disk: what the next start reads, and what of the file they leave alone. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSettings } from './settings-file.js';

const FILE = `# member n0
controllerDLegerPeers=n0-127.0.0.1:9878
controllerDLegerSelfId=n0
electMasterMaxRetryCount=2
`;
const update = Buffer.from('electMasterMaxRetryCount=9\nscanInactiveMasterInterval=77');

function inDirectory(name: string, body: (directory: string, file: string) => void): void {
  test(name, () => {
    const directory = mkdtempSync(join(tmpdir(), 'quorumark-test-'));
    const file = join(directory, 'n0.properties');
    writeFileSync(file, FILE);
    try {
      body(directory, file);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

inDirectory('an update survives a restart, and the rest of the file stays', (directory, file) => {
  assert.equal(openSettings(file, {}).settings.update(update).ok, true);
  const { electMasterAttemptsMax, scanInactiveMasterIntervalMs } = openSettings(file, {}).config;
  assert.deepEqual([electMasterAttemptsMax, scanInactiveMasterIntervalMs], [9, 77]);
  assert.equal(
    readFileSync(file, 'utf8'),
    FILE.replace('Count=2', 'Count=9').concat('scanInactiveMasterInterval=77\n'),
  );
  assert.deepEqual(readdirSync(directory), ['n0.properties'], 'no draft is left behind');
});

inDirectory('what the command line says is not overruled by what was saved', (_, file) => {
  openSettings(file, { durability: 'each' }).settings.update(Buffer.from('durability=group'));
  assert.equal(openSettings(file, { durability: 'each' }).config.durability, 'each');
  assert.equal(openSettings(file, {}).config.durability, 'group');
});

inDirectory('permissions and a link outlive an update', (directory, file) => {
  chmodSync(file, 0o600);
  const link = join(directory, 'link.properties');
  symlinkSync(file, link);
  openSettings(link, {}).settings.update(update);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(openSettings(file, {}).config.electMasterAttemptsMax, 9);
});

inDirectory(
  'configStorePath: changes go there, and it wins at the next start',
  (directory, file) => {
    const saved = join(directory, 'saved.properties');
    writeFileSync(file, `${FILE}configStorePath=${saved}\n`);
    const before = readFileSync(file, 'utf8');
    assert.equal(openSettings(file, {}).settings.update(update).ok, true);
    assert.equal(readFileSync(file, 'utf8'), before);
    assert.equal(readFileSync(saved, 'utf8'), `${update}\n`);
    const { config, settings } = openSettings(file, {});
    assert.equal(config.electMasterAttemptsMax, 9);
    assert.deepEqual(config.warnings, [`${saved}:1: electMasterMaxRetryCount replaces ${file}:4`]);
    assert.ok(settings.list().includes(`configStorePath=${saved}\n`));
  },
);

inDirectory('a fault in what was saved names its file and line', (directory, file) => {
  const saved = join(directory, 'saved.properties');
  writeFileSync(file, `${FILE}configStorePath=${saved}\n`);
  writeFileSync(saved, '\nhandoff=push\n');
  assert.throws(() => openSettings(file, {}), {
    message: `${saved}:2: handoff=push: must be one of wake, poll`,
  });
});

inDirectory(
  'a directory that is gone: the update is refused and nothing changes',
  (directory, file) => {
    writeFileSync(file, `${FILE}configStorePath=${join(directory, 'gone', 'saved.properties')}\n`);
    const { settings } = openSettings(file, {});
    assert.deepEqual(settings.update(update), {
      ok: false,
      code: 1,
      remark: 'cannot save the configuration: ENOENT',
    });
    assert.equal(settings.config.electMasterAttemptsMax, 2);
  },
);

inDirectory('a file as upstream saves it is taken', (_, file) => {
  const upstream = `${FILE}isProcessReadEvent=true\njraftConfig=org.apache.rocketmq.common.JraftConfig@40ef3420
serverSocketRcvBufSize=0\nserverSocketSndBufSize=0\nuseEpollNativeSelector=false
serverNettyWorkerGroupEnable=true\nserverPooledByteBufAllocatorEnable=true
writeBufferHighWaterMark=0\nwriteBufferLowWaterMark=0\nconfigBlackList=configBlackList;configStorePath\n`;
  writeFileSync(file, upstream);
  assert.equal(openSettings(file, {}).config.processReadEvent, true);
});
