/** A write to a real group that takes a quorum, tried until it is done; the test's timeout is the bound. */
import { setTimeout as pause } from 'node:timers/promises';
import { call, connect } from '../../client/connection.js';
import { ClientError } from '../../client/errors.js';
import type { ClientRuntime } from '../../client/types.js';
import { RequestCode } from '../../lib/codes.js';

const BETWEEN_ROUNDS_MS = 20;

/** Reserves the first broker's id of a set that is new with this write. */
export async function untilWritten(
  addresses: readonly string[],
  brokerName: string,
  runtime?: ClientRuntime,
): Promise<void> {
  for (;;) {
    for (const address of addresses) if (await isWritten(address, brokerName, runtime)) return;
    await pause(BETWEEN_ROUNDS_MS);
  }
}

async function isWritten(
  address: string,
  brokerName: string,
  runtime: ClientRuntime | undefined,
): Promise<boolean> {
  const connection = connect(address, {
    ...{ windowMax: 1, connectTimeoutMs: 3_000, requestTimeoutMs: 3_000 },
    closeOnTimeout: true,
    ...(runtime !== undefined && { runtime }),
  });
  try {
    const reply = await call(connection, {
      code: RequestCode.ApplyBrokerId,
      extFields: { clusterName: 'c', brokerName, appliedBrokerId: 1, registerCheckCode: 'x;1' },
    });
    return reply.code === 0;
  } catch (error) {
    if (error instanceof ClientError) return false;
    throw error;
  } finally {
    connection.close();
  }
}
