/**
 * One process of the floor: the least work that still replicates to two followers by quorum.
 *
 * It decodes a request as a controller must, batches per turn, writes, pushes, counts acks and
 * answers. There is no raft, no state machine and no recovery; the first process always leads. Its
 * speed is the limit that the report draws as a line, so it shares codec and sockets with the
 * controllers and leaves out all else.
 */

import { RequestCode } from '../lib/codes.js';
import { silent } from '../lib/logger.js';
import { listen } from '../net/tcp-server.js';
import { isOneway } from '../remoting/command.js';
import type { Durability } from '../storage/log-store.js';
import { followFloor } from './floor-follower.js';
import { FloorLeader } from './floor-leader.js';
import { floorReply } from './floor-replies.js';
import { onParentGone, sayListening } from './member-process.js';

/** Comes as JSON in the first argument, from `startFloor`. */
export interface FloorNodeOptions {
  /** 0 leads. */
  readonly self: number;
  /** Where requests are taken, of all three. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** Where batches are taken, of all three. */
  readonly batchPorts: readonly number[];
  readonly file: string;
  readonly durability: Durability;
}

const [, , json = ''] = process.argv;
await serve(JSON.parse(json) as FloorNodeOptions);

async function serve(options: FloorNodeOptions): Promise<void> {
  const { self, addresses, port, batchPorts, file, durability } = options;
  const isLeader = self === 0;
  process.on('SIGTERM', () => process.exit(0));
  onParentGone(() => process.exit(0));
  try {
    if (!isLeader) await followFloor({ port: batchPorts[self] ?? 0, file, durability });
    const leader = isLeader
      ? new FloorLeader({ file, durability, followerPorts: batchPorts.slice(1) })
      : null;
    const view = { isLeader, leaderAddress: addresses[0] ?? '', addresses };
    await listen(
      { host: '127.0.0.1', port, logger: silent },
      {
        onCommand(connection, command) {
          if (leader !== null && command.code === RequestCode.AlterSyncStateSet) {
            leader.write(connection, command);
          } else if (!isOneway(command)) {
            connection.respond({ ...floorReply(command, view), opaque: command.opaque });
          }
        },
      },
    );
    sayListening();
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    process.exit(5);
  }
}
