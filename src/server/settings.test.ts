/** What 1009 changes, refuses and ignores, and what 1010 lists. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResponseCode } from '../lib/codes.js';
import { parseConfigFiles } from './config-file.js';
import { Settings } from './settings.js';

const FILE = `controllerDLegerPeers=n0-127.0.0.1:9878;n1-127.0.0.1:9868
controllerDLegerSelfId=n0
controllerStorePath=/data/n0
mappedFileSize=1024
configBlackList=handoff
`;

function open(save: (changes: Readonly<Record<string, string>>) => void = () => {}) {
  const saved: Readonly<Record<string, string>>[] = [];
  const { config, properties } = parseConfigFiles([{ file: 'n0.properties', text: FILE }]);
  const settings = new Settings({
    config,
    properties,
    save: (changes) => {
      save(changes);
      saved.push(changes);
    },
  });
  return { settings, saved };
}

/** One property as 1010 lists it; null when it is not there. */
function listed(settings: Settings, key: string): string | null {
  const line = settings
    .list()
    .split('\n')
    .find((each) => each.startsWith(`${key}=`));
  return line?.slice(key.length + 1) ?? null;
}

const taken: readonly {
  readonly what: string;
  readonly body: string;
  readonly saves: Readonly<Record<string, string>>;
}[] = [
  {
    what: 'one property',
    body: 'electMasterMaxRetryCount=7\n',
    saves: { electMasterMaxRetryCount: '7' },
  },
  {
    what: "several, in any of Java's notations",
    body: '# a comment\nelectMasterMaxRetryCount : 7\nenableElectUncleanMaster tr\\\n  ue',
    saves: { electMasterMaxRetryCount: '7', enableElectUncleanMaster: 'true' },
  },
  {
    what: 'the last of two equal keys',
    body: 'electMasterMaxRetryCount=5\nelectMasterMaxRetryCount=6',
    saves: { electMasterMaxRetryCount: '6' },
  },
  {
    what: 'blanks around a value aside',
    body: 'durability = group \n',
    saves: { durability: 'group' },
  },
  {
    what: "the field's name of processReadEvent",
    body: 'isProcessReadEvent=true',
    saves: { processReadEvent: 'true' },
  },
  {
    what: 'what is read at the next start',
    body: 'connectionsMax=500',
    saves: { connectionsMax: '500' },
  },
  {
    what: 'a name without effect here',
    body: 'mappedFileSize=2048',
    saves: { mappedFileSize: '2048' },
  },
];
for (const { what, body, saves } of taken) {
  test(`an update takes ${what}`, () => {
    const { settings, saved } = open();
    assert.deepEqual(settings.update(Buffer.from(body)), {
      ok: true,
      changed: Object.keys(saves),
      ignored: [],
    });
    assert.deepEqual(saved, [saves]);
    for (const [key, value] of Object.entries(saves)) assert.equal(listed(settings, key), value);
  });
}

const without: readonly (readonly [
  what: string,
  body: string | null,
  ignored: readonly string[],
])[] = [
  ['no body', null, []],
  ['an empty body', '', []],
  ['a comment', '#comment only', []],
  ['a name that nobody knows', 'warpSpeed=9', ['warpSpeed']],
];
for (const [what, body, ignored] of without) {
  test(`an update of ${what} succeeds and changes nothing`, () => {
    const { settings, saved } = open();
    const before = settings.list();
    const outcome = settings.update(body === null ? null : Buffer.from(body));
    assert.deepEqual(outcome, { ok: true, changed: [], ignored });
    assert.deepEqual([settings.list(), saved], [before, []]);
  });
}

