/**
 * Which bytes of a store's files may be damaged so that the damage can be told from a crash.
 *
 * The last write of a log cannot: whether it was synced, only a later write says. A damaged last
 * record therefore looks as one that a power cut tore, and is cut; no log without a second copy of
 * its end can do better (Alagappan et al., FAST 2018, §3.3.3).
 */
import {
  bodyLengthAt,
  crcMatches,
  indexOf,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  unsyncedBefore,
} from '../storage/record.js';
import { VOTE_FILE } from '../storage/vote-file.js';

/** @returns how many bytes, from the file's beginning. */
export function corruptible(name: string, content: Buffer): number {
  if (name.endsWith('.snapshot') || name === VOTE_FILE) return content.length;
  if (!name.endsWith('.log')) return 0;
  /** Up to here a later record says that all was synced when it was written. */
  let attested = 0;
  const ends: { readonly index: number; readonly end: number }[] = [];
  for (let at = SEGMENT_HEADER_BYTES; at + RECORD_HEADER_BYTES <= content.length; ) {
    const end = at + RECORD_HEADER_BYTES + bodyLengthAt(content, at);
    if (end > content.length || !crcMatches(content, at)) break;
    const index = indexOf(content, at);
    attested = Math.max(attested, index - 1 - unsyncedBefore(content, at));
    ends.push({ index, end });
    at = end;
  }
  return ends.findLast(({ index }) => index <= attested)?.end ?? 0;
}

/**
 * The same under a running process. Its vote is read at its next start only: until then damage of one
 * copy would wait for damage of the other, and nothing survives both.
 */
export function corruptibleInUse(name: string, content: Buffer): number {
  return name === VOTE_FILE ? 0 : corruptible(name, content);
}
