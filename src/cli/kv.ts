/**
 * `quorumark kv …`: a replicated key-value store on the log engine, to be tried by hand.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { call, connect } from '../client/connection.js';
import { ClientError } from '../client/errors.js';
import { startKv } from '../kv/start.js';
import { decodeKvReply, encodeKvRequest, type KvReply, type KvRequest } from '../kv/wire.js';
import { ResponseCode } from '../lib/codes.js';
import type { Durability } from '../storage/log-store.js';
import { ExitCode, InputError } from './exit-codes.js';
import { aborted, stopSignal } from './stop.js';

export interface KvStartCommand {
  readonly basePort: number;
  readonly data?: string;
  readonly state: 'memory' | 'level';
  readonly durability: Durability;
}

const MEMBERS = ['k0', 'k1', 'k2'];
const REQUEST_TIMEOUT_MS = 3_000;
const SERVE_POLL_MS = 20;

/** Three members in this process, until SIGTERM or SIGINT. */
export async function runKvStart(command: KvStartCommand): Promise<ExitCode> {
  const { basePort, durability, state } = command;
  const data =
    command.data === undefined
      ? mkdtempSync(join(tmpdir(), 'quorumark-kv-'))
      : resolve(command.data);
  const stop = stopSignal();
  const logger = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }));
  const peers = MEMBERS.map((id, i) => ({ id, host: '127.0.0.1', port: basePort + i }));
  const running = await Promise.all(
    peers.map(({ id }) =>
      startKv({ self: id, peers, directory: join(data, id), durability, state }, logger),
    ),
  );
  while (!running.some(({ isServing }) => isServing) && !stop.aborted) {
    await new Promise((resolve) => setTimeout(resolve, SERVE_POLL_MS));
  }
  console.log(
    `ready ${running.map(({ address }) => address).join(';')} state ${state} data ${data}`,
  );
  const failure = await Promise.race([aborted(stop), ...running.map(({ failed }) => failed)]);
  await Promise.allSettled(running.map((member) => member.close()));
  if (command.data === undefined) rmSync(data, { recursive: true, force: true });
  if (!(failure instanceof Error)) return ExitCode.Ok;
  console.error(`error: ${failure.message}`);
  return ExitCode.TargetFailed;
}

/** Asks each address in turn until one does it. */
export async function runKvRequest(request: KvRequest, addresses: string): Promise<ExitCode> {
  const reply = await ask(request, addresses.split(';'));
  switch (request.kind) {
    case 'get':
      if (reply.value === null) {
        console.error(`error: no key ${request.key}`);
        return ExitCode.NotDone;
      }
      process.stdout.write(`${reply.value.toString()}\n`);
      if (reply.stalenessMs > 0) console.error(`at most ${reply.stalenessMs} ms old`);
      return ExitCode.Ok;
    case 'range':
      for (const { key, value } of reply.pairs) console.log(`${key}\t${value.toString()}`);
      return ExitCode.Ok;
    case 'cas':
      console.log(reply.done ? 'swapped' : 'not swapped: the value is another');
      return reply.done ? ExitCode.Ok : ExitCode.NotDone;
    case 'delete':
      console.log(reply.done ? 'deleted' : 'was not there');
      return ExitCode.Ok;
    case 'put':
      console.log('put');
      return ExitCode.Ok;
  }
}

async function ask(request: KvRequest, addresses: readonly string[]): Promise<KvReply> {
  let said = 'no address was given';
  for (const address of addresses) {
    const connection = connect(address, {
      windowMax: 1,
      connectTimeoutMs: REQUEST_TIMEOUT_MS,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      closeOnTimeout: true,
    });
    try {
      const reply = await call(connection, encodeKvRequest(request));
      if (reply.code === ResponseCode.Success) return decodeKvReply(reply);
      said = `${address}: ${reply.remark ?? `code ${reply.code}`}`;
      // Only what certainly was not done may be asked for somewhere else.
      if (reply.code !== ResponseCode.NotLeader) break;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      said = `${address}: ${error.message}`;
      if (!error.definite) throw new InputError(`${said}; it may have been done`, { cause: error });
    } finally {
      connection.close();
    }
  }
  throw new InputError(said);
}
