/**
 * Where a run was measured: enough to tell whether two runs may be compared, and nothing that
 * tells whose machine it was. No host name, no user name, no path.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import si from 'systeminformation';
import { z } from 'zod';
import { projectRoot } from '../lib/project-root.js';

export const ENVIRONMENT_SCHEMA_VERSION = 1;

const latencySchema = z.strictObject({ p50: z.number().min(0), p99: z.number().min(0) });

export const environmentSchema = z.strictObject({
  schemaVersion: z.literal(ENVIRONMENT_SCHEMA_VERSION),
  takenAt: z.iso.datetime(),
  /** Of this program. */
  version: z.string(),
  /** Of the working tree; `unknown` outside one. */
  commit: z.string(),
  /** Whether the working tree has changes beyond that commit. */
  dirty: z.boolean(),
  cpu: z.strictObject({
    model: z.string(),
    /** Logical processors that this process may use. */
    cores: z.int().min(1),
    physicalCores: z.int().min(0),
    /** Frequency governor; empty when the system does not tell. */
    governor: z.string(),
  }),
  memory: z.strictObject({ totalBytes: z.int().min(0), availableBytes: z.int().min(0) }),
  /** Limits of the control group; null when there is none. */
  limits: z.strictObject({
    cpuCores: z.number().min(0).nullable(),
    memoryBytes: z.number().min(0).nullable(),
  }),
  os: z.strictObject({
    platform: z.string(),
    distribution: z.string(),
    kernel: z.string(),
    arch: z.string(),
    clockSource: z.string(),
    /** `KVM`, `VMware`, `Docker Container`, …; empty on bare metal, or when it hides. */
    virtualization: z.string(),
    container: z.boolean(),
  }),
  runtime: z.strictObject({ node: z.string(), v8: z.string(), flags: z.array(z.string()) }),
  /** One, five and fifteen minutes, before the run began. */
  loadAverage: z.tuple([z.number(), z.number(), z.number()]),
  probes: z.strictObject({
    /** fdatasync after 512 B appended, on the file system of the controllers' data; null when it failed. */
    fdatasyncMs: latencySchema.nullable(),
    /** How much later than asked a 1 ms timer fires. */
    timerLatenessMs: latencySchema,
    /** The smallest step seen of the clock that times requests. */
    clockStepNs: z.number().min(0),
  }),
});

export type Environment = z.infer<typeof environmentSchema>;

export interface EnvironmentOptions {
  /** Where the controllers will keep their data; its file system is probed. The system's for temporary files. */
  readonly dataDirectory?: string;
}

const SYNCS_MAX = 200;
/** A slow disk is known after fewer. */
const SYNC_PROBE_MS_MAX = 700;
const SYNC_BYTES = 512;
const TIMERS = 60;

/** Takes about a second, and should be called before any load: it waits on disk and timers. */
export async function describeEnvironment(options: EnvironmentOptions = {}): Promise<Environment> {
  const loadAverage = os.loadavg();
  const [system, cpu, osInfo, git, timerLatenessMs] = await Promise.all([
    si.system(),
    si.cpu(),
    si.osInfo(),
    describeCommit(),
    probeTimers(),
  ]);
  return {
    schemaVersion: ENVIRONMENT_SCHEMA_VERSION,
    takenAt: new Date().toISOString(),
    version: toolVersion(),
    ...git,
    cpu: {
      model: os.cpus()[0]?.model.trim() || `${cpu.manufacturer} ${cpu.brand}`,
      cores: os.availableParallelism(),
      physicalCores: cpu.physicalCores,
      governor: cpu.governor,
    },
    memory: { totalBytes: os.totalmem(), availableBytes: os.freemem() },
    limits: controlGroupLimits(),
    os: {
      platform: osInfo.platform,
      distribution: `${osInfo.distro} ${osInfo.release}`.trim(),
      kernel: osInfo.kernel,
      arch: osInfo.arch,
      clockSource: firstLine('/sys/devices/system/clocksource/clocksource0/current_clocksource'),
      virtualization: system.virtual ? (system.virtualHost ?? system.model) : '',
      container: fs.existsSync('/.dockerenv') || fs.existsSync('/run/.containerenv'),
    },
    runtime: { node: process.version, v8: process.versions.v8, flags: runtimeFlags() },
    loadAverage: [loadAverage[0] ?? 0, loadAverage[1] ?? 0, loadAverage[2] ?? 0],
    probes: {
      fdatasyncMs: probeSyncs(options.dataDirectory ?? os.tmpdir()),
      timerLatenessMs,
      clockStepNs: probeClock(),
    },
  };
}

