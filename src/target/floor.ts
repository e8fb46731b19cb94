/**
 * Starts the floor: three processes that do the least that replication by quorum can be.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Durability } from '../storage/log-store.js';
import type { FloorNodeOptions } from './floor-node.js';
import { freeBasePort } from './free-ports.js';
import type { MemberSpec } from './process-group.js';
import { dataDirectory, startTarget } from './start-target.js';
import type { RunningTarget } from './target.js';

export interface FloorOptions {
  readonly durability: Durability;
  /** A temporary directory when absent. */
  readonly data?: string;
  /** Of V8's old space, per process; default 256. */
  readonly heapMbMax?: number;
  /** Gives up the start. */
  readonly signal?: AbortSignal;
}

const MEMBERS = [0, 1, 2];
const MEMBER_PORT_DISTANCE = 10;
const BATCH_PORT_DISTANCE = 2;
const NODE = fileURLToPath(new URL('./floor-node.js', import.meta.url));

/** @throws {TargetError} as `startCluster`. */
export async function startFloor(options: FloorOptions): Promise<RunningTarget> {
  const { durability, heapMbMax = 256, signal } = options;
  const offsets = MEMBERS.map((index) => index * MEMBER_PORT_DISTANCE);
  const base = await freeBasePort(
    offsets.flatMap((offset) => [offset, offset + BATCH_PORT_DISTANCE]),
  );
  const ports = offsets.map((offset) => base + offset);
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  const { data, removeData } = dataDirectory(options.data);
  const specs = ports.map((port, self): MemberSpec => {
    const directory = join(data, `n${self}`);
    mkdirSync(directory, { recursive: true });
    const node: FloorNodeOptions = {
      self,
      addresses,
      port,
      batchPorts: ports.map((port) => port + BATCH_PORT_DISTANCE),
      file: join(directory, 'batches'),
      durability,
    };
    return {
      id: `n${self}`,
      address: `127.0.0.1:${port}`,
      httpAddress: null,
      command: process.execPath,
      args: [`--max-old-space-size=${heapMbMax}`, NODE, JSON.stringify(node)],
      logFile: join(directory, 'floor.log'),
    };
  });
  return startTarget(specs, removeData, signal);
}
