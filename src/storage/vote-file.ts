/**
 * Term and vote on disk. They are synced before they are promised: a member that forgot its vote
 * could give a second one in the same term, and two leaders would share it.
 *
 * The file holds two copies, each in a block of its own, written and synced one after the other in
 * place: a crash tears one at most, damage of one is survived, and a full disk has room for a vote.
 * The first copy is written first, so where it is whole it is the newest.
 *
 * A copy is a line: a CRC-32 and JSON that it covers, which is told from damage by it. A format with other
 * properties than these says `version`, from 2 on.
 *
 * @source mirrored headers, as TigerBeetle's superblock keeps them
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { term } from '../lib/brand.js';
import type { HardState } from '../raft/types.js';
import { corrupt, unknownFormat } from './errors.js';
import type { FileSystem } from './files.js';
import { draftOf, replaceFile } from './replace-file.js';

export const VOTE_FILE = 'vote';
export const VOTE_DRAFT = draftOf(VOTE_FILE);
const COPY_BYTES = 4_096;
const FIRST = 0;
const SECOND = COPY_BYTES;

const VERSION = 1;

const versionSchema = z.looseObject({ version: z.int().default(VERSION) });
const voteSchema = z.strictObject({
  term: z.int().min(0),
  votedFor: z.string().nullable(),
});

/** For a store that has none yet. Returns when the file is durable. */
export function createVote(files: FileSystem, directory: string, state: HardState): void {
  const copy = encode(state);
  replaceFile(files, join(directory, VOTE_FILE), Buffer.concat([copy, copy]));
}

/** Returns when the state is durable. */
export function writeVote(files: FileSystem, directory: string, state: HardState): void {
  write(files, directory, state, [FIRST, SECOND]);
}

/**
 * Reads what the last `writeVote` that returned has written, or the one after it, and makes both
 * copies durable: what a process is told here it goes by, and it must not be told less next time.
 *
 * @throws {StoreError} STORE_CORRUPT when neither copy is what `writeVote` wrote;
 *   STORE_FORMAT_UNKNOWN, and nothing was changed.
 */
export function recoverVote(files: FileSystem, directory: string): HardState {
  const path = join(directory, VOTE_FILE);
  const file = files.open(path, 'r');
  let copies: readonly (HardState | null)[];
  let size: number;
  try {
    size = files.size(file);
    copies = [FIRST, SECOND].map((at) => {
      const copy = Buffer.alloc(COPY_BYTES);
      return decode(path, copy.toString('utf8', 0, files.read(file, copy, at)));
    });
  } finally {
    files.close(file);
  }
  const state = copies[0] ?? copies[1] ?? null;
  if (state === null) throw corrupt(path, 0, 'term and vote are damaged');
  // Written by a program that kept one copy, or cut.
  if (size !== COPY_BYTES * 2) createVote(files, directory, state);
  // The first may be the only one that holds it: it is touched when the second does too.
  else write(files, directory, state, [SECOND, FIRST]);
  return state;
}

function write(
  files: FileSystem,
  directory: string,
  state: HardState,
  order: readonly number[],
): void {
  const copy = encode(state);
  const file = files.open(join(directory, VOTE_FILE), 'r+');
  try {
    for (const at of order) {
      files.write(file, copy, COPY_BYTES, at);
      files.sync(file);
    }
  } finally {
    files.close(file);
  }
}

function encode({ term: current, votedFor }: HardState): Buffer {
  const json = JSON.stringify({ term: current, votedFor });
  const text = Buffer.from(`${checksum(json)} ${json}\n`);
  assert(text.length <= COPY_BYTES, `${text.length} bytes of term and vote`);
  return Buffer.concat([text], COPY_BYTES);
}

/** @returns null for anything that `encode` did not make. */
function decode(path: string, copy: string): HardState | null {
  const [, sum, json] = /^([0-9a-f]{8}) ([^\n]*)\n/.exec(copy) ?? [];
  if (sum === undefined || json === undefined || sum !== checksum(json)) return null;
  const content: unknown = JSON.parse(json);
  const { version = VERSION } = versionSchema.safeParse(content).data ?? {};
  if (version !== VERSION) throw unknownFormat(path, version, `${VERSION}`);
  const vote = voteSchema.safeParse(content);
  if (!vote.success) throw corrupt(path, 0, `term and vote: ${z.prettifyError(vote.error)}`);
  return { term: term(vote.data.term), votedFor: vote.data.votedFor };
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
