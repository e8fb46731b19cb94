/**
 * The configuration of a running controller: what 1010 lists and 1009 changes.
 *
 * A change is checked as a whole, saved, and only then believed: a value that is refused, or cannot
 * be saved, changes nothing. What is not read while the controller runs takes effect at its next
 * start.
 *
 * @source rocketmq ControllerRequestProcessor.handleUpdateControllerConfig, Configuration (5.x, 8fc57f1);
 *   observed on 5.4.0
 */
import { ResponseCode } from '../lib/codes.js';
import { ConfigError, type ControllerConfig } from './config.js';
import { configFromProperties, hasEffect, knownProperty } from './config-file.js';
import { formatProperties, PropertiesError, parseProperties } from './properties.js';

/** Makes changed properties durable. @throws anything that says why it could not. */
export type SaveProperties = (changes: Readonly<Record<string, string>>) => void;

export interface SettingsOptions {
  readonly config: ControllerConfig;
  /** As `parseConfigFiles` gave them. */
  readonly properties: Readonly<Record<string, string>>;
  readonly save: SaveProperties;
}

export type UpdateOutcome =
  | { readonly ok: true; readonly changed: readonly string[]; readonly ignored: readonly string[] }
  | { readonly ok: false; readonly code: ResponseCode; readonly remark: string };

/** Looked at each time they matter; all else is read once, at the start. */
const LIVE = {
  electMasterMaxRetryCount: 'electMasterAttemptsMax',
  enableElectUncleanMaster: 'enableElectUncleanMaster',
  notifyBrokerRoleChanged: 'notifyBrokerRoleChanged',
  processReadEvent: 'processReadEvent',
} as const satisfies Record<string, keyof ControllerConfig>;

export const liveProperties: readonly string[] = Object.keys(LIVE);

/** What upstream never changes over the wire, whatever `configBlackList` says. */
const BLACK_LIST = ['configBlackList', 'configStorePath', 'rocketmqHome'];
/** Who a member is, and where its log lies: to change that is to make another member. */
const IDENTITY = new Set([
  'controllerDLegerGroup',
  'controllerDLegerPeers',
  'controllerDLegerSelfId',
  'controllerStorePath',
]);
/** What the port's defence rests on: whoever may ask over the port must not be able to lower it. */
const isDefence = (key: string): boolean =>
  key.startsWith('tls.') || key.startsWith('member') || key === 'bindAddress' || key === 'httpHost';
const isSecret = (key: string): boolean => key.toLowerCase().endsWith('password');
/** Many times what all properties together need. */
const UPDATE_BYTES_MAX = 64 << 10;

export class Settings {
  #inEffect: ControllerConfig;
  #properties: Readonly<Record<string, string>>;
  readonly #save: SaveProperties;
  readonly #blackList: ReadonlySet<string>;

  constructor({ config, properties, save }: SettingsOptions) {
    this.#inEffect = config;
    this.#properties = properties;
    this.#save = save;
    const listed = properties['configBlackList']?.split(';') ?? [];
    this.#blackList = new Set([...BLACK_LIST, ...listed]);
  }

  /** For a configuration that was made in code: nothing is saved, and only what it must have is listed. */
  static inMemory(config: ControllerConfig): Settings {
    const properties = {
      controllerDLegerGroup: config.group,
      controllerDLegerPeers: config.peers.map(({ id, address }) => `${id}-${address}`).join(';'),
      controllerDLegerSelfId: config.selfId,
      controllerStorePath: config.storePath,
      httpPort: String(config.httpPort),
    };
    return new Settings({ config, properties, save: () => {} });
  }

  /** What is in effect now. */
  get config(): ControllerConfig {
    return this.#inEffect;
  }

  /**
   * All properties in order of their names, as the next start will read them. Like upstream it lists
   * `isProcessReadEvent` by that name too.
   */
  list(): string {
    const { processReadEvent } = this.#properties;
    const all = {
      ...this.#properties,
      ...(processReadEvent !== undefined && { isProcessReadEvent: processReadEvent }),
    };
    const shown = Object.entries(all).map(([key, value]) =>
      isSecret(key) && value !== '' ? [key, '******'] : [key, value],
    ) as [string, string][];
    const sorted = shown.sort(([left], [right]) => (left < right ? -1 : 1));
    return formatProperties(Object.fromEntries(sorted));
  }

  /** @param body properties as text; null, as an empty one, changes nothing and succeeds. */
  update(body: Buffer | null): UpdateOutcome {
    const asked = read(body ?? Buffer.alloc(0));
    if (!(asked instanceof Map)) return asked;
    for (const key of asked.keys()) {
      if (this.#blackList.has(key)) {
        return refused(ResponseCode.NoPermission, 'Can not update config in black list.');
      }
      if (IDENTITY.has(key)) {
        return refused(
          ResponseCode.NoPermission,
          `Can not update ${key}: it says who this controller is. Change its file and restart it.`,
        );
      }
      if (isDefence(key)) {
        return refused(
          ResponseCode.NoPermission,
          `Can not update ${key}: it says who may talk to this controller. Change its file and restart it.`,
        );
      }
    }
    const ignored = [...asked.keys()].filter((key) => knownProperty(key) === null);
    const changes = Object.fromEntries(
      [...asked].flatMap(([written, value]) => {
        const key = knownProperty(written);
        return key === null ? [] : [[key, value]];
      }),
    );
    const changed = Object.keys(changes);
    if (changed.length > 0) {
      const problem = this.#change(changes);
      if (problem !== null) return refused(ResponseCode.SystemError, problem);
    }
    return { ok: true, changed, ignored };
  }

  /** @returns why nothing was changed, or null */
  #change(changes: Readonly<Record<string, string>>): string | null {
    const properties = { ...this.#properties, ...changes };
    let next: ControllerConfig;
    try {
      const effective = Object.entries(properties).filter(([key]) => hasEffect(key));
      next = configFromProperties(Object.fromEntries(effective));
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
    try {
      this.#save(changes);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return `cannot save the configuration: ${code ?? message}`;
    }
    const live = Object.entries(LIVE)
      .filter(([key]) => Object.hasOwn(changes, key))
      .map(([, field]) => [field, next[field]]);
    this.#properties = properties;
    this.#inEffect = { ...this.#inEffect, ...Object.fromEntries(live) };
    return null;
  }
}

/** As in Java the last of two equal keys wins, and blanks around a value do not count. */
function read(body: Buffer): Map<string, string> | UpdateOutcome {
  if (body.length > UPDATE_BYTES_MAX) {
    return refused(
      ResponseCode.SystemError,
      `${body.length} bytes of properties are more than ${UPDATE_BYTES_MAX}`,
    );
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return new Map(parseProperties(text).map(({ key, value }) => [key, value.trim()]));
  } catch (error) {
    if (error instanceof PropertiesError || error instanceof TypeError) {
      return refused(ResponseCode.SystemError, 'string2Properties error');
    }
    throw error;
  }
}

const refused = (code: ResponseCode, remark: string): UpdateOutcome => ({
  ok: false,
  code,
  remark,
});
