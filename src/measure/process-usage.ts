/**
 * CPU and memory of the processes under test, sampled from outside, so that the Java controllers
 * are measured the same way as ours.
 *
 * Read from /proc; on systems without it there are no samples, and the report says so.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { type Cancel, type Clock, systemClock } from '../lib/clock.js';
import type { ProcessUsage } from './results.js';

export interface WatchedProcess {
  readonly name: string;
  readonly kind: ProcessUsage['kind'];
  readonly pid: number;
}

export interface Usage {
  /** User and system time since the process started, with all its threads. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** @source proc(5): the kernel tells times to user space in 1/100 s on every architecture Node runs on */
const CPU_TICK_MS = 10;

/** What a process has used so far; undefined when it is gone, or where there is no /proc. */
export function readUsage(pid: number): Usage | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses and may itself hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const status = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
    const rssKib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    if (rssKib === undefined) return undefined; // A zombie has no memory any more.
    return { cpuMs: ticks * CPU_TICK_MS, rssBytes: Number(rssKib) * 1_024 };
  } catch {
    return undefined;
  }
}

export interface SamplerOptions {
  readonly clock?: Clock;
  readonly read?: (pid: number) => Usage | undefined;
}

/** Samples kept per process; when they are reached, sampling goes on but is not kept. */
const SAMPLES_MAX = 20_000;

interface Watch {
  readonly name: string;
  readonly kind: ProcessUsage['kind'];
  pid: number;
  /** What this pid had used when the window began, or when it was last seen. */
  seenCpuMs: number;
  seenAtMs: number;
  cpuMs: number;
  samples: ProcessUsage['samples'];
}

export class UsageSampler {
  readonly #watches: Watch[];
  readonly #intervalMs: number;
  readonly #clock: Clock;
  readonly #read: (pid: number) => Usage | undefined;
  #startedAtMs = 0;
  #cancel: Cancel | undefined;

  constructor(
    processes: readonly WatchedProcess[],
    intervalMs: number,
    options: SamplerOptions = {},
  ) {
    this.#intervalMs = intervalMs;
    this.#clock = options.clock ?? systemClock;
    this.#read = options.read ?? readUsage;
    this.#watches = processes.map(({ name, kind, pid }) => {
      return { name, kind, pid, seenCpuMs: 0, seenAtMs: 0, cpuMs: 0, samples: [] };
    });
  }

  start(): void {
    assert(this.#cancel === undefined, 'started twice');
    this.reset();
    this.#cancel = this.#clock.every(this.#intervalMs, () => this.#sample());
  }

  /** The measured window begins now: forgets what was sampled before. */
  reset(): void {
    this.#startedAtMs = this.#clock.nowMs();
    for (const watch of this.#watches) {
      watch.seenCpuMs = this.#read(watch.pid)?.cpuMs ?? 0;
      watch.seenAtMs = this.#startedAtMs;
      watch.cpuMs = 0;
      watch.samples = [];
    }
  }

  /** The process was started again: its samples go on under the same name. */
  replace(name: string, pid: number): void {
    const watch = this.#watches.find((candidate) => candidate.name === name);
    assert(watch !== undefined, `no process ${name} is watched`);
    watch.pid = pid;
    // Started within the window, so all that it has used so far counts.
    watch.seenCpuMs = 0;
  }

  /** Takes a last sample. A process that died keeps what was seen of it. */
  stop(): ProcessUsage[] {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#sample();
    return this.#watches.map(({ name, kind, cpuMs, samples }) => ({
      name,
      kind,
      cpuSeconds: cpuMs / 1_000,
      rssPeakBytes: samples.reduce((peak, { rssBytes }) => Math.max(peak, rssBytes), 0),
      samples,
    }));
  }

  #sample(): void {
    const nowMs = this.#clock.nowMs();
    for (const watch of this.#watches) {
      const elapsedMs = nowMs - watch.seenAtMs;
      if (elapsedMs <= 0) continue;
      const usage = this.#read(watch.pid);
      watch.seenAtMs = nowMs;
      if (usage === undefined) continue;
      const usedMs = Math.max(0, usage.cpuMs - watch.seenCpuMs);
      watch.seenCpuMs = usage.cpuMs;
      watch.cpuMs += usedMs;
      if (watch.samples.length === SAMPLES_MAX) continue;
      watch.samples.push({
        atMs: nowMs - this.#startedAtMs,
        cpuCores: usedMs / elapsedMs,
        rssBytes: usage.rssBytes,
      });
    }
  }
}
