/**
 * The settings of one controller, with their defaults; the text before each default is the
 * property that sets it in a file (`config-file.ts` reads it).
 *
 * @source rocketmq ControllerConfig, NettyServerConfig (5.x, 8fc57f1)
 */
import type { Handoff } from '../engine/log-engine.js';
import type { ClientAuth } from '../net/tls.js';
import {
  dledgerTiming,
  type ElectionRule,
  type ElectionTiming,
  fastTiming,
} from '../raft/types.js';
import type { Durability } from '../storage/log-store.js';

/** One controller of the group and where it listens. */
export interface Peer {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** `host:port`, as the configuration wrote it. */
  readonly address: string;
}

export type ElectionProfile = 'fast' | 'dledger';

export const durabilities = ['background', 'group', 'each'] as const satisfies Durability[];
export const handoffs = ['wake', 'poll'] as const satisfies Handoff[];
export const electionRules = ['dledger', 'pre-vote', 'plain'] as const satisfies ElectionRule[];
export const electionProfiles = ['fast', 'dledger'] as const satisfies ElectionProfile[];

export const tlsModes = ['disabled', 'permissive', 'enforcing'] as const;

/** Paths of PEM files; empty: not set. */
export interface TlsFiles {
  readonly certPath: string;
  readonly keyPath: string;
  readonly keyPassword: string;
  /** Whose signatures are believed. */
  readonly trustCertPath: string;
}

export interface TlsSettings {
  /** `tls.server.mode`, default `disabled`: whether the own port speaks TLS, and whether only that. */
  readonly mode: (typeof tlsModes)[number];
  /** `tls.server.need.client.auth`, default `none`. */
  readonly clientAuth: ClientAuth;
  /** `tls.server.certPath`, `.keyPath`, `.keyPassword`, `.trustCertPath`. */
  readonly server: TlsFiles;
  /** `tls.enable`, default false: members and brokers are dialled by TLS. */
  readonly dials: boolean;
  /** `tls.client.certPath`, `.keyPath`, `.keyPassword`, `.trustCertPath`: for what we dial. */
  readonly client: TlsFiles;
  /** `tls.client.authServer`, default true: who is dialled must show a certificate of its address. */
  readonly verifyServer: boolean;
}

