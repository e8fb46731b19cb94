/** What a read's answer proves, as the report says it. */
import type { ReadColumn } from '../analyze/comparison.js';

export const proofNames: Record<
  ReadColumn['proof'],
  { readonly short: string; readonly title: string; readonly note: string }
> = {
  unproved: {
    short: 'unproved',
    title: 'Unproved',
    note: 'Answered from local state. A leader that was deposed without noticing may answer stale.',
  },
  log: {
    short: 'log',
    title: 'Proved by the log',
    note: 'Each read commits an entry, so it costs what a write costs.',
  },
  'read-index': {
    short: 'ReadIndex',
    title: 'Proved by ReadIndex',
    note: 'One round of heartbeats proves leadership for all the reads that wait for it.',
  },
};
