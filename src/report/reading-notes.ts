/** How to read the report, by what method it came about, and what it does not claim. */
import type { Comparison } from '../analyze/comparison.js';
import { EFFECT_MIN_OF_FEW, ROUNDS_ENOUGH } from '../analyze/verdict.js';
import type { Target } from '../measure/results.js';
import { percent } from './format.js';

export interface ReadingNote {
  readonly title: string;
  readonly body: string;
}

/** @param targets of the run: a note on what is not there would only be in the way. */
export function readingNotes(
  method: Comparison['method'],
  targets: readonly Target[],
): ReadingNote[] {
  const { confidence, resamples, trialsMin, effectMin } = method;
  return [
    {
      title: 'The words',
      body: `Faster or slower is said when the ${percent(confidence)} interval of the ratio leaves out 1, the difference is at least ${percent(effectMin)}, and, with fewer than ${ROUNDS_ENOUGH} rounds, the trials of the two sides do not overlap and the difference is at least ${percent(EFFECT_MIN_OF_FEW)}. Otherwise no difference is shown, which is not the same as equal. With fewer than ${trialsMin} valid trials a side nothing is said.`,
    },
    {
      title: 'The intervals',
      body: `Bootstrap over trials, ${resamples.toLocaleString('en-US')} resamples, rounds resampled as pairs. The unit is the trial, never the request. Of three trials the interval is their range: it describes what was seen and is narrower than what a longer run would show.`,
    },
    {
      title: 'Two clocks',
      body: 'Response time runs from the moment a request was due, service time from the moment it was sent. The report shows response time, so that a stall is felt by every request that was due during it. A closed loop has no schedule: there the two are the same.',
    },
    {
      title: 'When a trial does not count',
      body: 'When the generator was the limit (it sent late, sent less than asked, or its event loop was full) the trial is invalid: it enters no number and is listed with its reason. So are trials that were cut short.',
    },
    {
      title: 'Equal durability only',
      body: 'Targets are compared only with targets that promise the same before they acknowledge: background (the page cache; a power cut may lose the last writes), group (one sync for all that wait), each (a sync per append).',
    },
    {
      title: 'One machine',
      body: 'The controllers and the load share one machine, and a generator that works hard takes from what it measures. Ratios from interleaved trials survive that; absolute rates are of this machine only. The network is loopback: it has no latency and loses nothing.',
    },
    {
      title: 'The floor',
      body: 'The least work that still replicates to two followers by quorum: no elections, no state machine. What lies between a build and the floor is what the build spends on being a controller; the floor is not a goal anyone promises to reach.',
    },
    ...(targets.some(({ kind }) => kind === 'reference') ? [referenceNote] : []),
    {
      title: 'What is not claimed',
      body: 'Nothing about other hardware, real networks, days of uptime, or the upstream controllers, unless they are among the targets. docs/method.md in the repository has the whole method.',
    },
  ];
}

const referenceNote: ReadingNote = {
  title: 'Reference stores',
  body: 'etcd and ZooKeeper are general stores, shown and compared with nothing. Alike: three members on this machine, a quorum that syncs before it acknowledges, a record for each broker set as long as a controller keeps it, changed in one transaction that is refused when the record is not as it was read. Not alike: they elect no masters, judge no heartbeats and get none beside the load; their clients are ours, in one thread. Reads of etcd are linearizable, proved by its leader with a quorum; those of ZooKeeper are a sync and a get, which ask no quorum, and count as unproved.',
};