export interface ControllerConfig {
  /** `controllerDLegerGroup`, default `quorumark`. */
  readonly group: string;
  /** `controllerDLegerSelfId`: one of `peers`. */
  readonly selfId: string;
  /** `controllerDLegerPeers`: all members, this one included, in file order. */
  readonly peers: readonly Peer[];
  /** `controllerStorePath`, default `$HOME/DLedgerController/<selfId>`; absolute or relative to the process. */
  readonly storePath: string;
  /**
   * `bindAddress`: where the own peer port listens. Default: the own peer's host where that is a
   * loopback address, else 0.0.0.0 as upstream.
   */
  readonly bindAddress: string;
  /** `scanNotActiveBrokerInterval`, default 5,000: period of the scan for brokers without a heartbeat. */
  readonly scanNotActiveBrokerIntervalMs: number;
  /** `scanInactiveMasterInterval`, default 5,000: period of the leader's scan for sets without a living master. */
  readonly scanInactiveMasterIntervalMs: number;
  /** `controllerThreadPoolNums`, default 16: handlers that `baseline` runs at once. */
  readonly handlersMax: number;
  /** `controllerRequestThreadPoolQueueCapacity`, default 50,000: requests that wait for one of them. */
  readonly handlerQueueMax: number;
  /** `electMasterMaxRetryCount`, default 3: attempts of a triggered election. */
  readonly electMasterAttemptsMax: number;
  /** `enableElectUncleanMaster`, default false: elect outside the SyncStateSet when nobody in it lives. */
  readonly enableElectUncleanMaster: boolean;
  /** `processReadEvent`, default false: `baseline` proves a read by an empty log entry. */
  readonly processReadEvent: boolean;
  /** `notifyBrokerRoleChanged`, default true: push 1008 to the members after an election. */
  readonly notifyBrokerRoleChanged: boolean;
  /** `serverChannelMaxIdleTimeSeconds`, default 120: a connection silent for so long is closed. */
  readonly connectionIdleMs: number;
  /** `durability`, default `background` as upstream: when an append counts as done. */
  readonly durability: Durability;
  /** `handoff`, default `wake`. */
  readonly handoff: Handoff;
  /** `electionProfile`, default `fast`: names the engine's election timing. */
  readonly electionProfile: ElectionProfile;
  /** `electionRule`, default `dledger`: who may raise the term, and when. */
  readonly electionRule: ElectionRule;
  /** `preferredLeaderId`, default none: the leader hands over to this member when it is in step. */
  readonly preferredLeader: string | null;
  /** `leaseReads`, default false: the leader proves reads by its lease where it holds one. */
  readonly leaseReads: boolean;
  /** `clockDriftPercentMax`, default 10: by how much the members' clocks may differ in speed; 0.1 here. */
  readonly clockDriftMax: number;
  /** `snapshotEveryEntries`, default 100,000: applied since the last snapshot, before the next. */
  readonly snapshotEveryEntries: number;
  /** `entriesKept`, default 20,000: kept before a snapshot's end, for followers that lag a little. */
  readonly entriesKept: number;
  /** `rebuildFromPeers`, default false: a damaged log is put aside and had from the peers again. */
  readonly rebuildFromPeers: boolean;
  /** `join`, default false: this member waits to be added to a group that runs already. */
  readonly isJoining: boolean;
  /** `followerReads`, default true: members of `optimized` that do not lead answer 1004 and 1006. */
  readonly followerReads: boolean;
  /** `httpHost`, default 127.0.0.1. */
  readonly httpHost: string;
  /** `httpPort`, default own port + 1,000; 0 turns health, metrics and admin off. */
  readonly httpPort: number;
  /** `requestsWaitingMax`, default 20,000: requests inside this controller; more are refused as busy (2). */
  readonly requestsWaitingMax: number;
  /** `connectionsMax`, default 10,000: for one more a silent one is closed, else the new one. */
  readonly connectionsMax: number;
  /** `connectionsPerAddressMax`, default 0, no limit of its own. */
  readonly connectionsPerAddressMax: number;
  /** `requestsPerSecondPerAddressMax`, default 0, no limit: more are refused as busy (2). */
  readonly requestsPerSecondPerAddressMax: number;
  /** `unfinishedBytesPerAddressMax`, default 256 MiB; 0: no limit. Whoever holds most is closed. */
  readonly unfinishedBytesPerAddressMax: number;
  /** `frameBytesMax`, default 16 MiB as upstream: a larger one closes its connection. */
  readonly frameBytesMax: number;
  /** `frameTimeoutMs`, default 30,000: from a frame's first byte to its last. */
  readonly frameTimeoutMs: number;
  /** `handshakeTimeoutMs`, default 10,000: for a PROXY header and a TLS handshake, once begun. */
  readonly handshakeTimeoutMs: number;
  /** `firstFrameTimeoutMs`, default 0: a connection may be silent at first as long as later. */
  readonly firstFrameTimeoutMs: number;
  /** `memberAllowList`, default none: hosts besides those of the group that may speak as members. */
  readonly memberAllowList: readonly string[];
  /** `memberTls`, default false: members speak TLS to each other, and show certificates both ways. */
  readonly memberTls: boolean;
  readonly tls: TlsSettings;
  /** What was accepted but has no effect here, one sentence each, for the log. */
  readonly warnings: readonly string[];
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
}

/** The timing that `electionProfile` names. */
export const electionTiming: Readonly<Record<ElectionProfile, ElectionTiming>> = {
  fast: fastTiming,
  dledger: dledgerTiming,
};

/** The member that `selfId` names; `controllerConfig` has checked that there is one. */
export function selfPeer(config: ControllerConfig): Peer {
  const self = config.peers.find(({ id }) => id === config.selfId);
  if (self === undefined) throw new ConfigError(`no peer ${config.selfId}`);
  return self;
}

/** What a configuration cannot do without; all else has its default. */
export type ConfigOverrides = Partial<ControllerConfig> &
  Pick<ControllerConfig, 'selfId' | 'peers' | 'storePath'>;

/**
 * A configuration made in code rather than read from a file.
 *
 * @throws {ConfigError} when `selfId` is not one of `peers`, or two peers share an id or an address, or
 *   settings do not fit together.
 */
