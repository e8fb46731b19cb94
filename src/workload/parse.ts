/**
 * Reads workload files. What is wrong is named by file, line and field.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { projectRoot } from '../lib/project-root.js';
import { type Workload, workloadSchema } from './schema.js';

export class WorkloadError extends Error {
  override readonly name = 'WorkloadError';
  readonly code = 'WORKLOAD_INVALID';
}

/** @throws {WorkloadError} naming the file, the line, the field and what is allowed. */
export function parseWorkload(file: string, text: string): Workload {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    throw new WorkloadError(`${file}:${lines.linePos(syntax.pos[0]).line}: ${syntax.message}`);
  }
  const result = workloadSchema.safeParse(document.toJS());
  if (result.success) return result.data;

  const complaints = result.error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') {
      return [{ offset: offsetOf(issue.path), text: describe(issue) }];
    }
    return issue.keys.map((key) => ({
      offset: offsetOf([...issue.path, key]),
      text: `unknown field '${[...issue.path, key].join('.')}'`,
    }));
  });
  complaints.sort((a, b) => a.offset - b.offset);
  throw new WorkloadError(
    complaints
      .map((complaint) => `${file}:${lines.linePos(complaint.offset).line}: ${complaint.text}`)
      .join('\n'),
  );

  /** Of the field itself, or, when it is missing, of the nearest thing around it. */
  function offsetOf(path: readonly PropertyKey[]): number {
    let node: unknown = document.contents;
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
        if (pair === undefined) break;
        if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
        node = pair.value;
      } else {
        break;
      }
    }
    return offset;
  }
}

/** Every workload that ships, or those of `directory`, in the order of their file names. */
export function loadWorkloads(directory = join(projectRoot(), 'workloads')): Workload[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => loadWorkload(join(directory, name)));
}

/** @throws {WorkloadError} also when the file cannot be read, or is not named for its workload. */
export function loadWorkload(path: string): Workload {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new WorkloadError(`${path}: cannot be read`, { cause });
  }
  const workload = parseWorkload(path, text);
  if (basename(path, '.yaml') !== workload.name) {
    throw new WorkloadError(`${path}: is not named for its workload, '${workload.name}'`);
  }
  return workload;
}

function describe(issue: z.core.$ZodIssue): string {
  const field = issue.path.join('.');
  if ('options' in issue && Array.isArray(issue.options)) {
    return `${field}: expected one of ${issue.options.join(', ')}`;
  }
  return field === '' ? issue.message : `${field}: ${issue.message}`;
}
