/**
 * Upstream's mqadmin against three controllers of each build, for a reader: the six commands that
 * concern controllers, and what they print. docs/admin.md explains them.
 *
 *   npm run build && node dist/scripts/mqadmin.js [BUILD …]
 */
import { Mqadmin } from '../src/target/mqadmin.js';
import { startCluster } from '../src/target/ours.js';
import { findPeers, PeersError } from '../src/target/peers.js';
import { StandingSet } from '../src/target/standing-set.js';

const SET = { clusterName: 'cluster-a', brokerName: 'broker-a', replicas: 3 };

async function show(build: string): Promise<void> {
  const target = await startCluster({ build, durability: 'group' });
  let mqadmin: Mqadmin | null = null;
  let brokers: StandingSet | null = null;
  try {
    const leader = await target.leader();
    const [follower = leader.address] = target.addresses.filter((one) => one !== leader.address);
    const session = await Mqadmin.start(leader.address);
    mqadmin = session;
    const set = await StandingSet.join(target, SET);
    brokers = set;
    console.log(`# ${build}: leader ${leader.address}, asked at ${follower}\n`);
    const run = async (...command: readonly string[]): Promise<void> => {
      console.log(`$ mqadmin ${command.map(quoted).join(' ')}`);
      console.log(`${(await session.run(...command)).trim()}\n`);
    };
    const names = ['-bn', SET.brokerName, '-c', SET.clusterName];
    await run('getControllerMetaData', '-a', follower);
    await run('getSyncStateSet', '-a', follower, '-b', SET.brokerName);
    await run('electMaster', '-a', follower, '-b', '2', ...names);
    const property = ['-k', 'electMasterMaxRetryCount', '-v', '5'];
    await run('updateControllerConfig', '-a', target.addresses.join(';'), ...property);
    await run('getControllerConfig', '-a', follower);
    await set.silence(3);
    await run('cleanBrokerMetadata', '-a', follower, '-b', '3', ...names);
    await run('getSyncStateSet', '-a', follower, '-b', SET.brokerName);
  } finally {
    brokers?.leave();
    await mqadmin?.close();
    await target.close();
  }
}

const quoted = (word: string): string => (word.includes(';') ? `'${word}'` : word);

try {
  findPeers();
  const [, , ...builds] = process.argv;
  for (const build of builds.length > 0 ? builds : ['baseline', 'optimized']) await show(build);
} catch (error) {
  if (!(error instanceof PeersError)) throw error;
  console.log(`skipped: ${error.message}`);
}
