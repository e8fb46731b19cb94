/**
 * What the parts of a process may say to its log. Processes hand in pino, tests hand in `silent`.
 */

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const nothing = (): void => {};
export const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
