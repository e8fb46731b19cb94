/** `quorumark peers`: fetches the upstream Java programs that the bench can measure. */
import { installPeers, installZookeeper, PeersError, type PeerVersion } from '../target/peers.js';
import { ExitCode } from './exit-codes.js';

const LOG_EVERY_MS = 5_000;

export async function runPeers(version: PeerVersion, zookeeper: boolean): Promise<ExitCode> {
  const { isTTY } = process.stderr;
  let shownMs = Number.NEGATIVE_INFINITY;
  try {
    // One line that changes on a terminal; elsewhere one now and then, for Maven says hundreds.
    const show = (line: string): void => {
      if (isTTY) process.stderr.write(`\r\x1b[K${line.slice(0, 78)}`);
      else if (performance.now() - shownMs >= LOG_EVERY_MS) {
        shownMs = performance.now();
        process.stderr.write(`${line}\n`);
      }
    };
    const how = await (zookeeper ? installZookeeper(show) : installPeers(version, show));
    if (isTTY) process.stderr.write('\r\x1b[K');
    const what = zookeeper ? 'ZooKeeper' : `RocketMQ ${version}`;
    console.log(`${what}: ${how === 'installed' ? 'installed' : 'is there'}`);
    return ExitCode.Ok;
  } catch (error) {
    if (!(error instanceof PeersError)) throw error;
    const isMissing = error.code === 'NO_JDK' || error.code === 'NO_MAVEN';
    console.log(isMissing ? `skipped: ${error.message}` : `error: ${error.message}`);
    return isMissing ? ExitCode.Ok : ExitCode.TargetFailed;
  }
}
