/**
 * The door of the report: result files in, report files out. The only part that touches the disk.
 *
 * Everything is computed before the first byte is written, so a run whose results cannot be read
 * keeps the report that it had.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compare } from '../analyze/compare.js';
import { comparisonSchema } from '../analyze/comparison.js';
import { parseResults, type Results, ResultsError } from '../measure/results.js';
import type { Environment } from './environment-facts.js';
import { headlineSvg } from './headline.js';
import { reportHtml } from './html.js';
import { summaryMarkdown } from './markdown.js';
import { reportView } from './model.js';
import { terminalSummary } from './terminal.js';

export interface WrittenReport {
  /** For the terminal, at most 80 columns; the first line is the verdict. */
  readonly summary: string;
  /** Paths of what was written. */
  readonly html: string;
  readonly markdown: string;
  readonly comparison: string;
  /** Absent when no measure of the headline was taken on both builds. */
  readonly headline: string | undefined;
}

/**
 * Writes `comparison.json`, `report.html`, `summary.md` and `headline.svg` into `directory`, beside
 * the `results.json` and `environment.json` that the bench has written there.
 *
 * @throws {ResultsError} when a histogram of the results cannot be decoded.
 */
export async function writeReport(
  directory: string,
  results: Results,
  environment: Environment,
): Promise<WrittenReport> {
  const comparison = comparisonSchema.parse(compare(results));
  const view = reportView(results, comparison, environment);
  const html = await reportHtml(view);
  const headline = await headlineSvg(comparison, view);
  const paths = {
    html: join(directory, 'report.html'),
    markdown: join(directory, 'summary.md'),
    comparison: join(directory, 'comparison.json'),
    headline: headline === undefined ? undefined : join(directory, 'headline.svg'),
  };
  await writeFile(paths.comparison, `${JSON.stringify(comparison, null, 1)}\n`);
  await writeFile(paths.html, html);
  await writeFile(paths.markdown, summaryMarkdown(view));
  if (headline !== undefined && paths.headline !== undefined) {
    await writeFile(paths.headline, headline);
  }
  return { summary: terminalSummary(view), ...paths };
}

/**
 * Redoes a report from the files of its run, on whatever machine they now are.
 *
 * @throws {ResultsError} naming the file, when one is missing, is not JSON, or is not what it should be.
 */
export async function redoReport(directory: string): Promise<WrittenReport> {
  const resultsFile = join(directory, 'results.json');
  const results = parseResults(resultsFile, await readJson(resultsFile));
  const environmentFile = join(directory, 'environment.json');
  const environment = await readJson(environmentFile);
  if (typeof environment !== 'object' || environment === null || Array.isArray(environment)) {
    throw new ResultsError(`${environmentFile}: not an object`);
  }
  return writeReport(directory, results, { ...environment });
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new ResultsError(`${file}: cannot be read`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ResultsError(`${file}: not JSON`, { cause });
  }
}
