/**
 * Reads a controller's configuration file: upstream's property names where they exist, ours beside them.
 *
 * The only place where a configuration is doubted: what leaves here is whole, typed and in range.
 *
 * @source rocketmq ControllerConfig, NettyServerConfig (5.x, 8fc57f1)
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { clientAuths } from '../net/tls.js';
import {
  ConfigError,
  type ControllerConfig,
  controllerConfig,
  defaults,
  durabilities,
  electionProfiles,
  electionRules,
  handoffs,
  type Peer,
  PORT_MAX,
  tlsModes,
} from './config.js';
import { PropertiesError, parseProperties } from './properties.js';

/** One text of properties, and what messages call it. */
export interface PropertiesFile {
  readonly file: string;
  readonly text: string;
}

/** A configuration with the text that it was made of. */
export interface ConfigFile {
  readonly config: ControllerConfig;
  /** Every property that this controller knows, and what else the files hold, as a file would say it. */
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * Reads a controller's configuration from its file, or files: what a later one says wins.
 *
 * @param overrides properties from the command line, which win over the files.
 * @throws {ConfigError} naming place, property and value, and what is allowed, for the first fault.
 */
export function parseConfigFiles(
  files: readonly [PropertiesFile, ...PropertiesFile[]],
  overrides: Readonly<Record<string, string>> = {},
): ConfigFile {
  const collected = collect(files, overrides);
  const { values, places, withoutEffect, warnings } = collected;
  const [{ file }] = files;
  const result = propertiesSchema.safeParse(Object.fromEntries(values));
  if (result.success) {
    const config = fromProperties(`${file}: `, result.data, warnings);
    return { config, properties: { ...listed(result.data, values, config), ...withoutEffect } };
  }
  const issue = result.error.issues[0];
  const key = String(issue?.path[0] ?? '');
  const value = values.get(key);
  throw new ConfigError(
    value === undefined
      ? `${file}: ${key} is missing: it must be ${issue?.message}`
      : `${places.get(key)}: ${key}=${value}: must be ${issue?.message}`,
  );
}

/**
 * Reads a controller's configuration file.
 *
 * @param file names the text in messages.
 * @param overrides properties from the command line, which win over the file.
 * @throws {ConfigError} naming place, property and value, and what is allowed, for the first fault.
 */
export function parseControllerProperties(
  file: string,
  text: string,
  overrides: Readonly<Record<string, string>> = {},
): ControllerConfig {
  return parseConfigFiles([{ file, text }], overrides).config;
}

/**
 * A configuration from properties that no file holds yet.
 *
 * @throws {ConfigError} naming property and value, and what is allowed, for the first fault.
 */
export function configFromProperties(
  properties: Readonly<Record<string, string>>,
): ControllerConfig {
  const result = propertiesSchema.safeParse(properties);
  if (result.success) return fromProperties('', result.data, []);
  const issue = result.error.issues[0];
  const key = String(issue?.path[0] ?? '');
  throw new ConfigError(`${key}=${properties[key] ?? ''}: must be ${issue?.message}`);
}

/** The name under which this controller keeps a property, with an effect or without; null for strangers. */
export function knownProperty(written: string): string | null {
  const key = ALIASES[written] ?? written;
  return hasEffect(key) || WITHOUT_EFFECT.has(key) ? key : null;
}

export const hasEffect = (key: string): boolean => Object.hasOwn(propertiesSchema.shape, key);

/** The message of each schema completes the sentence "must be …". */
const integer = (min: number, max: number, fallback: number) => {
  const error = `an integer in [${min}, ${max}]`;
  return z
    .string()
    .regex(/^-?\d+$/, { error, abort: true })
    .transform(Number)
    .pipe(z.number().min(min, { error }).max(max, { error }))
    .default(fallback);
};
const flag = (fallback: boolean) =>
  z.stringbool({ truthy: ['true'], falsy: ['false'], error: 'true or false' }).default(fallback);
const choice = <const Values extends readonly [string, ...string[]]>(
  values: Values,
  fallback: Values[number],
) => z.enum(values, { error: `one of ${values.join(', ')}` }).default(fallback as never);
const name = (meaning: string) =>
  z.string(meaning).regex(/^\S+$/, { error: `${meaning}, without blanks` });

const PEERS = 'a list like n0-127.0.0.1:9878;n1-127.0.0.1:9868;n2-127.0.0.1:9858';
/** The id ends at the first dash, so a host name may hold more of them. */
const PEER = /^([^\s;:-]+)-((\[[0-9A-Fa-f:.]+\]|[^\s;:[\]]+):(\d{1,5}))$/;

const peers = z.string(PEERS).transform((text, context): Peer[] => {
  const listed = text.split(';').filter((part) => part.trim() !== '');
  const read = listed.map((part) => PEER.exec(part.trim()));
  const found = read.flatMap((match): Peer[] => {
    const [, id, address, host, port] = match ?? [];
    if (id === undefined || address === undefined || host === undefined) return [];
    if (Number(port) < 1 || Number(port) > PORT_MAX) return [];
    return [{ id, address, host: host.replace(/^\[|\]$/g, ''), port: Number(port) }];
  });
  if (found.length === 0 || found.length < listed.length || found.length > MEMBERS_MAX) {
    context.issues.push({
      code: 'custom',
      message: `${PEERS}, 1 to ${MEMBERS_MAX} members`,
      input: text,
    });
    return z.NEVER;
  }
  return found;
});
/** More members only slow a quorum down. */
const MEMBERS_MAX = 9;

const HOSTS = 'host names or addresses without ports, separated by ;, or * for any';
const hosts = z
  .string()
  .regex(/^(\*|[^\s;*/]+(;[^\s;*/]+)*;?|)$/, { error: HOSTS })
  .transform((text) => text.split(';').filter((host) => host !== ''));
const path = z.string().default('');
/** A push of entries must fit. */
const FRAME_BYTES_MIN = 2 * 1024 * 1024;

const propertiesSchema = z.strictObject({
  controllerDLegerGroup: name('a group name').default(defaults.group),
  controllerDLegerSelfId: name('the id of this member among controllerDLegerPeers'),
  controllerDLegerPeers: peers,
  controllerStorePath: z.string().default(''),
  bindAddress: name('an address to listen on').optional(),
  scanNotActiveBrokerInterval: integer(10, 3_600_000, defaults.scanNotActiveBrokerIntervalMs),
  scanInactiveMasterInterval: integer(10, 3_600_000, defaults.scanInactiveMasterIntervalMs),
  controllerThreadPoolNums: integer(1, 1_024, defaults.handlersMax),
  controllerRequestThreadPoolQueueCapacity: integer(1, 10_000_000, defaults.handlerQueueMax),
  electMasterMaxRetryCount: integer(1, 100, defaults.electMasterAttemptsMax),
  enableElectUncleanMaster: flag(defaults.enableElectUncleanMaster),
  processReadEvent: flag(defaults.processReadEvent),
  notifyBrokerRoleChanged: flag(defaults.notifyBrokerRoleChanged),
  serverChannelMaxIdleTimeSeconds: integer(1, 86_400, defaults.connectionIdleMs / 1_000),
  durability: choice(durabilities, defaults.durability),
  handoff: choice(handoffs, defaults.handoff),
  electionProfile: choice(electionProfiles, defaults.electionProfile),
  electionRule: choice(electionRules, defaults.electionRule),
  preferredLeaderId: z.string().default(''),
  leaseReads: flag(defaults.leaseReads),
  clockDriftPercentMax: integer(0, 90, defaults.clockDriftMax * 100),
  snapshotEveryEntries: integer(1, 1_000_000_000, defaults.snapshotEveryEntries),
  entriesKept: integer(0, 1_000_000_000, defaults.entriesKept),
  rebuildFromPeers: flag(defaults.rebuildFromPeers),
  join: flag(defaults.isJoining),
  followerReads: flag(defaults.followerReads),
  httpHost: name('an address to listen on').default(defaults.httpHost),
  httpPort: integer(0, PORT_MAX, -1),
  requestsWaitingMax: integer(1, 1_000_000, defaults.requestsWaitingMax),
  connectionsMax: integer(1, 1_000_000, defaults.connectionsMax),
  configStorePath: z.string().default(''),
  configBlackList: z.string().default('configBlackList;configStorePath'),
  connectionsPerAddressMax: integer(0, 1_000_000, defaults.connectionsPerAddressMax),
  requestsPerSecondPerAddressMax: integer(0, 10_000_000, defaults.requestsPerSecondPerAddressMax),
  unfinishedBytesPerAddressMax: integer(
    0,
    Number.MAX_SAFE_INTEGER,
    defaults.unfinishedBytesPerAddressMax,
  ),
  frameBytesMax: integer(FRAME_BYTES_MIN, defaults.frameBytesMax, defaults.frameBytesMax),
  frameTimeoutMs: integer(100, 3_600_000, defaults.frameTimeoutMs),
  handshakeTimeoutMs: integer(100, 3_600_000, defaults.handshakeTimeoutMs),
  firstFrameTimeoutMs: integer(0, 3_600_000, defaults.firstFrameTimeoutMs),
  memberAllowList: hosts.default(() => []),
  memberTls: flag(defaults.memberTls),
  'tls.server.mode': choice(tlsModes, defaults.tls.mode),
  'tls.server.need.client.auth': choice(clientAuths, defaults.tls.clientAuth),
  'tls.server.authClient': flag(true),
  'tls.server.certPath': path,
  'tls.server.keyPath': path,
  'tls.server.keyPassword': path,
  'tls.server.trustCertPath': path,
  'tls.enable': flag(defaults.tls.dials),
  'tls.client.authServer': flag(defaults.tls.verifyServer),
  'tls.client.certPath': path,
  'tls.client.keyPath': path,
  'tls.client.keyPassword': path,
  'tls.client.trustCertPath': path,
});
type Properties = z.output<typeof propertiesSchema>;

/** Each property as it was written, or as its default would be. */
function listed(
  read: Properties,
  written: ReadonlyMap<string, string>,
  { storePath, httpPort }: ControllerConfig,
): Record<string, string> {
  const followed = { ...read, controllerStorePath: storePath, httpPort };
  return Object.fromEntries(
    Object.entries(followed).map(([key, value]) => [key, written.get(key) ?? String(value)]),
  );
}

/** @param place before the message of a fault that no single line has made */
function fromProperties(
  place: string,
  properties: Properties,
  warnings: readonly string[],
): ControllerConfig {
  const { controllerDLegerSelfId: selfId, controllerStorePath, httpPort } = properties;
  try {
    return controllerConfig({
      group: properties.controllerDLegerGroup,
      selfId,
      peers: properties.controllerDLegerPeers,
      storePath: controllerStorePath || join(homedir(), 'DLedgerController', selfId),
      ...(properties.bindAddress !== undefined && { bindAddress: properties.bindAddress }),
      scanNotActiveBrokerIntervalMs: properties.scanNotActiveBrokerInterval,
      scanInactiveMasterIntervalMs: properties.scanInactiveMasterInterval,
      handlersMax: properties.controllerThreadPoolNums,
      handlerQueueMax: properties.controllerRequestThreadPoolQueueCapacity,
      electMasterAttemptsMax: properties.electMasterMaxRetryCount,
      enableElectUncleanMaster: properties.enableElectUncleanMaster,
      processReadEvent: properties.processReadEvent,
      notifyBrokerRoleChanged: properties.notifyBrokerRoleChanged,
      connectionIdleMs: properties.serverChannelMaxIdleTimeSeconds * 1_000,
      durability: properties.durability,
      handoff: properties.handoff,
      electionProfile: properties.electionProfile,
      electionRule: properties.electionRule,
      preferredLeader: properties.preferredLeaderId === '' ? null : properties.preferredLeaderId,
      leaseReads: properties.leaseReads,
      clockDriftMax: properties.clockDriftPercentMax / 100,
      snapshotEveryEntries: properties.snapshotEveryEntries,
      entriesKept: properties.entriesKept,
      rebuildFromPeers: properties.rebuildFromPeers,
      isJoining: properties.join,
      followerReads: properties.followerReads,
      httpHost: properties.httpHost,
      ...(httpPort >= 0 && { httpPort }),
      requestsWaitingMax: properties.requestsWaitingMax,
      connectionsMax: properties.connectionsMax,
      connectionsPerAddressMax: properties.connectionsPerAddressMax,
      requestsPerSecondPerAddressMax: properties.requestsPerSecondPerAddressMax,
      unfinishedBytesPerAddressMax: properties.unfinishedBytesPerAddressMax,
      frameBytesMax: properties.frameBytesMax,
      frameTimeoutMs: properties.frameTimeoutMs,
      handshakeTimeoutMs: properties.handshakeTimeoutMs,
      firstFrameTimeoutMs: properties.firstFrameTimeoutMs,
      memberAllowList: properties.memberAllowList,
      memberTls: properties.memberTls,
      tls: tlsFrom(properties),
      warnings,
    });
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${place}${error.message}`);
    throw error;
  }
}

function tlsFrom(properties: Properties): ControllerConfig['tls'] {
  const clientAuth = properties['tls.server.need.client.auth'];
  if (clientAuth !== 'none' && !properties['tls.server.authClient']) {
    throw new ConfigError(
      `tls.server.authClient=false: a certificate that tls.server.need.client.auth=${clientAuth} asks for is always checked here`,
    );
  }
  const files = (side: 'tls.server' | 'tls.client') => ({
    certPath: properties[`${side}.certPath`],
    keyPath: properties[`${side}.keyPath`],
    keyPassword: properties[`${side}.keyPassword`],
    trustCertPath: properties[`${side}.trustCertPath`],
  });
  return {
    mode: properties['tls.server.mode'],
    clientAuth,
    server: files('tls.server'),
    dials: properties['tls.enable'],
    client: files('tls.client'),
    verifyServer: properties['tls.client.authServer'],
  };
}

/** Upstream lists this one under the field's name and sets it under the setter's. */
const ALIASES: Readonly<Record<string, string>> = { isProcessReadEvent: 'processReadEvent' };

/** Upstream's keys that mean nothing here: taken, so that an operator's file can be used as it is. */
const WITHOUT_EFFECT = new Set([
  ...['controllerType', 'mappedFileSize', 'rocketmqHome', 'jraftConfig'],
  ...['metricsExporterType', 'metricsGrpcExporterTarget', 'metricsGrpcExporterHeader'],
  ...['metricGrpcExporterTimeOutInMills', 'metricGrpcExporterIntervalInMills'],
  ...['metricLoggingExporterIntervalInMills', 'metricsPromExporterPort', 'metricsPromExporterHost'],
  ...['metricsLabel', 'metricsInDelta'],
  ...['jRaftElectionTimeoutMs', 'jRaftScanWaitTimeoutMs', 'jRaftSnapshotIntervalSecs'],
  ...['jRaftGroupId', 'jRaftServerId', 'jRaftInitConf', 'jRaftControllerRPCAddr'],
  ...[
    'listenPort',
    'serverWorkerThreads',
    'serverCallbackExecutorThreads',
    'serverSelectorThreads',
  ],
  ...['serverOnewaySemaphoreValue', 'serverAsyncSemaphoreValue', 'serverSocketBacklog'],
  ...['serverSocketSndBufSize', 'serverSocketRcvBufSize', 'useEpollNativeSelector'],
  ...['writeBufferHighWaterMark', 'writeBufferLowWaterMark', 'serverNettyWorkerGroupEnable'],
  ...['serverPooledByteBufAllocatorEnable', 'enableShutdownGracefully', 'shutdownWaitTimeSeconds'],
]);

interface Collected {
  readonly values: ReadonlyMap<string, string>;
  /** Where each value was written, for messages: `file:line` or `command line`. */
  readonly places: ReadonlyMap<string, string>;
  /** Names without effect, with what the files say about them. */
  readonly withoutEffect: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/** As in Java the last of two equal keys wins, but it is said. */
function collect(
  files: readonly PropertiesFile[],
  overrides: Readonly<Record<string, string>>,
): Collected {
  const values = new Map<string, string>();
  const places = new Map<string, string>();
  const withoutEffect: Record<string, string> = {};
  const warnings: string[] = [];
  for (const { file, text } of files) {
    for (const { key: written, value, line } of readProperties(file, text)) {
      const place = `${file}:${line}`;
      const key = knownProperty(written);
      if (key === null) throw unknownProperty(place, written);
      if (!hasEffect(key)) {
        withoutEffect[key] = value.trim();
        warnings.push(`${place}: ${key} has no effect on this controller`);
        continue;
      }
      if (values.has(key)) warnings.push(`${place}: ${key} replaces ${places.get(key)}`);
      values.set(key, value.trim());
      places.set(key, place);
    }
  }
  for (const [key, value] of Object.entries(overrides)) {
    values.set(key, value);
    places.set(key, 'command line');
  }
  return { values, places, withoutEffect, warnings };
}

function readProperties(file: string, text: string) {
  try {
    return parseProperties(text);
  } catch (error) {
    if (!(error instanceof PropertiesError)) throw error;
    throw new ConfigError(`${file}:${error.line}: ${error.message}`, { cause: error });
  }
}

function unknownProperty(place: string, key: string): ConfigError {
  const known = Object.keys(propertiesSchema.shape);
  const near = known.find((candidate) => editsBetween(key, candidate) <= 2);
  return new ConfigError(
    `${place}: unknown property ${key}${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
}

/** Levenshtein distance, letter case aside: upstream's own spelling (`DLeger`) invites slips. */
function editsBetween(left: string, right: string): number {
  const [from, to] = [left.toLowerCase(), right.toLowerCase()];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
