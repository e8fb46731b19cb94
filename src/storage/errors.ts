/** Every way in which a store on disk can fail, with where it did. */

const storeFailures = {
  /** Another live process holds the directory. */
  STORE_LOCKED: 'locked',
  /** What is on disk is not what was written; nothing is repaired by guessing. */
  STORE_CORRUPT: 'corrupt',
  /** Written whole by another version of this program, which is to be used: nothing is changed. */
  STORE_FORMAT_UNKNOWN: 'format unknown',
  /** There is no room for more; what was asked for did not happen, and may be tried again later. */
  STORE_FULL: 'full',
  /** The disk refused a write or a sync; the store takes nothing more. */
  STORE_UNUSABLE: 'unusable',
} as const;

export type StoreFailureCode = keyof typeof storeFailures;

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreFailureCode;

  constructor(code: StoreFailureCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** @param offset of the first byte that is not as it was written. */
export function corrupt(file: string, offset: number, what: string): StoreError {
  return new StoreError('STORE_CORRUPT', `${file}: at byte ${offset}: ${what}`);
}

export const isDamage = (error: unknown): error is StoreError =>
  error instanceof StoreError && error.code === 'STORE_CORRUPT';

/** @param known the versions that this program reads. */
export function unknownFormat(file: string, version: number, known: string): StoreError {
  return new StoreError(
    'STORE_FORMAT_UNKNOWN',
    `${file}: format version ${version}, this program reads ${known}`,
  );
}

/** Whether a call failed for want of room. */
export function isFullDisk(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
