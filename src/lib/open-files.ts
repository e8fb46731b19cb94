/** How many files and sockets the system lets this process have open at once. */
import { readFileSync } from 'node:fs';

/** Node raises the soft limit to the hard one by itself. Infinite: no limit; null: the system does not tell. */
export function openFilesMax(): number | null {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
    if (soft === undefined) return null;
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return null;
  }
}
