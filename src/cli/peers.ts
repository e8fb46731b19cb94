/** `quorumark peers`: fetches the upstream Java programs that the bench can measure. */
import { installPeers, PeersError, type PeerVersion } from '../target/peers.js';
import { ExitCode } from './exit-codes.js';

export async function runPeers(version: PeerVersion): Promise<ExitCode> {
  const isShown = process.stderr.isTTY;
  try {
    const how = await installPeers(version, (line) => {
      if (isShown) process.stderr.write(`\r\x1b[K${line.slice(0, 78)}`);
    });
    if (isShown) process.stderr.write('\r\x1b[K');
    console.log(`RocketMQ ${version}: ${how === 'installed' ? 'installed' : 'is there'}`);
    return ExitCode.Ok;
  } catch (error) {
    if (!(error instanceof PeersError)) throw error;
    const isMissing = error.code === 'NO_JDK' || error.code === 'NO_MAVEN';
    console.log(isMissing ? `skipped: ${error.message}` : `error: ${error.message}`);
    return isMissing ? ExitCode.Ok : ExitCode.TargetFailed;
  }
}
