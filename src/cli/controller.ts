/**
 * `quorumark controller`: one controller in this process, until it is told to stop.
 */
import { type LevelWithSilent, pino } from 'pino';
import { ConfigError } from '../server/config.js';
import { type OpenedSettings, openSettings } from '../server/settings-file.js';
import { type RunningController, startController } from '../server/start.js';
import { onParentGone, sayListening } from '../target/member-process.js';
import { resolveBuild } from './builds.js';
import { ExitCode, InputError } from './exit-codes.js';
import { aborted, stopSignal } from './stop.js';

export interface ControllerCommand {
  readonly build: string;
  readonly config: string;
  readonly logLevel: LevelWithSilent;
  /** Properties that win over those of the file. */
  readonly overrides: Readonly<Record<string, string>>;
}

/** Less than a cluster's patience with a member, so that the end is this process's own. */
const CLOSE_TIMEOUT_MS = 4_000;

/**
 * @throws {ConfigError | InputError} for a bad build, file or property.
 */
export async function runController(command: ControllerCommand): Promise<ExitCode> {
  const build = resolveBuild(command.build);
  const { config, settings } = readConfig(command);
  const logger = pino(
    { level: command.logLevel, base: { member: config.selfId } },
    pino.destination({ dest: 2, sync: true }),
  );
  for (const warning of config.warnings) logger.warn({}, warning);

  process.on('uncaughtException', (error) => {
    console.error(error);
    process.exit(ExitCode.TargetFailed);
  });
  const stop = stopSignal();
  const parentGone = new Promise<void>((resolve) => onParentGone(resolve));

  let controller: RunningController;
  try {
    controller = await startController(config, build, logger, settings);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    return cannot(error);
  }
  const http = controller.httpAddress ?? 'off';
  console.log(`listening ${controller.address} build ${build.name} http ${http}`);
  sayListening();

  const failure = await Promise.race([aborted(stop), parentGone, controller.failed]);
  const exitCode = failure instanceof Error ? cannot(failure) : ExitCode.Ok;
  setTimeout(() => {
    console.error('error: did not close in time');
    process.exit(ExitCode.TargetFailed);
  }, CLOSE_TIMEOUT_MS).unref();
  await controller.close();
  return exitCode;
}

function readConfig({ config: file, overrides }: ControllerCommand): OpenedSettings {
  try {
    return openSettings(file, overrides);
  } catch (error) {
    const { code, path = file, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new InputError(`cannot read ${path}: ${code}`, { cause: error });
  }
}

/** One line for what the world did; the whole story for what we did not foresee. */
function cannot(error: unknown): ExitCode {
  const { code, port, message } = error as NodeJS.ErrnoException & { readonly port?: number };
  if (code === 'PORT_IN_USE' || code === 'EADDRINUSE') {
    console.error(`error: port ${port} is in use by another process`);
  } else if (code !== undefined && code !== 'ERR_ASSERTION') {
    console.error(`error: ${message}`);
  } else {
    console.error(error);
  }
  return ExitCode.TargetFailed;
}
