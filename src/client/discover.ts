/**
 * Finds the controller that leads, by asking any of the group (1005) and then the one it names.
 *
 * A leader counts only once it serves: right after an election it calls itself leader and still
 * answers 2007. So it is also asked for something that only a serving leader answers.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import type { RemotingCommand } from '../remoting/command.js';
import { readControllerMetadata } from '../remoting/headers.js';
import { call, connect } from './connection.js';
import { ClientError } from './errors.js';
import type { ClientRuntime, Request } from './types.js';

export interface DiscoverOptions {
  /** `host:port` of some or all controllers. */
  readonly addresses: readonly string[];
  readonly deadlineMs: number;
  /** How they are dialled; default: plainly, from this machine. */
  readonly runtime?: ClientRuntime;
}

export class DiscoverError extends Error {
  override readonly name = 'DiscoverError';
  readonly code = 'NO_LEADER';
}

const ATTEMPT_TIMEOUT_MS = 1_000;
const BETWEEN_ROUNDS_MS = 50;

const whoLeads: Request = { code: RequestCode.GetMetadataInfo };
/** Does not reserve anything, and is answered with code 0 for any broker set. */
const probe: Request = {
  code: RequestCode.GetNextBrokerId,
  extFields: { clusterName: 'discover', brokerName: 'discover' },
};

/**
 * @returns the `host:port` of a leader that serves
 * @throws {DiscoverError} after `deadlineMs`, with what each address last said
 */
export async function discoverLeader(options: DiscoverOptions): Promise<string> {
  const { addresses, deadlineMs } = options;
  const startedMs = performance.now();
  const said = new Map<string, string>(addresses.map((address) => [address, 'not asked']));
  for (;;) {
    for (const address of addresses) {
      const leftMs = deadlineMs - (performance.now() - startedMs);
      if (leftMs <= 0) throw new DiscoverError(`no leader in ${deadlineMs} ms: ${show(said)}`);
      const answer = await leaderNamedBy(address, leftMs, options.runtime);
      if ('leader' in answer) return answer.leader;
      said.set(address, answer.because);
    }
    await pause(Math.min(BETWEEN_ROUNDS_MS, deadlineMs));
  }
}

type Answer = { readonly leader: string } | { readonly because: string };

async function leaderNamedBy(
  address: string,
  leftMs: number,
  runtime?: ClientRuntime,
): Promise<Answer> {
  try {
    const { extFields } = await ask(address, whoLeads, leftMs, runtime);
    const leader = readControllerMetadata(extFields).controllerLeaderAddress ?? '';
    if (leader === '') return { because: 'knows no leader' };
    const { code } = await ask(leader, probe, leftMs, runtime);
    return code === ResponseCode.Success
      ? { leader }
      : { because: `names ${leader}, which answers ${code}` };
  } catch (error) {
    if (error instanceof ClientError) return { because: error.message };
    throw error;
  }
}

async function ask(
  address: string,
  request: Request,
  leftMs: number,
  runtime?: ClientRuntime,
): Promise<RemotingCommand> {
  const timeoutMs = Math.min(ATTEMPT_TIMEOUT_MS, leftMs);
  const connection = connect(address, {
    windowMax: 1,
    connectTimeoutMs: timeoutMs,
    requestTimeoutMs: timeoutMs,
    closeOnTimeout: true,
    ...(runtime !== undefined && { runtime }),
  });
  try {
    return await call(connection, request);
  } finally {
    connection.close();
  }
}

const show = (said: ReadonlyMap<string, string>): string =>
  [...said].map(([address, because]) => `${address} ${because}`).join('; ');
