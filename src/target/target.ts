/**
 * What can be measured: some controllers at addresses, and what a bench may do to them.
 *
 * Our builds, the floor, and controllers that somebody else started all look like this.
 */

import type { ClientTls } from '../net/tls.js';

export interface TargetMember {
  /** `n0`, `n1`, … */
  readonly id: string;
  /** `host:port` of the remoting protocol. */
  readonly address: string;
  /** `host:port` of health and metrics; null when it has none. */
  readonly httpAddress: string | null;
  /** Of the process that runs it, or ran it last; null where that is not known. */
  readonly pid: number | null;
}

export interface MemberExit {
  readonly member: TargetMember;
  /** `SIGKILL`, or `code 5`. */
  readonly how: string;
  /** The last line that it logged, when there is one. */
  readonly lastWords: string | null;
  /** Members that still run. */
  readonly left: number;
}

export interface RunningTarget {
  readonly addresses: readonly string[];
  /** How it is dialled; undefined: plainly. */
  readonly tls?: ClientTls | undefined;
  /** In the order of `addresses`. Processes change over restarts: ask again. */
  members(): readonly TargetMember[];
  /**
   * The member that serves as leader now.
   *
   * @throws {TargetError} NO_LEADER when there is none within 15 s.
   */
  leader(): Promise<TargetMember>;
  /** Sends a signal; after one that ends the process, resolves when it has ended. */
  kill(memberId: string, signal: NodeJS.Signals): Promise<void>;
  /** Starts a member that has exited, with its old data; resolves when it listens again. */
  restart(memberId: string): Promise<TargetMember>;
  /** Told of every exit, asked for or not, except those of `close`. @returns removes the listener. */
  onExit(listener: (exit: MemberExit) => void): () => void;
  /** Ends every process, by force after 5 s, and removes temporary data. May be called again. */
  close(): Promise<void>;
}

const targetFailures = {
  START_FAILED: 'did not start',
  NO_LEADER: 'have no leader that serves',
  NO_FREE_PORTS: 'have no free ports',
  NOT_EXITED: 'still runs',
  NOT_OURS: 'was not started by this bench',
  GAVE_UP: 'did not do its part',
  UNKNOWN_MEMBER: 'is not a member',
} as const;

export type TargetFailureCode = keyof typeof targetFailures;

/** The system under test did not do its part. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
  readonly code: TargetFailureCode;

  constructor(code: TargetFailureCode, subject: string, detail?: string) {
    super(`${subject} ${targetFailures[code]}${detail === undefined ? '' : `: ${detail}`}`);
    this.code = code;
  }
}
