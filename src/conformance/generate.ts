/**
 * Requests drawn from a seed: most of them such as brokers and operators send, some of them spoilt.
 *
 * The answers steer what is drawn next, so that epochs are right often enough for writes to succeed.
 * When the silent are noticed would depend on time, so nobody falls silent here: the dead are those
 * that never beat. Pure.
 */
import type { Prng } from '../lib/prng.js';
import { type Ask, isReply, type Outcome, type Script, type WireRequest } from './exchange.js';
import {
  addressOf,
  alter,
  apply,
  beat,
  clean,
  elect,
  metadata,
  nextId,
  oddBodies,
  oddTexts,
  properties,
  type RequestShape,
  register,
  replicaInfo,
  requestShapes,
  syncStateData,
  unknownCodes,
  update,
  withFields,
  without,
} from './requests.js';

const SETS = 16;
const REPLICAS = 4;
/** Requests that are spoilt, of all. */
const SPOILT_SHARE = 0.18;
/** They may lose the connection, which must not be that of living brokers. */
const ODD_CONNECTION = 'odd';

/** What the replies have told about one broker set. */
interface Known {
  master: number;
  masterEpoch: number;
  epoch: number;
}

export class Generator implements Script {
  readonly #chance: Prng;
  readonly #known = new Map<string, Known>();
  #left: number;

  /** @param count how many requests there will be */
  constructor(chance: Prng, count: number) {
    this.#chance = chance;
    this.#left = count;
  }

  next(): Ask | null {
    if (this.#left === 0) return null;
    this.#left -= 1;
    const request = this.#sensible();
    if (!this.#chance.chance(SPOILT_SHARE)) return { do: 'ask', request };
    return { do: 'ask', request: this.#spoil(request), on: ODD_CONNECTION };
  }

  learn({ request }: Ask, outcome: Outcome): void {
    const { brokerName } = request.extFields ?? {};
    if (typeof brokerName !== 'string' || !isReply(outcome)) return;
    const known = this.#of(brokerName);
    const { body, code, extFields } = outcome;
    if (request.code === 1011 && code === 0) this.#known.delete(brokerName);
    const told = (name: string, was: number): number => Number(extFields?.[name] ?? was);
    known.master = told('masterBrokerId', known.master);
    known.masterEpoch = told('masterEpoch', known.masterEpoch);
    known.epoch = told('syncStateSetEpoch', known.epoch);
    if (code !== 0) return;
    known.epoch = told('newSyncStateSetEpoch', known.epoch);
    const written = /"syncStateSetEpoch":(\d+)/.exec(body ?? '');
    if (written !== null) known.epoch = Number(written[1]);
  }

  #of(brokerName: string): Known {
    let known = this.#known.get(brokerName);
    if (known === undefined) {
      known = { master: 1, masterEpoch: 0, epoch: 0 };
      this.#known.set(brokerName, known);
    }
    return known;
  }

  #sensible(): WireRequest {
    const chance = this.#chance;
    const number = chance.between(1, SETS);
    const set = `any-${number}`;
    // Of every third set one replica never beats.
    const silent = number % 3 === 0 ? 3 : 0;
    const id = chance.between(1, REPLICAS);
    const cluster = chance.chance(0.03) ? { clusterName: 'cluster-b' } : {};
    const kind = chance.between(1, 100);
    if (kind <= 18) {
      if (id === silent) return nextId(set);
      const rank = {
        epoch: String(chance.between(1, 3)),
        maxOffset: String(chance.between(0, 1_000)),
        ...(chance.chance(0.3) && { electionPriority: String(chance.between(0, 3)) }),
      };
      return beat(set, id, { ...rank, ...cluster });
    }
    if (kind <= 32) {
      const registerCheckCode = `${addressOf(id)};${chance.chance(0.1) ? 2 : 1}`;
      return apply(set, chance.chance(0.05) ? 7 : id, { registerCheckCode, ...cluster });
    }
    if (kind <= 41) {
      const brokerAddress = addressOf(id, chance.chance(0.8) ? '10.0.0' : '10.0.1');
      return register(set, id, { brokerAddress, ...cluster });
    }
    if (kind <= 53) {
      const asked = chance.chance(0.15) ? -1 : id;
      return elect(set, asked, { designateElect: String(chance.chance(0.3)), ...cluster });
    }
    if (kind <= 76) return this.#alter(set);
    if (kind <= 82) return replicaInfo(set);
    if (kind <= 88) return syncStateData(set, `any-${chance.between(1, SETS)}`);
    if (kind <= 92) return nextId(set);
    if (kind <= 93) return metadata;
    if (kind <= 94) {
      // Nobody is lost here, so the number of attempts counts for nothing.
      const attempts = chance.between(1, 9);
      return chance.chance(0.5) ? properties : update(`electMasterMaxRetryCount=${attempts}\n`);
    }
    const ids = chance.pick([String(id), String(id), '1;2', '3', '3;4', null]);
    return clean(set, ids, {
      isCleanLivingBroker: String(chance.chance(0.12)),
      ...(chance.chance(0.1) && { clusterName: 'cluster-b' }),
    });
  }

  #alter(set: string): WireRequest {
    const chance = this.#chance;
    const { epoch, master, masterEpoch } = this.#of(set);
    const wrongly = (): number => (chance.chance(0.06) ? chance.between(-1, 1) : 0);
    const ids = Array.from({ length: REPLICAS }, (_, index) => index + 1).filter(
      (id) => id === master || chance.chance(0.5),
    );
    if (chance.chance(0.05)) ids.push(9);
    if (chance.chance(0.05)) ids.shift();
    return alter(
      set,
      { master: master + wrongly(), masterEpoch: masterEpoch + wrongly() },
      { ids, epoch: epoch + wrongly() },
    );
  }

  #spoil(request: WireRequest): WireRequest {
    const chance = this.#chance;
    const shape = requestShapes.find(({ code }) => code === request.code);
    const kind = chance.between(1, 100);
    if (kind <= 5) return { ...request, code: chance.pick(unknownCodes) };
    if (kind <= 9) return { code: request.code };
    if (kind <= 14) return withFields(request, { [`other${kind}`]: 'x' });
    if (kind <= 20 && request.body === undefined)
      return { ...request, body: chance.pick(['x', '{}']) };
    if (shape?.body !== undefined && kind <= 60) {
      return { ...request, body: chance.pick(oddBodies[shape.body]) };
    }
    return shape === undefined ? request : this.#spoilField(request, shape);
  }

  #spoilField(request: WireRequest, { code, fields }: RequestShape): WireRequest {
    const chance = this.#chance;
    const names = Object.keys(fields);
    if (names.length === 0) return request;
    const name = chance.pick(names);
    const kind = fields[name];
    // A beat without a name, or with a time that runs out, would make what follows depend on time.
    const isFragile =
      code === 904 && ['clusterName', 'brokerName', 'heartbeatTimeoutMills'].includes(name);
    if (isFragile || kind === undefined) return request;
    if (chance.chance(0.3)) return without(request, name);
    return withFields(request, { [name]: chance.pick(oddTexts[kind]) });
  }
}
