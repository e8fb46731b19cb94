/**
 * The upstream Java programs on this machine: resolved once from Maven Central, then offline.
 *
 * `peers/pom.xml` names them; their jars lie in `peers/lib/<version>`. Without a JDK or the jars the
 * rest of the suite works as ever, and says in one line what is missing.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../lib/project-root.js';

export const peerVersions = ['5.4.0', '5.3.3'] as const;
export type PeerVersion = (typeof peerVersions)[number];

export interface Peers {
  readonly version: PeerVersion;
  /** For `-cp`. */
  readonly classPath: string;
  /** What `java -version` says first. */
  readonly jvm: string;
}

export class PeersError extends Error {
  override readonly name = 'PeersError';
  readonly code: 'NO_JDK' | 'NO_MAVEN' | 'NOT_INSTALLED' | 'INSTALL_FAILED';

  constructor(code: PeersError['code'], detail: string) {
    super(detail);
    this.code = code;
  }
}

const libraryOf = (version: PeerVersion): string => join(projectRoot(), 'peers', 'lib', version);

/** @throws {PeersError} NO_JDK or NOT_INSTALLED, saying what to do about it. */
export function findPeers(version: PeerVersion = '5.4.0'): Peers {
  const jvm = javaVersion();
  if (jvm === null) throw new PeersError('NO_JDK', 'the Java peers need a JDK: no `java` is found');
  if (!existsSync(libraryOf(version))) {
    throw new PeersError(
      'NOT_INSTALLED',
      `the Java peers ${version} are not installed: run npm run peers:install`,
    );
  }
  return { version, classPath: join(libraryOf(version), '*'), jvm };
}

/**
 * Copies the artifacts of one version; at once when they are there.
 *
 * @param onLine told what Maven says
 * @throws {PeersError} NO_JDK, NO_MAVEN or INSTALL_FAILED; a half-made copy is not left behind.
 */
export async function installPeers(
  version: PeerVersion,
  onLine: (line: string) => void,
): Promise<'installed' | 'was-there'> {
  if (javaVersion() === null) throw new PeersError('NO_JDK', 'no `java` is found');
  if (firstLineOf('mvn', ['-v']) === null) throw new PeersError('NO_MAVEN', 'no `mvn` is found');
  const library = libraryOf(version);
  if (existsSync(library)) return 'was-there';
  const draft = `${library}.part`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const maven = spawn(
    'mvn',
    [
      ...['-B', '-f', join(projectRoot(), 'peers', 'pom.xml'), `-Drocketmq.version=${version}`],
      ...['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${draft}`],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let last = '';
  maven.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n')) {
      if (line.trim() === '') continue;
      if (line.includes('ERROR')) last = line;
      onLine(line);
    }
  });
  const code = await new Promise<number | null>((resolve) => maven.once('close', resolve));
  if (code !== 0) {
    rmSync(draft, { recursive: true, force: true });
    throw new PeersError('INSTALL_FAILED', `Maven ended with ${code}: ${last}`);
  }
  renameSync(draft, library);
  return 'installed';
}

function javaVersion(): string | null {
  return firstLineOf('java', ['-version']);
}

/** Of either output; null when the program is not there or does not run. */
function firstLineOf(command: string, args: readonly string[]): string | null {
  try {
    const text = execFileSync('sh', ['-c', '"$0" "$@" 2>&1', command, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text.split('\n')[0] ?? null;
  } catch {
    return null;
  }
}
