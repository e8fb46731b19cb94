/**
 * A client of the simulated key-value store: asks on any member, follows the leader for writes, and
 * remembers what it was told.
 */
import { outcomeOf } from '../client/outcome.js';
import { decodeKvReply, encodeKvRequest, type KvReply, type KvRequest } from '../kv/wire.js';
import { ResponseCode } from '../lib/codes.js';
import { Links } from '../load/links.js';
import { clientRuntime, connectWith } from './client-runtime.js';
import type { History, Operation } from './history.js';
import type { SimNetwork } from './network.js';
import { ProcessClock } from './process-clock.js';
import type { Destination, KvOp } from './workload.js';
import type { World } from './world.js';

/** As the model reads it. Values are numbers here; null: not there. */
export interface KvInput {
  readonly kind: KvOp['kind'];
  readonly value: number | null;
  readonly expected: number | null;
  /** How old the answer may be; null: not at all. */
  readonly maxStalenessMs: number | null;
}

export interface KvOutput {
  readonly done: boolean;
  readonly value: number | null;
  /** Of a read that may be stale: how old its answer says that it is at most. */
  readonly stalenessMs: number;
}

const REQUEST_TIMEOUT_MS = 1_500;
const WINDOW_MAX = 64;

export class KvClient {
  readonly #name: string;
  readonly #world: World;
  readonly #clock: ProcessClock;
  readonly #links: Links;
  readonly #history: History;
  /** What was last seen of each key. */
  readonly #seen = new Map<number, number | null>();
  #leader = 0;

  constructor(options: {
    readonly name: string;
    readonly world: World;
    readonly network: SimNetwork;
    readonly members: readonly string[];
    readonly history: History;
  }) {
    const { members, name, network, world } = options;
    this.#name = name;
    this.#world = world;
    this.#clock = new ProcessClock(world);
    this.#history = options.history;
    this.#links = new Links({
      members,
      connectionsPerMember: 1,
      windowMax: WINDOW_MAX,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      connect: connectWith(clientRuntime(network, name, this.#clock)),
      clock: this.#clock,
    });
  }

  open(): void {
    this.#links.open();
  }

  do(op: KvOp): void {
    switch (op.kind) {
      case 'put':
        this.#ask(
          op,
          { kind: 'put', key: keyOf(op.key), value: bytesOf(op.value) },
          op.value,
          null,
        );
        break;
      case 'delete':
        this.#ask(op, { kind: 'delete', key: keyOf(op.key) }, null, null);
        break;
      case 'cas': {
        const expected = this.#seen.get(op.key) ?? null;
        this.#ask(
          op,
          {
            kind: 'cas',
            key: keyOf(op.key),
            expected: expected === null ? null : bytesOf(expected),
            value: bytesOf(op.value),
          },
          op.value,
          expected,
        );
        break;
      }
      case 'get':
        this.#ask(op, { kind: 'get', key: keyOf(op.key), maxStalenessMs: null }, null, null);
        break;
      case 'stale-get': {
        const { maxStalenessMs } = op;
        this.#ask(op, { kind: 'get', key: keyOf(op.key), maxStalenessMs }, null, null);
        break;
      }
      case 'range':
        this.#range(op.to);
        break;
    }
  }

  #ask(
    op: Exclude<KvOp, { kind: 'range' }>,
    request: KvRequest,
    value: number | null,
    expected: number | null,
  ): void {
    const to: Destination = 'to' in op ? op.to : 'leader';
    const member = to === 'leader' ? this.#leader : to;
    const connection = this.#links.connection(member, 0);
    if (connection === null) {
      this.#tryAnother(member);
      return;
    }
    const maxStalenessMs = op.kind === 'stale-get' ? op.maxStalenessMs : null;
    const input: KvInput = { kind: op.kind, value, expected, maxStalenessMs };
    const operation = this.#begin(keyOf(op.key), input);
    const isRead = op.kind === 'get' || op.kind === 'stale-get';
    connection.request(encodeKvRequest(request), (failure, reply) => {
      const outcome = outcomeOf(isRead ? 'read' : 'write', failure, reply);
      const answer = outcome.kind === 'ok' && reply !== null ? decodeKvReply(reply) : null;
      const output = answer === null ? null : outputOf(answer);
      this.#history.end(operation, outcome, output, this.#world.nowMs);
      if (reply?.code === ResponseCode.NotLeader || failure !== null) this.#tryAnother(member);
      if (isRead && output !== null) this.#seen.set(op.key, output.value);
    });
  }

  /** Each key that it shows, or does not, is a read of that key at the same time. */
  #range(to: Destination): void {
    const connection = this.#links.connection(to === 'leader' ? this.#leader : to, 0);
    if (connection === null) return;
    const input: KvInput = { kind: 'get', value: null, expected: null, maxStalenessMs: null };
    const operation = this.#begin(keyOf(0), input);
    const request = {
      kind: 'range',
      from: '',
      to: null,
      limit: 100,
      maxStalenessMs: null,
    } as const;
    connection.request(encodeKvRequest(request), (failure, reply) => {
      const outcome = outcomeOf('read', failure, reply);
      const answer = outcome.kind === 'ok' && reply !== null ? decodeKvReply(reply) : null;
      const value = answer?.pairs.find(({ key }) => key === keyOf(0))?.value ?? null;
      const output: KvOutput = {
        done: true,
        value: value === null ? null : Number(value.toString()),
        stalenessMs: 0,
      };
      this.#history.end(operation, outcome, output, this.#world.nowMs);
    });
  }

  #begin(partition: string, input: KvInput): Operation {
    return this.#history.begin(this.#name, partition, input, this.#world.nowMs);
  }

  #tryAnother(member: number): void {
    if (member === this.#leader) this.#leader = (member + 1) % this.#links.members.length;
  }
}

const keyOf = (key: number): string => `key-${key}`;
const bytesOf = (value: number): Buffer => Buffer.from(String(value));
const outputOf = ({ done, stalenessMs, value }: KvReply): KvOutput => ({
  done,
  stalenessMs,
  value: value === null ? null : Number(value.toString()),
});