export function controllerConfig(overrides: ConfigOverrides): ControllerConfig {
  const ids = new Set(overrides.peers.map(({ id }) => id));
  const addresses = new Set(overrides.peers.map(({ address }) => address));
  const self = overrides.peers.find(({ id }) => id === overrides.selfId);
  if (self === undefined) {
    throw new ConfigError(
      `controllerDLegerSelfId=${overrides.selfId}: must be one of controllerDLegerPeers (${[...ids].join(', ')})`,
    );
  }
  if (ids.size < overrides.peers.length || addresses.size < overrides.peers.length) {
    throw new ConfigError(
      `controllerDLegerPeers: ids and addresses must differ (${overrides.peers.map(({ id, address }) => `${id}-${address}`).join(';')})`,
    );
  }
  const httpPort = overrides.httpPort ?? self.port + HTTP_PORT_DISTANCE;
  if (httpPort > PORT_MAX) {
    throw new ConfigError(
      `httpPort: own port ${self.port} + ${HTTP_PORT_DISTANCE} is not a port; set httpPort (0 turns it off)`,
    );
  }
  const bindAddress = overrides.bindAddress ?? bindAddressFor(self.host);
  const config = { ...defaults, ...overrides, bindAddress, httpPort };
  checkFrames(config);
  checkTls(config);
  return config;
}

/** A limit that no frame of the largest size could keep would close those who break no rule. */
function checkFrames({ frameBytesMax, unfinishedBytesPerAddressMax }: ControllerConfig): void {
  if (unfinishedBytesPerAddressMax === 0 || unfinishedBytesPerAddressMax >= frameBytesMax) return;
  throw new ConfigError(
    `unfinishedBytesPerAddressMax=${unfinishedBytesPerAddressMax}: must be 0 or at least frameBytesMax (${frameBytesMax})`,
  );
}

/** Whether only this machine reaches `host`. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\./.test(host);

/** A group that lives on one machine is not offered to others. */
const bindAddressFor = (host: string): string => (isLoopback(host) ? host : '0.0.0.0');

/** Half a protection would be taken for a whole one, so what does not fit together is refused. */
function checkTls({ memberTls, tls }: ControllerConfig): void {
  const needs = (because: string, files: readonly (readonly [string, string])[]): void => {
    for (const [property, path] of files) {
      if (path === '') throw new ConfigError(`${property} is missing: ${because} needs it`);
    }
  };
  const { client, clientAuth, mode, server } = tls;
  if (mode !== 'disabled') {
    needs(`tls.server.mode=${mode}`, [
      ['tls.server.certPath', server.certPath],
      ['tls.server.keyPath', server.keyPath],
    ]);
    if (clientAuth !== 'none') {
      needs(`tls.server.need.client.auth=${clientAuth}`, [
        ['tls.server.trustCertPath', server.trustCertPath],
      ]);
    }
  } else if (clientAuth !== 'none') {
    throw new ConfigError(`tls.server.need.client.auth=${clientAuth}: tls.server.mode is disabled`);
  }
  if ((client.certPath === '') !== (client.keyPath === '')) {
    needs('the other of the two', [
      ['tls.client.certPath', client.certPath],
      ['tls.client.keyPath', client.keyPath],
    ]);
  }
  if (!memberTls) return;
  if (mode === 'disabled') throw new ConfigError('memberTls=true: tls.server.mode is disabled');
  if (!tls.verifyServer) throw new ConfigError('memberTls=true: tls.client.authServer is false');
  needs('memberTls=true', [
    ['tls.server.trustCertPath', server.trustCertPath],
    ['tls.client.certPath', client.certPath],
    ['tls.client.keyPath', client.keyPath],
    ['tls.client.trustCertPath', client.trustCertPath],
  ]);
}

export const PORT_MAX = 65_535;
const HTTP_PORT_DISTANCE = 1_000;

const noFiles: TlsFiles = { certPath: '', keyPath: '', keyPassword: '', trustCertPath: '' };

/** What a property that is not set stands for; `httpPort` and `bindAddress` follow from the own peer. */
export const defaults = {
  group: 'quorumark',
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
  requestsWaitingMax: 20_000,
  connectionsMax: 10_000,
  connectionsPerAddressMax: 0,
  requestsPerSecondPerAddressMax: 0,
  unfinishedBytesPerAddressMax: 256 * 1024 * 1024,
  frameBytesMax: 16 * 1024 * 1024,
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
} as const satisfies Partial<ControllerConfig>;
