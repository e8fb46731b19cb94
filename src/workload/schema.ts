/**
 * The shape of a workload file: what load, never on which target.
 *
 * The only place where a workload is doubted; also published as JSON Schema for editors
 * (`workloads/workload.schema.json`, written by `scripts/write-workload-schema.ts`).
 */
import { z } from 'zod';

/** What a mix may contain, by upstream's names. */
export const operationNames = [
  'alterSyncStateSet',
  'getReplicaInfo',
  'getSyncStateData',
  'getMetadataInfo',
  'getNextBrokerId',
  'heartbeat',
] as const;
export type OperationName = (typeof operationNames)[number];

const share = z.number().positive().max(1_000_000).optional();

const mix = z
  .strictObject({
    alterSyncStateSet: share.describe('1001: a write, alternately shrinking and expanding a set'),
    getReplicaInfo: share.describe('1004: a read of one broker set'),
    getSyncStateData: share.describe('1006: a read of one broker set with its replicas'),
    getMetadataInfo: share.describe('1005: who leads; answered by any member from memory'),
    getNextBrokerId: share.describe('1012: a read of the next broker id'),
    heartbeat: share.describe('904, two-way so that it can be timed; the brokers take turns'),
  } satisfies Record<OperationName, typeof share>)
  .describe('Shares of the requests, relative to one another.')
  .refine((shares) => Object.values(shares).some((value) => value !== undefined), {
    error: 'names no operation',
  });

const ratePerSecond = z.int().min(1).max(1_000_000);
const outstanding = z.int().min(1).max(65_536);

const oneOrSweep = (value: z.ZodInt) =>
  z.union([value, z.array(value).min(1).max(50)], {
    error: `expected an integer in [${value.minValue}, ${value.maxValue}], or a list of them (a sweep)`,
  });

const load = z.discriminatedUnion('mode', [
  z.strictObject({
    mode: z.literal('open').describe('Requests are due at set times, whatever the answers do.'),
    ratePerSecond: oneOrSweep(ratePerSecond).describe('Over all workers; a list is a sweep.'),
    arrivals: z.enum(['even', 'poisson']).default('even'),
    mix,
  }),
  z.strictObject({
    mode: z.literal('closed').describe('Each answer releases the next request.'),
    outstanding: oneOrSweep(outstanding).describe('Over all workers; a list is a sweep.'),
    mix,
  }),
  z.strictObject({
    mode: z
      .literal('timers')
      .describe("Open loop: every broker polls on the real broker's timers."),
    replicaInfoEveryMs: z.int().min(100).max(600_000).default(5_000),
    metadataInfoEveryMs: z.int().min(100).max(600_000).default(10_000),
  }),
]);

const common = {
  name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'expected lower-case words joined by hyphens'),
  why: z.string().min(20).describe('The question this workload answers; printed in the report.'),
  sets: z.int().min(1).max(100_000).describe('Broker sets.'),
  replicas: z.int().min(1).max(9).describe('Brokers in each set.'),
  heartbeatEveryMs: z
    .int()
    .min(100)
    .max(9_000)
    .default(1_000)
    .describe('One-way 904 of every broker to every member; a broker counts as dead after 10 s.'),
  connectionsPerWorker: z
    .int()
    .min(1)
    .max(256)
    .default(4)
    .describe('To each member, where brokers share connections: those of a worker share these.'),
  connections: z
    .enum(['shared', 'own'])
    .default('shared')
    .describe('own: every broker has a connection of its own to each member, as a real one has.'),
  byDefault: z
    .boolean()
    .default(true)
    .describe('false: runs only when it is named, since it is large or long.'),
  requestTimeoutMs: z
    .int()
    .min(100)
    .max(60_000)
    .default(3_000)
    .describe('As upstream, a late answer costs the whole connection.'),
};

const bringUp = z.strictObject({
  kind: z.literal('bring-up').describe('Every broker starts at once, against empty controllers.'),
  ...common,
  intervalMs: z.int().min(100).max(10_000).default(500),
  giveUpAfterMs: z.int().min(1_000).max(600_000).default(60_000),
});

