/** Which files configure a controller, what they mean, and how the others are refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, type ControllerConfig, controllerConfig } from './config.js';
import { parseControllerProperties } from './config-file.js';

const REQUIRED =
  'controllerDLegerPeers=n0-127.0.0.1:9878;n1-127.0.0.1:9868\ncontrollerDLegerSelfId=n0\n';
const read = (lines: string, overrides = {}): ControllerConfig =>
  parseControllerProperties('c.properties', REQUIRED + lines, overrides);

const noFiles = { certPath: '', keyPath: '', keyPassword: '', trustCertPath: '' };

test('a file with the mandatory properties alone gives the documented defaults', () => {
  const config = read('controllerStorePath=/data/n0');
  const { peers, ...rest } = config;
  assert.deepEqual(
    peers.map(({ id, host, port, address }) => [id, host, port, address]),
    [
      ['n0', '127.0.0.1', 9878, '127.0.0.1:9878'],
      ['n1', '127.0.0.1', 9868, '127.0.0.1:9868'],
    ],
  );
  assert.deepEqual(rest, {
    group: 'quorumark',
    selfId: 'n0',
    storePath: '/data/n0',
    bindAddress: '127.0.0.1',
    scanNotActiveBrokerIntervalMs: 5_000,
    scanInactiveMasterIntervalMs: 5_000,
    handlersMax: 16,
    handlerQueueMax: 50_000,
    electMasterAttemptsMax: 3,
    enableElectUncleanMaster: false,
    processReadEvent: false,
    notifyBrokerRoleChanged: true,
    connectionIdleMs: 120_000,
    durability: 'background',
    handoff: 'wake',
    electionProfile: 'fast',
    electionRule: 'dledger',
    preferredLeader: null,
    leaseReads: false,
    clockDriftMax: 0.1,
    snapshotEveryEntries: 100_000,
    entriesKept: 20_000,
    rebuildFromPeers: false,
    isJoining: false,
    followerReads: true,
    httpHost: '127.0.0.1',
    httpPort: 10_878,
    requestsWaitingMax: 20_000,
    connectionsMax: 10_000,
    connectionsPerAddressMax: 0,
    requestsPerSecondPerAddressMax: 0,
    unfinishedBytesPerAddressMax: 268_435_456,
    frameBytesMax: 16_777_216,
    frameTimeoutMs: 30_000,
    handshakeTimeoutMs: 10_000,
    firstFrameTimeoutMs: 0,
    memberAllowList: [],
    memberTls: false,
    tls: {
      mode: 'disabled',
      clientAuth: 'none',
      server: noFiles,
      dials: false,
      client: noFiles,
      verifyServer: true,
    },
    warnings: [],
  });
});

test('a configuration made in code has the same defaults as one from a file', () => {
  const { peers, selfId, storePath, ...fromFile } = read('controllerStorePath=/data/n0');
  assert.deepEqual(controllerConfig({ peers, selfId, storePath }), {
    ...fromFile,
    peers,
    selfId,
    storePath,
  });
});

const SERVES_TLS = 'tls.server.mode=permissive\ntls.server.certPath=c\ntls.server.keyPath=k\n';
const MEMBERS_TLS = `${SERVES_TLS}tls.server.trustCertPath=ca
memberTls=true
tls.client.certPath=c
tls.client.keyPath=k
tls.client.trustCertPath=ca`;

const taken: readonly {
  readonly line: string;
  readonly field: (config: ControllerConfig) => unknown;
  readonly is: unknown;
}[] = [
  { line: 'controllerDLegerGroup=g1', field: (c) => c.group, is: 'g1' },
  {
    line: 'scanNotActiveBrokerInterval: 250',
    field: (c) => c.scanNotActiveBrokerIntervalMs,
    is: 250,
  },
  { line: 'scanInactiveMasterInterval=250', field: (c) => c.scanInactiveMasterIntervalMs, is: 250 },
  { line: 'controllerThreadPoolNums=4', field: (c) => c.handlersMax, is: 4 },
  { line: 'controllerRequestThreadPoolQueueCapacity=9', field: (c) => c.handlerQueueMax, is: 9 },
  { line: 'electMasterMaxRetryCount=1', field: (c) => c.electMasterAttemptsMax, is: 1 },
  { line: 'enableElectUncleanMaster=TRUE', field: (c) => c.enableElectUncleanMaster, is: true },
  { line: 'processReadEvent=true', field: (c) => c.processReadEvent, is: true },
  { line: 'isProcessReadEvent=true', field: (c) => c.processReadEvent, is: true },
  { line: 'notifyBrokerRoleChanged=false', field: (c) => c.notifyBrokerRoleChanged, is: false },
  { line: 'serverChannelMaxIdleTimeSeconds=2', field: (c) => c.connectionIdleMs, is: 2_000 },
  { line: 'bindAddress=127.0.0.1', field: (c) => c.bindAddress, is: '127.0.0.1' },
  { line: 'durability=group', field: (c) => c.durability, is: 'group' },
  { line: 'handoff=poll', field: (c) => c.handoff, is: 'poll' },
  { line: 'electionProfile=dledger', field: (c) => c.electionProfile, is: 'dledger' },
  { line: 'followerReads=false', field: (c) => c.followerReads, is: false },
  { line: 'httpPort=0', field: (c) => c.httpPort, is: 0 },
  { line: 'requestsWaitingMax=7', field: (c) => c.requestsWaitingMax, is: 7 },
  { line: 'connectionsMax=8', field: (c) => c.connectionsMax, is: 8 },
  { line: 'connectionsPerAddressMax=8', field: (c) => c.connectionsPerAddressMax, is: 8 },
  {
    line: 'requestsPerSecondPerAddressMax=8',
    field: (c) => c.requestsPerSecondPerAddressMax,
    is: 8,
  },
  {
    line: 'unfinishedBytesPerAddressMax=33554432',
    field: (c) => c.unfinishedBytesPerAddressMax,
    is: 33_554_432,
  },
  { line: 'frameBytesMax=2097152', field: (c) => c.frameBytesMax, is: 2_097_152 },
  { line: 'frameTimeoutMs=100', field: (c) => c.frameTimeoutMs, is: 100 },
  { line: 'handshakeTimeoutMs=100', field: (c) => c.handshakeTimeoutMs, is: 100 },
  { line: 'firstFrameTimeoutMs=100', field: (c) => c.firstFrameTimeoutMs, is: 100 },
  {
    line: 'memberAllowList=10.0.0.1;n9.example',
    field: (c) => c.memberAllowList,
    is: ['10.0.0.1', 'n9.example'],
  },
  { line: 'memberAllowList=*', field: (c) => c.memberAllowList, is: ['*'] },
  {
    line: 'tls.server.mode=enforcing\ntls.server.certPath=c\ntls.server.keyPath=k',
    field: (c) => [c.tls.mode, c.tls.server.certPath, c.tls.server.keyPath],
    is: ['enforcing', 'c', 'k'],
  },
  {
    line: `${SERVES_TLS}tls.server.need.client.auth=require\ntls.server.trustCertPath=ca`,
    field: (c) => [c.tls.clientAuth, c.tls.server.trustCertPath],
    is: ['require', 'ca'],
  },
  {
    line: `${SERVES_TLS}tls.server.keyPassword=p`,
    field: (c) => c.tls.server.keyPassword,
    is: 'p',
  },
  { line: 'tls.enable=true', field: (c) => c.tls.dials, is: true },
  { line: 'tls.client.authServer=false', field: (c) => c.tls.verifyServer, is: false },
  { line: MEMBERS_TLS, field: (c) => [c.memberTls, c.tls.client.keyPath], is: [true, 'k'] },
  // A group that lives on one machine is not offered to others; one that does not must be.
  { line: 'controllerDLegerPeers=n0-[::1]:1', field: (c) => c.bindAddress, is: '::1' },
  { line: 'controllerDLegerPeers=n0-localhost:1', field: (c) => c.bindAddress, is: 'localhost' },
  { line: 'controllerDLegerPeers=n0-10.0.0.1:1', field: (c) => c.bindAddress, is: '0.0.0.0' },
  { line: 'controllerDLegerPeers=n0-n0.example:1', field: (c) => c.bindAddress, is: '0.0.0.0' },
  {
    line: 'controllerDLegerPeers=n0-a-b.example:1;',
    field: (c) => c.peers[0]?.host,
    is: 'a-b.example',
  },
  { line: 'controllerDLegerPeers=n0-[::1]:9878', field: (c) => c.peers[0]?.host, is: '::1' },
  {
    line: 'mappedFileSize=1024',
    field: (c) => c.warnings,
    is: ['c.properties:3: mappedFileSize has no effect on this controller'],
  },
  {
    line: 'durability=each\ndurability=group',
    field: (c) => [c.durability, ...c.warnings],
    is: ['group', 'c.properties:4: durability replaces c.properties:3'],
  },
];
for (const { line, field, is } of taken) {
  test(`property: ${line.replaceAll('\n', ' ⏎ ')}`, () => assert.deepEqual(field(read(line)), is));
}

test('the command line wins over the file', () => {
  assert.equal(read('durability=each', { durability: 'group' }).durability, 'group');
});

const refused: readonly (readonly [text: string, message: string])[] = [
  [
    'controllerDLegerSelfId=n0',
    'c.properties: controllerDLegerPeers is missing: it must be a list like n0-127.0.0.1:9878;n1-127.0.0.1:9868;n2-127.0.0.1:9858',
  ],
  [
    'controllerDLegerPeers=n0-127.0.0.1:9878',
    'c.properties: controllerDLegerSelfId is missing: it must be the id of this member among controllerDLegerPeers',
  ],
  [
    `${REQUIRED}electMasterMaxRetryCount=many`,
    'c.properties:3: electMasterMaxRetryCount=many: must be an integer in [1, 100]',
  ],
  [
    `${REQUIRED}electMasterMaxRetryCount=101`,
    'c.properties:3: electMasterMaxRetryCount=101: must be an integer in [1, 100]',
  ],
  [
    `${REQUIRED}\nprocessReadEvent=yes`,
    'c.properties:4: processReadEvent=yes: must be true or false',
  ],
  [
    `${REQUIRED}durability=always`,
    'c.properties:3: durability=always: must be one of background, group, each',
  ],
  [
    `${REQUIRED}controllerDLegerSelfId=n7`,
    'c.properties: controllerDLegerSelfId=n7: must be one of controllerDLegerPeers (n0, n1)',
  ],
  [
    `${REQUIRED}controllerDLegerPeers=n0-h:1;n0-h:2`,
    'c.properties: controllerDLegerPeers: ids and addresses must differ (n0-h:1;n0-h:2)',
  ],
  [
    'controllerDLegerSelfId=n0\ncontrollerDLegerPeers=n0-h:70000',
    'c.properties:2: controllerDLegerPeers=n0-h:70000: must be a list like n0-127.0.0.1:9878;n1-127.0.0.1:9868;n2-127.0.0.1:9858, 1 to 9 members',
  ],
  [
    'controllerDLegerSelfId=n0\ncontrollerDLegerPeers=n0-h:65000',
    'c.properties: httpPort: own port 65000 + 1000 is not a port; set httpPort (0 turns it off)',
  ],
  [
    `${REQUIRED}controllerDLedgerGroup=g`,
    'c.properties:3: unknown property controllerDLedgerGroup; did you mean controllerDLegerGroup?',
  ],
  [
    `${REQUIRED}tls.server.mode=permissive`,
    'c.properties: tls.server.certPath is missing: tls.server.mode=permissive needs it',
  ],
  [
    `${REQUIRED}${SERVES_TLS}tls.server.need.client.auth=require`,
    'c.properties: tls.server.trustCertPath is missing: tls.server.need.client.auth=require needs it',
  ],
  [
    `${REQUIRED}${SERVES_TLS}tls.server.need.client.auth=optional\ntls.server.authClient=false`,
    'c.properties: tls.server.authClient=false: a certificate that tls.server.need.client.auth=optional asks for is always checked here',
  ],
  [
    `${REQUIRED}tls.server.need.client.auth=require`,
    'c.properties: tls.server.need.client.auth=require: tls.server.mode is disabled',
  ],
  [`${REQUIRED}memberTls=true`, 'c.properties: memberTls=true: tls.server.mode is disabled'],
  [
    `${REQUIRED}${MEMBERS_TLS}\ntls.client.authServer=false`,
    'c.properties: memberTls=true: tls.client.authServer is false',
  ],
  [
    `${REQUIRED}${MEMBERS_TLS}\ntls.client.trustCertPath=`,
    'c.properties: tls.client.trustCertPath is missing: memberTls=true needs it',
  ],
  [
    `${REQUIRED}tls.client.certPath=c`,
    'c.properties: tls.client.keyPath is missing: the other of the two needs it',
  ],
  [
    `${REQUIRED}memberAllowList=10.0.0.0/8`,
    'c.properties:3: memberAllowList=10.0.0.0/8: must be host names or addresses without ports, separated by ;, or * for any',
  ],
  [
    `${REQUIRED}frameBytesMax=1000`,
    'c.properties:3: frameBytesMax=1000: must be an integer in [2097152, 16777216]',
  ],
  [
    `${REQUIRED}frameBytesMax=4194304\nunfinishedBytesPerAddressMax=4194303`,
    'c.properties: unfinishedBytesPerAddressMax=4194303: must be 0 or at least frameBytesMax (4194304)',
  ],
  [`${REQUIRED}tls.ciphers=NULL`, 'c.properties:3: unknown property tls.ciphers'],
  [`${REQUIRED}warpSpeed=9`, 'c.properties:3: unknown property warpSpeed'],
  [`${REQUIRED}a=\\u12`, 'c.properties:3: malformed escape \\u12: \\u needs four hex digits'],
];
for (const [text, message] of refused) {
  test(`refused: ${message}`, () => {
    assert.throws(
      () => parseControllerProperties('c.properties', text),
      (error) => {
        assert(error instanceof ConfigError);
        assert.equal(error.code, 'CONFIG_INVALID');
        assert.equal(error.message, message);
        return true;
      },
    );
  });
}

test('a bad value from the command line is not blamed on the file', () => {
  assert.throws(() => read('', { handoff: 'push' }), {
    message: 'command line: handoff=push: must be one of wake, poll',
  });
});
