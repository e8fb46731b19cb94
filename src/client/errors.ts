/**
 * Every way in which asking a controller can fail without an answer.
 *
 * `definite` tells the history checker what to believe: a definite failure had no effect, an
 * indefinite one may yet take effect, and its operation stays open (Jepsen's `:fail`, `:info`).
 */
export const clientFailures = {
  SHED: { definite: true, message: 'window full: the request was never sent' },
  REFUSED: { definite: true, message: 'could not connect' },
  TIMEOUT: { definite: false, message: 'no response in time' },
  CONNECTION_LOST: { definite: false, message: 'connection closed before the response' },
} as const;

export type ClientFailureCode = keyof typeof clientFailures;

export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientFailureCode;
  readonly definite: boolean;

  constructor(code: ClientFailureCode, options?: { readonly cause?: unknown }) {
    super(clientFailures[code].message, options);
    this.code = code;
    this.definite = clientFailures[code].definite;
  }
}
