/**
 * What the exit code of every command means; the table of `quorumark --help`.
 */
export const ExitCode = {
  Ok: 0,
  Regression: 1,
  InvalidInput: 2,
  Inconclusive: 3,
  RunInvalid: 4,
  TargetFailed: 5,
  CheckFailed: 6,
  NotDone: 7,
  OutOfBand: 8,
  Interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

const meanings: Readonly<Record<keyof typeof ExitCode, string>> = {
  Ok: 'done; servers: stopped by SIGTERM or SIGINT',
  Regression: 'the candidate is slower than the threshold allows',
  InvalidInput: 'usage, configuration or input file is wrong',
  Inconclusive: 'the trials differ too much to say',
  RunInvalid: 'the run does not measure what it should, or a bug here',
  TargetFailed: 'the system under test did not start, or failed',
  CheckFailed: 'a check of correctness found a violation',
  NotDone: 'the key is not there, or its value is another',
  OutOfBand: 'the model is not within its band of what it models',
  Interrupted: 'interrupted; what was measured is kept',
};

export function exitCodeTable(): string {
  const rows = Object.entries(ExitCode).map(
    ([name, code]) => `  ${String(code).padStart(3)}  ${meanings[name as keyof typeof ExitCode]}`,
  );
  return ['Exit codes:', ...rows].join('\n');
}

/** What the caller wrote cannot be done; the message says what was wrong with it. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly code = 'INPUT_INVALID';
}
