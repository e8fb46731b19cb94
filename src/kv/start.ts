/** One process of a replicated key-value store: a disk, sockets and the machine's clock around it. */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { systemClock } from '../lib/clock.js';
import type { Logger } from '../lib/logger.js';
import { Prng } from '../lib/prng.js';
import { isMemberCode } from '../net/member-codec.js';
import { listen } from '../net/tcp-server.js';
import { type Peer, tcpTransport } from '../net/transport.js';
import { configurationOf } from '../raft/configuration.js';
import { fastTiming } from '../raft/types.js';
import { isResponse } from '../remoting/command.js';
import { openFileStore } from '../storage/file-store.js';
import type { Durability } from '../storage/log-store.js';
import { openLevelState } from './level-state.js';
import { assembleKvMember } from './member.js';
import { MemoryState } from './memory-state.js';

export interface KvConfig {
  readonly self: string;
  readonly peers: readonly Peer[];
  /** Holds log, snapshots and, for `level`, the state. */
  readonly directory: string;
  readonly durability: Durability;
  readonly state: 'memory' | 'level';
}

export interface RunningKv {
  readonly address: string;
  readonly isServing: boolean;
  readonly failed: Promise<Error>;
  close(): Promise<void>;
}

const GROUP = 'quorumark-kv';

/** @throws {StoreError | ListenError} */
export async function startKv(config: KvConfig, logger: Logger): Promise<RunningKv> {
  const { directory, durability, peers, self } = config;
  const own = peers.find(({ id }) => id === self);
  if (own === undefined) throw new Error(`no peer ${self}`);
  const store = openFileStore({ directory: join(directory, 'log'), durability, logger });
  let fail = (_error: Error): void => {};
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  const state =
    config.state === 'memory'
      ? new MemoryState()
      : await openLevelState(join(directory, 'state'), (error) => fail(error));
  const transport = tcpTransport({ self, group: GROUP, peers, logger });
  const member = assembleKvMember({
    self,
    configuration: configurationOf(
      peers.map(({ host, id, port }) => ({ id, address: `${host}:${port}`, role: 'voter' })),
    ),
    timing: fastTiming,
    handoff: 'wake',
    store,
    transport,
    clock: systemClock,
    chance: new Prng(randomInt(2 ** 32 - 1)),
    logger,
    state,
    onFatal: (error) => fail(error),
  });
  const close = async (): Promise<void> => {
    await member.log.close();
    await state.close();
  };
  try {
    const server = await listen(
      {
        ...{ host: own.host, port: own.port, logger },
        isMemberHost: (host) => transport.isHostOfMembers(host),
      },
      {
        onCommand(connection, command) {
          if (isMemberCode(command.code))
            member.log.receive(transport.receive(command, connection));
          else if (!isResponse(command)) member.handle(command, connection);
        },
      },
    );
    member.start();
    return {
      address: `${own.host}:${server.port}`,
      get isServing() {
        return member.log.isServing;
      },
      failed,
      async close() {
        await server.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
