/**
 * Ways in which the log refuses or loses an append or a read.
 *
 * `definite` means: it certainly has no effect. A lost leadership is not definite, since the next
 * leader may still commit the entry.
 */
const logFailures = {
  NOT_LEADER: { definite: true, message: 'this member does not lead' },
  BUSY: { definite: true, message: 'too much is waiting already' },
  STORE_FULL: { definite: true, message: 'the disk is full' },
  TRANSFERRING: { definite: true, message: 'leadership is being handed over' },
  COMPACTED: { definite: true, message: 'a snapshot holds that entry now' },
  NOT_COMMITTED: { definite: true, message: 'that entry is not committed here' },
  CHANGE_PENDING: { definite: true, message: 'another change of the group is not done yet' },
  ALREADY_MEMBER: { definite: true, message: 'is a member in that role already' },
  UNKNOWN_MEMBER: { definite: true, message: 'is not a member' },
  NOT_CAUGHT_UP: { definite: true, message: 'the learner lags too far behind' },
  LAST_VOTER: { definite: true, message: 'a group keeps at least one voter' },
  NOT_A_VOTER: { definite: true, message: 'learners do not lead' },
  TRANSFER_TIMEOUT: { definite: true, message: 'the target did not take over in time' },
  TRANSFER_LOST: { definite: true, message: 'another member took over' },
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
