/** Finding the leader: from any member, and only once it serves. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import { silent } from '../lib/logger.js';
import { listen } from '../net/tcp-server.js';
import { extFieldsJson } from '../remoting/json-text.js';
import { DiscoverError, discoverLeader } from './discover.js';

test('a follower names the leader, and a member that is down is passed over', async (t) => {
  const leader = await member(t, { serves: () => true });
  const follower = await member(t, { names: () => leader.address, serves: () => false });
  const down = await member(t, {});
  await down.close();
  const addresses = [down.address, follower.address];
  assert.equal(await discoverLeader({ addresses, deadlineMs: 5_000 }), leader.address);
});

test('a leader counts once it serves', async (t) => {
  let probes = 0;
  const leader = await member(t, {
    serves: () => {
      probes += 1;
      return probes >= 3;
    },
  });
  assert.equal(
    await discoverLeader({ addresses: [leader.address], deadlineMs: 5_000 }),
    leader.address,
  );
  assert.equal(probes, 3);
});

test('in vain, it says what each address said', async (t) => {
  const undecided = await member(t, { names: () => undefined });
  const deposed = await member(t, { serves: () => false });
  const addresses = [undecided.address, deposed.address, 'nowhere'];
  await assert.rejects(
    discoverLeader({ addresses, deadlineMs: 120 }),
    (error) =>
      error instanceof DiscoverError &&
      error.message.includes('no leader in 120 ms') &&
      error.message.includes(`${undecided.address} knows no leader`) &&
      error.message.includes(`names ${deposed.address}, which answers 2007`) &&
      error.message.includes('nowhere could not connect'),
  );
});

interface Member {
  readonly address: string;
  close(): Promise<void>;
}

interface MemberRole {
  /** Whom it calls the leader; itself unless told otherwise. */
  readonly names?: () => string | undefined;
  readonly serves?: () => boolean;
}

async function member(t: TestContext, { names, serves = () => true }: MemberRole): Promise<Member> {
  const server = await listen(
    { host: '127.0.0.1', port: 0, logger: silent },
    {
      onCommand(connection, { code, opaque }) {
        const controllerLeaderAddress = names === undefined ? address : names();
        const isMetadata = code === RequestCode.GetMetadataInfo;
        connection.respond({
          code: isMetadata || serves() ? ResponseCode.Success : ResponseCode.NotLeader,
          opaque,
          extFields: isMetadata ? extFieldsJson({ controllerLeaderAddress }) : null,
          remark: null,
          body: null,
        });
      },
    },
  );
  const address = `127.0.0.1:${server.port}`;
  t.after(() => server.close());
  return { address, close: () => server.close() };
}
