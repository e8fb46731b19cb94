/**
 * The upstream Java programs on this machine: resolved once from Maven Central, then offline.
 *
 * `peers/pom.xml` names them; their jars lie in `peers/lib/<version>`. Without a JDK or the jars the
 * rest of the suite works as ever, and says in one line what is missing.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { projectRoot } from '../lib/project-root.js';

export const peerVersions = ['5.4.0', '5.3.3'] as const;
export type PeerVersion = (typeof peerVersions)[number];

export interface Peers {
  readonly version: PeerVersion;
  /** For `-cp`. */
  readonly classPath: string;
  /** `openjdk version "17.0.15" 2025-04-15`. */
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

/** mqadmin's session runs from its source, and hosts are named to a broker by a file of its JVM's own. */
const JDK_MIN = 11;

/** @throws {PeersError} NO_JDK or NOT_INSTALLED, saying what to do about it. */
export function findPeers(version: PeerVersion = '5.4.0'): Peers {
  const jvm = findJdk('the Java peers need');
  if (!existsSync(libraryOf(version))) {
    throw new PeersError(
      'NOT_INSTALLED',
      `the Java peers ${version} are not installed: run npm run peers:install`,
    );
  }
  return { version, classPath: join(libraryOf(version), '*'), jvm };
}

/** The version of an installed library by the name of its jar: `0.3.2` of `dledger`; null where it is not. */
export function libraryVersion(version: PeerVersion, library: string): string | null {
  for (const jar of readdirSync(libraryOf(version))) {
    const found = /^(.+)-(\d[\w.]*)\.jar$/.exec(jar);
    if (found?.[1] === library) return found[2] ?? null;
  }
  return null;
}

/** As `peers/zookeeper/pom.xml` names it. */
const ZOOKEEPER = 'zookeeper-3.9.3';

/** @throws {PeersError} NO_JDK or NOT_INSTALLED, saying what to do about it. */
export function findZookeeper(): { readonly version: string; classPath: string; jvm: string } {
  const jvm = findJdk('ZooKeeper needs');
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
 * Copies the artifacts of one version. When they are there, nothing else is needed: no network, no Maven.
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
  const library = libraryOf(name);
  if (existsSync(library)) return 'was-there';
  findJdk('the Java programs need');
  if (outputOf('mvn', ['-v']) === null) throw new PeersError('NO_MAVEN', 'no `mvn` is found');
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
    for (const line of stripVTControlCharacters(text).split('\n')) {
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

/** @returns what `java -version` says of its version. @throws {PeersError} NO_JDK */
function findJdk(whoNeeds: string): string {
  const refuse = (why: string): never => {
    throw new PeersError('NO_JDK', `${whoNeeds} a JDK, ${JDK_MIN} or later: ${why}`);
  };
  // Not always the first line: `JAVA_TOOL_OPTIONS` are announced before it.
  const said = outputOf('java', ['-version']) ?? refuse('no `java` is found');
  const [jvm, feature, update] = /^.*version "(\d+)(?:\.(\d+))?.*$/m.exec(said) ?? [];
  if (jvm === undefined) return refuse('`java -version` names none');
  // Java 8 calls itself 1.8.
  const major = Number(feature === '1' ? update : feature);
  if (major < JDK_MIN) return refuse(`this is Java ${major}`);
  if (outputOf('command', ['-v', 'javac']) === null) return refuse('no `javac` is found');
  return jvm;
}

/** Both outputs; null when the program is not there or does not run. */
function outputOf(command: string, args: readonly string[]): string | null {
  try {
    return execFileSync('sh', ['-c', '"$0" "$@" 2>&1', command, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return null;
  }
}
