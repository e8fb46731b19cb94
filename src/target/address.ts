/**
 * A controller that somebody else started, of any make: asked where it is, never started or killed.
 */
import { call, connect, tlsRuntime } from '../client/connection.js';
import { discoverLeader } from '../client/discover.js';
import { ClientError } from '../client/errors.js';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import { parseAddress } from '../net/address.js';
import type { ClientTls } from '../net/tls.js';
import { readControllerMetadata } from '../remoting/headers.js';
import { isLocal, listenerPid } from './listener-pid.js';
import { type RunningTarget, TargetError, type TargetMember } from './target.js';

const LEADER_TIMEOUT_MS = 15_000;
const ASK_TIMEOUT_MS = 3_000;

/** @throws {TargetError} NO_LEADER when none of them serves as leader. */
export async function attachTarget(
  addresses: readonly string[],
  tls: ClientTls | null,
): Promise<RunningTarget> {
  const dialling = diallingBy(tls);
  const members = addresses.map((address, index): TargetMember => {
    return { id: `n${index}`, address, httpAddress: null, pid: listenerPid(address) };
  });
  const leader = async (): Promise<TargetMember> => {
    const at = await discoverLeader({
      addresses,
      deadlineMs: LEADER_TIMEOUT_MS,
      ...dialling,
    }).catch((error: Error) => {
      throw new TargetError('NO_LEADER', addresses.join(';'), error.message);
    });
    const found = members.find(({ address }) => address === at);
    if (found !== undefined) return found;
    throw new TargetError('NO_LEADER', addresses.join(';'), `they name ${at}`);
  };
  await leader();
  return {
    addresses,
    tls: tls ?? undefined,
    members: () => members,
    leader,
    kill: (id) => Promise.reject(new TargetError('NOT_OURS', id)),
    restart: (id) => Promise.reject(new TargetError('NOT_OURS', id)),
    onExit: () => () => {},
    close: () => Promise.resolve(),
  };
}

const diallingBy = (tls: ClientTls | null) => (tls === null ? {} : { runtime: tlsRuntime(tls) });

/** What one member said when it was asked who leads (1005), and what is known of its process. */
export interface Preflight {
  readonly address: string;
  /** Null when it gave no answer. */
  readonly answer: {
    readonly code: number;
    readonly group: string | null;
    readonly leader: string | null;
    readonly peers: string | null;
    readonly isLeader: boolean;
  } | null;
  /** Why there is no answer. */
  readonly failure: string | null;
  /** Null when it is elsewhere, or where the system does not tell. */
  readonly pid: number | null;
}

/** Asks every member who leads. Reads only. */
export function preflight(
  addresses: readonly string[],
  tls: ClientTls | null,
): Promise<readonly Preflight[]> {
  return Promise.all(
    addresses.map(async (address): Promise<Preflight> => {
      const pid = listenerPid(address);
      const connection = connect(address, {
        windowMax: 1,
        connectTimeoutMs: ASK_TIMEOUT_MS,
        requestTimeoutMs: ASK_TIMEOUT_MS,
        closeOnTimeout: true,
        ...diallingBy(tls),
      });
      try {
        const reply = await call(connection, { code: RequestCode.GetMetadataInfo });
        const said = readControllerMetadata(reply.extFields);
        const answer = {
          code: reply.code,
          group: said.group ?? null,
          leader: said.controllerLeaderAddress ?? null,
          peers: said.peers ?? null,
          isLeader: said.isLeader ?? false,
        };
        return { address, answer, failure: null, pid };
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        return { address, answer: null, failure: error.message, pid };
      } finally {
        connection.close();
      }
    }),
  );
}

/** One line a member, for people to read before they agree. */
export function preflightLine({ address, answer, failure, pid }: Preflight): string {
  const process = pid !== null ? `, process ${pid}` : isLocal(address) ? ', process unknown' : '';
  if (answer === null) return `${address}: ${failure ?? 'no answer'}${process}`;
  if (answer.code !== ResponseCode.Success) {
    return `${address}: answers 1005 with code ${answer.code}${process}`;
  }
  const role = answer.isLeader ? 'leads' : `follows ${answer.leader || 'nobody'}`;
  const group = answer.group ? ` group ${answer.group}` : '';
  return `${address}: ${role}${group}${process}`;
}

/**
 * The members of `host:port;host:port`, or null when it is not that. Split at commas too, as the
 * list of targets is.
 */
export function parseAddresses(text: string): readonly string[] | null {
  const addresses = text.split(/[;,]/).filter((part) => part !== '');
  const isGood = addresses.length > 0 && addresses.every((part) => parseAddress(part) !== null);
  return isGood && new Set(addresses).size === addresses.length ? addresses : null;
}
