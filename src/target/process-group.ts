/**
 * The processes of one target: killed and restarted one by one, ended together.
 */
import assert from 'node:assert/strict';
import {
  lastWords,
  type MemberProcess,
  type MemberProgram,
  startMember,
} from './member-process.js';
import { type MemberExit, TargetError, type TargetMember } from './target.js';

export interface MemberSpec extends MemberProgram {
  readonly address: string;
  readonly httpAddress: string | null;
}

/** Time for a clean shutdown before force. */
const STOP_GRACE_MS = 5_000;
/** Signals after which a process goes on, or may. */
const NOT_DEADLY: ReadonlySet<NodeJS.Signals> = new Set<NodeJS.Signals>([
  ...(['SIGSTOP', 'SIGCONT', 'SIGTSTP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCHLD'] as const),
]);

export class ProcessGroup {
  readonly #specs: ReadonlyMap<string, MemberSpec>;
  readonly #processes = new Map<string, MemberProcess>();
  readonly #listeners = new Set<(exit: MemberExit) => void>();
  readonly #starting = new Set<Promise<void>>();
  #isClosing = false;

  /** Starts all members at once. @throws {TargetError} START_FAILED; nothing is left running then. */
  static async start(specs: readonly MemberSpec[]): Promise<ProcessGroup> {
    const group = new ProcessGroup(specs);
    const started = await Promise.allSettled(specs.map((spec) => group.#start(spec)));
    const failed = started.find((outcome) => outcome.status === 'rejected');
    if (failed === undefined) return group;
    await group.close();
    throw failed.reason;
  }

  private constructor(specs: readonly MemberSpec[]) {
    this.#specs = new Map(specs.map((spec) => [spec.id, spec]));
  }

  /** In the order of the specs. */
  members(): readonly TargetMember[] {
    return [...this.#specs.values()].map((spec) => this.#member(spec));
  }

  isRunning(id: string): boolean {
    return this.#processes.get(id)?.hasExited === false;
  }

  get runningCount(): number {
    return [...this.#specs.keys()].filter((id) => this.isRunning(id)).length;
  }

  async kill(id: string, signal: NodeJS.Signals): Promise<void> {
    const running = this.#processes.get(this.#spec(id).id);
    if (running?.signal(signal) === true && !NOT_DEADLY.has(signal)) await running.exited;
  }

  async restart(id: string): Promise<TargetMember> {
    const spec = this.#spec(id);
    if (this.isRunning(id)) throw new TargetError('NOT_EXITED', id);
    await this.#start(spec);
    return this.#member(spec);
  }

  onExit(listener: (exit: MemberExit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([...this.#processes.values()].map((member) => member.stop(STOP_GRACE_MS)));
    await Promise.allSettled(this.#starting);
  }

  async #start(spec: MemberSpec): Promise<void> {
    const start = this.#startNow(spec);
    this.#starting.add(start);
    await start.finally(() => this.#starting.delete(start));
  }

  async #startNow(spec: MemberSpec): Promise<void> {
    const started = await startMember(spec);
    this.#processes.set(spec.id, started);
    // Closing while it started: it must not outlive the group.
    if (this.#isClosing) await started.stop(STOP_GRACE_MS);
    void started.exited.then((how) => {
      if (this.#isClosing) return;
      const exit: MemberExit = {
        member: { ...this.#member(spec), pid: started.pid },
        how,
        lastWords: lastWords(spec.logFile),
        left: this.runningCount,
      };
      for (const listener of this.#listeners) listener(exit);
    });
  }

  #spec(id: string): MemberSpec {
    const spec = this.#specs.get(id);
    if (spec === undefined) throw new TargetError('UNKNOWN_MEMBER', id);
    return spec;
  }

  #member({ id, address, httpAddress }: MemberSpec): TargetMember {
    const running = this.#processes.get(id);
    assert(running !== undefined, 'members exist once the group has started');
    return { id, address, httpAddress, pid: running.pid };
  }
}