/** Commit of the working tree that this program was built from, and whether it has changes. */
async function describeCommit(): Promise<{ commit: string; dirty: boolean }> {
  const git = async (...args: string[]): Promise<string> => {
    const options = { cwd: projectRoot(), timeout: 5_000, maxBuffer: 16 << 20 };
    return (await promisify(execFile)('git', args, options)).stdout.trim();
  };
  try {
    const [commit, changes] = await Promise.all([
      git('rev-parse', 'HEAD'),
      git('status', '--porcelain'),
    ]);
    return { commit, dirty: changes !== '' };
  } catch {
    return { commit: 'unknown', dirty: false };
  }
}

function toolVersion(): string {
  const text = fs.readFileSync(join(projectRoot(), 'package.json'), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

/** Node's and V8's flags; what looks like a path is left out. */
function runtimeFlags(): string[] {
  const { NODE_OPTIONS: options = '' } = process.env;
  const flags = [...process.execArgv, ...options.split(/\s+/)];
  return flags.filter((flag) => flag !== '').map((flag) => flag.replace(/[^=]*[/\\].*/, '<path>'));
}

function probeSyncs(directory: string): { p50: number; p99: number } | null {
  const path = join(directory, `fdatasync-probe-${process.pid}`);
  const bytes = Buffer.alloc(SYNC_BYTES, 1);
  const tookMs: number[] = [];
  try {
    const file = fs.openSync(path, 'wx');
    try {
      const startedAt = performance.now();
      while (tookMs.length < SYNCS_MAX && performance.now() - startedAt < SYNC_PROBE_MS_MAX) {
        fs.writeSync(file, bytes);
        const from = performance.now();
        fs.fdatasyncSync(file);
        tookMs.push(performance.now() - from);
      }
    } finally {
      fs.closeSync(file);
      fs.rmSync(path);
    }
  } catch {
    return null;
  }
  return percentiles(tookMs);
}

async function probeTimers(): Promise<{ p50: number; p99: number }> {
  const lateMs: number[] = [];
  for (let i = 0; i < TIMERS; i += 1) {
    const from = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1));
    lateMs.push(Math.max(0, performance.now() - from - 1));
  }
  return percentiles(lateMs);
}

function probeClock(): number {
  let step = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 1_000; i += 1) {
    const from = process.hrtime.bigint();
    const to = process.hrtime.bigint();
    if (to > from) step = Math.min(step, Number(to - from));
  }
  return Number.isFinite(step) ? step : 0;
}

/** @source Linux control groups v2: cpu.max, memory.max */
function controlGroupLimits(): Environment['limits'] {
  const [quota, period] = firstLine('/sys/fs/cgroup/cpu.max').split(' ').map(Number);
  const cpuCores = quota && period ? quota / period : Number.NaN;
  const memoryBytes = Number.parseInt(firstLine('/sys/fs/cgroup/memory.max'), 10);
  return {
    cpuCores: Number.isFinite(cpuCores) ? cpuCores : null,
    memoryBytes: Number.isFinite(memoryBytes) ? memoryBytes : null,
  };
}

function firstLine(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8').split('\n')[0]?.trim() ?? '';
  } catch {
    return '';
  }
}

function percentiles(values: number[]): { p50: number; p99: number } {
  values.sort((a, b) => a - b);
  const at = (share: number): number => {
    const value = values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
    return Math.round(value * 1_000) / 1_000;
  };
  return { p50: at(0.5), p99: at(0.99) };
}