const { NoPermission, SystemError } = ResponseCode;
const blackListed = 'Can not update config in black list.';
const refused: readonly (readonly [body: string | Buffer, code: ResponseCode, remark: string])[] = [
  ['configStorePath=/x', NoPermission, blackListed],
  ['configBlackList=x', NoPermission, blackListed],
  ['rocketmqHome=/x\nelectMasterMaxRetryCount=7', NoPermission, blackListed],
  ['handoff=poll', NoPermission, blackListed],
  ...['tls.server.mode=disabled', 'memberAllowList=*', 'bindAddress=0.0.0.0'].map(
    (body) =>
      [
        body,
        NoPermission,
        `Can not update ${body.split('=')[0]}: it says who may talk to this controller. Change its file and restart it.`,
      ] as const,
  ),
  [
    'controllerStorePath=/x',
    NoPermission,
    'Can not update controllerStorePath: it says who this controller is. Change its file and restart it.',
  ],
  [
    'controllerDLegerSelfId=n1',
    NoPermission,
    'Can not update controllerDLegerSelfId: it says who this controller is. Change its file and restart it.',
  ],
  ['a=\\u12', SystemError, 'string2Properties error'],
  [Buffer.from([0xff, 0xfe, 0x3d, 0x31]), SystemError, 'string2Properties error'],
  [
    'electMasterMaxRetryCount=x',
    SystemError,
    'electMasterMaxRetryCount=x: must be an integer in [1, 100]',
  ],
  [
    'enableElectUncleanMaster=true\nelectMasterMaxRetryCount=-4',
    SystemError,
    'electMasterMaxRetryCount=-4: must be an integer in [1, 100]',
  ],
  [
    'enableElectUncleanMaster=yes',
    SystemError,
    'enableElectUncleanMaster=yes: must be true or false',
  ],
  ['notifyBrokerRoleChanged', SystemError, 'notifyBrokerRoleChanged=: must be true or false'],
  [
    `metricsLabel=${'x'.repeat(65_536)}`,
    SystemError,
    '65549 bytes of properties are more than 65536',
  ],
];
for (const [body, code, remark] of refused) {
  test(`an update is refused with ${code} ${remark}`, () => {
    const { settings, saved } = open();
    const before = [settings.list(), settings.config];
    assert.deepEqual(settings.update(Buffer.from(body)), { ok: false, code, remark });
    assert.deepEqual([settings.list(), settings.config], before);
    assert.deepEqual(saved, []);
  });
}

test('an update that cannot be saved changes nothing', () => {
  const { settings } = open(() => {
    throw Object.assign(new Error('read-only file system'), { code: 'EROFS' });
  });
  const before = [settings.list(), settings.config];
  assert.deepEqual(settings.update(Buffer.from('enableElectUncleanMaster=true')), {
    ok: false,
    code: SystemError,
    remark: 'cannot save the configuration: EROFS',
  });
  assert.deepEqual([settings.list(), settings.config], before);
});

test('four properties take effect at once, the others at the next start', () => {
  const { settings } = open();
  const before = settings.config;
  settings.update(
    Buffer.from(
      'electMasterMaxRetryCount=9\nenableElectUncleanMaster=true\nnotifyBrokerRoleChanged=false\n' +
        'processReadEvent=true\nscanInactiveMasterInterval=77\nconnectionsMax=78\ndurability=each\n',
    ),
  );
  assert.deepEqual(settings.config, {
    ...before,
    electMasterAttemptsMax: 9,
    enableElectUncleanMaster: true,
    notifyBrokerRoleChanged: false,
    processReadEvent: true,
  });
});

test('the list is sorted, whole, and read back as the configuration that it shows', () => {
  const { settings } = open();
  settings.update(Buffer.from('processReadEvent=true'));
  const lines = settings.list().trimEnd().split('\n');
  const names = lines.map((line) => line.slice(0, line.indexOf('=')));
  assert.deepEqual(names, [...names].sort());
  assert.equal(listed(settings, 'isProcessReadEvent'), 'true');
  assert.equal(listed(settings, 'mappedFileSize'), '1024');
  assert.equal(listed(settings, 'httpPort'), '10878');
  assert.equal(listed(settings, 'durability'), 'background');
  const again = parseConfigFiles([{ file: 'dump', text: settings.list() }]).config;
  assert.deepEqual({ ...again, warnings: [] }, { ...settings.config, warnings: [] });
});

test('passwords are not listed', () => {
  const text = `${FILE}tls.server.keyPassword=secret\n`;
  const { config, properties } = parseConfigFiles([{ file: 'n0.properties', text }]);
  const settings = new Settings({ config, properties, save: () => {} });
  assert.equal(listed(settings, 'tls.server.keyPassword'), '******');
});
