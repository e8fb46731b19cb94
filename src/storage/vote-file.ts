/**
 * Term and vote on disk. They are synced before they are promised: a member that forgot its vote
 * could give a second one in the same term, and two leaders would share it.
 *
 * A new file is written whole, synced and renamed over the old, so a crash leaves one of the two.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { term } from '../lib/brand.js';
import type { HardState } from '../raft/types.js';
import { corrupt } from './errors.js';
import type { FileSystem } from './files.js';

export const VOTE_FILE = 'vote';
export const VOTE_DRAFT = 'vote.new';
const VOTE_BYTES_MAX = 4_096;

const voteSchema = z.strictObject({
  term: z.int().min(0),
  votedFor: z.string().nullable(),
});

/** Returns when the state is durable. */
export function writeVote(files: FileSystem, directory: string, state: HardState): void {
  const json = JSON.stringify({ term: state.term, votedFor: state.votedFor });
  const bytes = Buffer.from(`${checksum(json)} ${json}\n`);
  const draft = join(directory, VOTE_DRAFT);
  const file = files.open(draft, 'w');
  try {
    files.write(file, bytes, bytes.length, 0);
    files.sync(file);
  } finally {
    files.close(file);
  }
  files.rename(draft, join(directory, VOTE_FILE));
  files.syncDirectory(directory);
}

/** @throws {StoreError} STORE_CORRUPT for anything that `writeVote` did not write. */
export function readVote(files: FileSystem, directory: string): HardState {
  const path = join(directory, VOTE_FILE);
  const buffer = Buffer.alloc(VOTE_BYTES_MAX);
  const file = files.open(path, 'r');
  let text: string;
  try {
    text = buffer.toString('utf8', 0, files.read(file, buffer, 0));
  } finally {
    files.close(file);
  }
  const [, sum, json] = /^([0-9a-f]{8}) (.*)\n$/s.exec(text) ?? [];
  if (sum === undefined || json === undefined || sum !== checksum(json)) {
    throw corrupt(path, 0, 'term and vote are damaged');
  }
  const vote = voteSchema.safeParse(JSON.parse(json));
  if (!vote.success) throw corrupt(path, 0, `term and vote: ${z.prettifyError(vote.error)}`);
  return { term: term(vote.data.term), votedFor: vote.data.votedFor };
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
