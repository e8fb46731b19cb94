/** The fake group behind real sockets on loopback, for tests of the load from end to end. */
import { silent } from '../../lib/logger.js';
import { listen, type TcpServer } from '../../net/tcp-server.js';
import { isOneway } from '../../remoting/command.js';
import { FakeGroup } from './fake-group.js';

export interface FakeServers {
  readonly group: FakeGroup;
  readonly members: readonly string[];
  close(): Promise<void>;
}

export async function listenFakes(): Promise<FakeServers> {
  const servers: TcpServer[] = [];
  let group = new FakeGroup();
  for (let member = 0; member < 3; member += 1) {
    servers.push(
      await listen(
        { host: '127.0.0.1', port: 0, logger: silent },
        {
          onCommand(connection, command) {
            const { code, opaque, extFields, body } = command;
            const reply = group.handle(member, {
              code,
              ...(extFields !== null && { extFields }),
              ...(body !== null && { body }),
            });
            if (isOneway(command)) return;
            connection.respond({
              code: reply.code,
              opaque,
              remark: null,
              extFields: reply.extFields === undefined ? null : JSON.stringify(reply.extFields),
              body: reply.body ?? null,
            });
          },
        },
      ),
    );
  }
  group = new FakeGroup(servers.map((server) => `127.0.0.1:${server.port}`));
  return {
    group,
    members: group.members,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}
