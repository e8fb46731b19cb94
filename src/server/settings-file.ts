/**
 * Where a controller's configuration lies: the file that it was started with, and the one in which
 * changes over the wire are saved, which is the same unless `configStorePath` names another.
 *
 * A changed property changes its line; the rest of the file, comments too, stays as it was.
 */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type FileSystem, systemFiles } from '../storage/files.js';
import { replaceFile } from '../storage/replace-file.js';
import type { ControllerConfig } from './config.js';
import { knownProperty, parseConfigFiles } from './config-file.js';
import { replaceProperties } from './properties.js';
import { Settings } from './settings.js';

export interface OpenedSettings {
  readonly config: ControllerConfig;
  readonly settings: Settings;
}

/**
 * Reads a controller's property file and what was saved of its changes.
 *
 * @param overrides properties from the command line, which win over both.
 * @throws {ConfigError} for what does not make a configuration, and what `node:fs` throws.
 */
export function openSettings(
  file: string,
  overrides: Readonly<Record<string, string>>,
  files: FileSystem = systemFiles,
): OpenedSettings {
  const started = { file, text: readFileSync(file, 'utf8') };
  const { configStorePath } = parseConfigFiles([started], overrides).properties;
  const saveTo = configStorePath === undefined || configStorePath === '' ? file : configStorePath;
  const saved = resolve(saveTo) === resolve(file) ? null : textOf(saveTo);
  const { config, properties } = parseConfigFiles(
    saved === null ? [started] : [started, { file: saveTo, text: saved }],
    overrides,
  );
  const settings = new Settings({
    config,
    properties: { ...properties, configStorePath: saveTo },
    save: (changes) => saveProperties(files, saveTo, changes),
  });
  return { config, settings };
}

/** A file that is a link stays one: what it points at is replaced. */
function saveProperties(
  files: FileSystem,
  file: string,
  changes: Readonly<Record<string, string>>,
): void {
  const text = textOf(file);
  const content = Buffer.from(
    replaceProperties(text ?? '', changes, (key) => knownProperty(key) ?? key),
  );
  if (text === null) replaceFile(files, file, content);
  else replaceFile(files, realpathSync(file), content, statSync(file).mode & 0o777);
}

/** null where there is no such file. */
function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
