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

const libraryOf = (name: string): string => join(projectRoot(), 'peers', 'lib', name);

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

/** As `peers/zookeeper/pom.xml` names it. */
const ZOOKEEPER = 'zookeeper-3.9.3';

/** @throws {PeersError} NO_JDK or NOT_INSTALLED, saying what to do about it. */
export function findZookeeper(): { readonly version: string; classPath: string; jvm: string } {
  const jvm = javaVersion();
  if (jvm === null) throw new PeersError('NO_JDK', 'ZooKeeper needs a JDK: no `java` is found');
  const library = libraryOf(ZOOKEEPER);
  if (!existsSync(library)) {
    throw new PeersError(
      'NOT_INSTALLED',
      'ZooKeeper is not installed: run npm run peers:install -- --zookeeper',
    );
  }
  return { version: ZOOKEEPER.replace('-', ' '), classPath: join(library, '*'), jvm };
}

/** Copies ZooKeeper; otherwise as `installPeers`. */
export function installZookeeper(
  onLine: (line: string) => void,
): Promise<'installed' | 'was-there'> {
  return copyArtifacts(ZOOKEEPER, [join('zookeeper', 'pom.xml')], onLine);
}

/**
 * Copies the artifacts of one version; at once when they are there.
 *
 * @param onLine told what Maven says
 * @throws {PeersError} NO_JDK, NO_MAVEN or INSTALL_FAILED; a half-made copy is not left behind.
 */
export function installPeers(
  version: PeerVersion,
  onLine: (line: string) => void,
): Promise<'installed' | 'was-there'> {
  return copyArtifacts(version, ['pom.xml', `-Drocketmq.version=${version}`], onLine);
}

async function copyArtifacts(
  name: string,
  [pom, ...settings]: readonly [pom: string, ...settings: string[]],
  onLine: (line: string) => void,
): Promise<'installed' | 'was-there'> {
  if (javaVersion() === null) throw new PeersError('NO_JDK', 'no `java` is found');
  if (firstLineOf('mvn', ['-v']) === null) throw new PeersError('NO_MAVEN', 'no `mvn` is found');
  const library = libraryOf(name);
  if (existsSync(library)) return 'was-there';
  const draft = `${library}.part`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const maven = spawn(
    'mvn',
    [
      ...['-B', '-f', join(projectRoot(), 'peers', pom), ...settings],
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
