/**
 * `quorumark report`: redoes the report of a run from its result files.
 */
import { redoReport } from '../report/write.js';
import { ExitCode } from './exit-codes.js';

/** @throws {ResultsError} naming the file that is missing or is not what it should be. */
export async function runReport(directory: string): Promise<ExitCode> {
  const { html, summary } = await redoReport(directory);
  process.stdout.write(`${summary}\nreport ${html}\n`);
  return ExitCode.Ok;
}
