/**
 * A full disk ends no member that runs.
 *
 * Why: disks of a group fill up together, since all hold the same. Appends may be refused until there is
 * room; but a member that ends for want of it takes its vote with it, and a group of three full disks is
 * gone. Term and vote have their place already, and all else can wait.
 */
import { Violation } from './violation.js';

/** What there is to say against the end of a member that ran; null: nothing. */
export function fullDiskObjection(member: string, error: Error): Violation | null {
  if (!error.message.includes('ENOSPC')) return null;
  return new Violation('full-disk-survived', `${member}: ${error.message}`);
}
