/**
 * What the controllers know of a broker set, and what a broker says of itself, asked over the wire.
 */
import { call, connect } from '../client/connection.js';
import { discoverLeader } from '../client/discover.js';
import { ClientError } from '../client/errors.js';
import type { Request } from '../client/types.js';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import { decodeReplicasInfo, encodeStringList } from '../remoting/bodies.js';
import type { RemotingCommand } from '../remoting/command.js';

export interface SetView {
  readonly masterId: number | null;
  readonly masterAddress: string | null;
  readonly masterEpoch: number;
  /** Ascending. */
  readonly inSync: readonly number[];
  /** Registered and heard of within their time-out, ascending. */
  readonly alive: readonly number[];
}

const ASK_TIMEOUT_MS = 1_000;
/** GET_BROKER_CONFIG: answered with the broker's properties. */
const GET_BROKER_CONFIG = 26;

/** As the leader tells it (1006); undefined while nobody serves as leader or knows the set. */
export async function askSet(
  controllers: readonly string[],
  brokerName: string,
): Promise<SetView | undefined> {
  const leader = await discoverLeader({ addresses: controllers, deadlineMs: ASK_TIMEOUT_MS }).catch(
    () => null,
  );
  if (leader === null) return undefined;
  const reply = await ask(leader, {
    code: RequestCode.GetSyncStateData,
    body: encodeStringList([brokerName]),
  });
  if (reply?.code !== ResponseCode.Success || reply.body === null) return undefined;
  const info = decodeReplicasInfo(reply.body).get(brokerName);
  if (info === undefined) return undefined;
  const { inSyncReplicas, notInSyncReplicas } = info;
  return {
    masterId: info.masterBrokerId,
    masterAddress: info.masterAddress,
    masterEpoch: info.masterEpoch,
    inSync: ascending(inSyncReplicas),
    alive: ascending([...inSyncReplicas, ...notInSyncReplicas].filter(({ alive }) => alive)),
  };
}

/** `SYNC_MASTER` or `SLAVE`; undefined while the broker does not answer. */
export async function askRole(broker: string): Promise<string | undefined> {
  const reply = await ask(broker, { code: GET_BROKER_CONFIG });
  return /^brokerRole=(\w+)$/m.exec(reply?.body?.toString('utf8') ?? '')?.[1];
}

async function ask(address: string, request: Request): Promise<RemotingCommand | undefined> {
  const connection = connect(address, {
    windowMax: 1,
    connectTimeoutMs: ASK_TIMEOUT_MS,
    requestTimeoutMs: ASK_TIMEOUT_MS,
    closeOnTimeout: true,
  });
  try {
    return await call(connection, request);
  } catch (error) {
    if (error instanceof ClientError) return undefined;
    throw error;
  } finally {
    connection.close();
  }
}

function ascending(replicas: readonly { readonly brokerId: number }[]): readonly number[] {
  return replicas.map(({ brokerId }) => brokerId).sort((a, b) => a - b);
}
