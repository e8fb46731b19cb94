/**
 * Upstream's own operator tool, `mqadmin`, run as operators run it but for its JVM: one serves all
 * commands of a session (`tools/mqadmin/MqadminSession.java`).
 *
 * What a command printed is all that it says: mqadmin exits with 0 even when it has failed.
 *
 * @source rocketmq bin/mqadmin, bin/tools.sh; MQAdminStartup (5.4.0)
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../lib/project-root.js';
import { findPeers, type PeerVersion } from './peers.js';
import { TargetError } from './target.js';

/** A JVM on a busy machine, and then mqadmin's own 3 to 5 s for each member that it asks. */
const COMMAND_TIMEOUT_MS = 120_000;
const LAST_WORDS_MAX = 4_096;
const WARM_UPS_MAX = 10;

export interface MqadminOptions {
  readonly version?: PeerVersion;
  /** Of the JVM, such as `tls.enable`. */
  readonly properties?: Readonly<Record<string, string>>;
}

export class Mqadmin {
  readonly #jvm: ChildProcess;
  readonly #home: string;
  readonly #answers: AsyncIterator<string>;
  #lastWords = '';

  /**
   * @param controller asked until mqadmin gets its answer in time: of a new JVM's first 3 s most go into
   *   loading classes
   * @throws {PeersError} NO_JDK or NOT_INSTALLED, in one line that says what to do about it
   * @throws {TargetError} START_FAILED
   */
  static async start(controller: string, options: MqadminOptions = {}): Promise<Mqadmin> {
    const { properties = {}, version } = options;
    const mqadmin = new Mqadmin(findPeers(version).classPath, properties);
    try {
      for (let tries = 1; ; tries += 1) {
        const said = await mqadmin.run('getControllerMetaData', '-a', controller);
        if (said.includes('#ControllerGroup')) return mqadmin;
        if (tries === WARM_UPS_MAX)
          throw new TargetError('START_FAILED', 'mqadmin', reasonOf(said));
      }
    } catch (error) {
      await mqadmin.close();
      throw error;
    }
  }

  private constructor(classPath: string, properties: Readonly<Record<string, string>>) {
    this.#home = mkdtempSync(join(tmpdir(), 'quorumark-mqadmin-'));
    const logback = join(this.#home, 'logback.xml');
    writeFileSync(logback, NO_LOG);
    this.#jvm = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', 'java', '-Xms64m', '-Xmx256m', '-XX:+UseSerialGC'],
        ...['-XX:TieredStopAtLevel=1', `-Duser.home=${this.#home}`],
        ...[`-Drocketmq.home.dir=${this.#home}`, `-Drmq.logback.configurationFile=${logback}`],
        // Without one it would ask upstream's site for the address of a name server.
        '-Drocketmq.namesrv.addr=127.0.0.1:9',
        ...Object.entries(properties).map(([key, value]) => `-D${key}=${value}`),
        ...['-cp', classPath, join(projectRoot(), 'tools', 'mqadmin', 'MqadminSession.java')],
      ],
      { stdio: 'pipe' },
    );
    const { stdin, stdout, stderr } = this.#jvm;
    // That it has ended shows in its answers.
    stdin?.on('error', () => {});
    this.#jvm.on('error', (error) => this.#hear(error.message));
    stderr?.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    const lines = createInterface({ input: stdout as NonNullable<typeof stdout> });
    this.#answers = lines[Symbol.asyncIterator]();
  }

  /**
   * Runs one command; one after another.
   *
   * @returns what it printed
   * @throws {TargetError} START_FAILED when the JVM is not there or says nothing in time
   */
  async run(...command: readonly string[]): Promise<string> {
    this.#jvm.stdin?.write(`${command.join('\t')}\n`);
    const givingUp = setTimeout(() => this.#jvm.kill('SIGKILL'), COMMAND_TIMEOUT_MS);
    const answer = await this.#answers.next();
    clearTimeout(givingUp);
    if (answer.done !== true) return Buffer.from(answer.value, 'base64').toString();
    throw new TargetError('START_FAILED', 'mqadmin', this.#lastWords.trim());
  }

  async close(): Promise<void> {
    if (this.#jvm.exitCode === null && this.#jvm.signalCode === null && this.#jvm.pid) {
      const exited = once(this.#jvm, 'exit');
      this.#jvm.kill('SIGKILL');
      await exited;
    }
    rmSync(this.#home, { recursive: true, force: true });
  }

  #hear(text: string): void {
    this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS_MAX);
  }
}

/** What went wrong, of all that a failed command has printed; else all of it. */
export function reasonOf(said: string): string {
  const [, reason] = /^Caused by: (?:[\w.]+\.)?(\w+: .*)$/m.exec(said) ?? [];
  return reason ?? said.trim();
}

const NO_LOG = `<?xml version="1.0" encoding="UTF-8"?>
<configuration><root level="OFF"/></configuration>
`;