const massFailover = z.strictObject({
  kind: z
    .literal('mass-failover')
    .describe('The masters of all sets are lost at once; the controllers elect new ones.'),
  ...common,
  connections: z
    .literal('own')
    .default('own')
    .describe('Always own: on a shared connection a controller cannot tell whom it lost.'),
  loss: z
    .enum(['closed', 'silent'])
    .describe("closed: the masters' connections close. silent: they stay open, no beat comes."),
  heartbeatTimeoutMs: z
    .int()
    .min(500)
    .max(600_000)
    .default(10_000)
    .describe('Sent with every beat: for so long a broker counts as alive without another.'),
  warmUpMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(1_000)
    .describe('The whole fleet beats and polls for so long before the loss.'),
  intervalMs: z.int().min(50).max(10_000).default(100).describe('Of one point over time.'),
  settleMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(500)
    .describe(
      'After the last election, for the survivors to learn of it (they ask every 5 s); then all is checked.',
    ),
  giveUpAfterMs: z.int().min(1_000).max(600_000).default(60_000),
});

const steady = z.strictObject({
  kind: z.literal('load').describe('Requests at a rate or a number outstanding, on ready sets.'),
  ...common,
  warmUpMs: z.int().min(0).max(600_000),
  durationMs: z.int().min(500).max(3_600_000).describe('Of the measured window, after warm-up.'),
  intervalMs: z.int().min(100).max(10_000).default(1_000).describe('Of one point over time.'),
  windowMax: z
    .int()
    .min(1)
    .max(65_536)
    .default(8_192)
    .describe('Unanswered requests on one connection; one more is counted as SHED.'),
  load,
  readsFrom: z
    .enum(['leader', 'any'])
    .default('leader')
    .describe('any: in turn from every member that answers reads.'),
  alsoProvedByLog: z
    .boolean()
    .default(false)
    .describe('Also run on targets that can prove reads by the log, with that switched on.'),
  fault: z
    .strictObject({
      kind: z.literal('kill-leader'),
      atMs: z.int().min(0).describe('From the start of the measured window.'),
      restartAfterMs: z.int().min(0).optional(),
    })
    .optional(),
  sloP99Ms: z.number().positive().optional().describe('What counts as kept up, in a sweep.'),
});

export const workloadSchema = z
  .discriminatedUnion('kind', [bringUp, massFailover, steady])
  .superRefine((workload, context) => {
    if (workload.kind === 'mass-failover') {
      if (workload.replicas < 2) {
        context.addIssue({
          code: 'custom',
          path: ['replicas'],
          message: 'expected at least 2: a set of one has nobody to take over',
        });
      }
      const { heartbeatEveryMs, heartbeatTimeoutMs } = workload;
      if (heartbeatTimeoutMs < 2 * heartbeatEveryMs) {
        context.addIssue({
          code: 'custom',
          path: ['heartbeatTimeoutMs'],
          message: `expected at least twice heartbeatEveryMs (${heartbeatEveryMs}): one late beat is no death`,
        });
      }
    }
    if (workload.kind !== 'load') return;
    const { fault, durationMs } = workload;
    if (fault !== undefined && fault.atMs >= durationMs) {
      context.addIssue({
        code: 'custom',
        path: ['fault', 'atMs'],
        message: `expected less than durationMs (${durationMs})`,
      });
    }
    if (!hasWrites(workload)) return;
    if (workload.replicas < 2) {
      context.addIssue({
        code: 'custom',
        path: ['replicas'],
        message: 'expected at least 2: a set of one has no SyncStateSet to alter',
      });
    }
    const { load } = workload;
    if (load.mode === 'closed' && Math.max(...[load.outstanding].flat()) > workload.sets) {
      context.addIssue({
        code: 'custom',
        path: ['load', 'outstanding'],
        message: `expected at most sets (${workload.sets}): a master has one alterSyncStateSet in flight`,
      });
    }
  });

export type Workload = z.infer<typeof workloadSchema>;
export type BringUpWorkload = z.infer<typeof bringUp>;
export type MassFailoverWorkload = z.infer<typeof massFailover>;
export type LoadWorkload = z.infer<typeof steady>;

export function hasWrites(workload: Workload): boolean {
  if (workload.kind !== 'load') return true;
  const { load } = workload;
  return load.mode !== 'timers' && load.mix.alterSyncStateSet !== undefined;
}

/** The JSON Schema that editors use. */
export function workloadJsonSchema(): object {
  return {
    title: 'Quorumark workload',
    ...z.toJSONSchema(workloadSchema, { io: 'input' }),
  };
}
