/**
 * Ways in which the log refuses or loses an append or a read.
 *
 * `definite` means: it certainly has no effect. A lost leadership is not definite, since the next
 * leader may still commit the entry.
 */
const logFailures = {
  NOT_LEADER: { definite: true, message: 'this member does not lead' },
  BUSY: { definite: true, message: 'too much is waiting already' },
  LEADERSHIP_LOST: { definite: false, message: 'leadership was lost before the commit' },
  READ_TIMEOUT: { definite: true, message: 'no leader proved the read in time' },
  CLOSED: { definite: false, message: 'the log is closing' },
} as const;

export type LogFailureCode = keyof typeof logFailures;

export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogFailureCode;
  readonly definite: boolean;

  constructor(code: LogFailureCode) {
    super(logFailures[code].message);
    this.code = code;
    this.definite = logFailures[code].definite;
  }
}
