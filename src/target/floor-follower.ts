/**
 * The floor's follower: writes what the leader pushes, as it arrives, and acks what is durable.
 */
import { createServer, type Server } from 'node:net';
import { pollPhaseStarted } from '../net/turn.js';
import type { Durability } from '../storage/log-store.js';
import { ACK_BYTES, MarkReader } from './floor-batch.js';
import { FloorLog } from './floor-log.js';

/** Listens on 127.0.0.1 for the leader. Each of its connections starts a file of its own. */
export function followFloor(options: {
  readonly port: number;
  readonly file: string;
  readonly durability: Durability;
}): Promise<Server> {
  const server = createServer({ noDelay: true }, (socket) => {
    const batches = new MarkReader('batches');
    let acked = 0;
    const log = new FloorLog({
      ...options,
      onPersisted(mark) {
        if (mark <= acked) return;
        acked = mark;
        const ack = Buffer.allocUnsafe(ACK_BYTES);
        ack.writeUInt32BE(mark);
        socket.write(ack);
      },
    });
    socket.on('data', (chunk: Buffer) => {
      pollPhaseStarted();
      log.write(chunk, batches.push(chunk));
    });
    socket.on('error', () => {});
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', () => resolve(server));
  });
}
