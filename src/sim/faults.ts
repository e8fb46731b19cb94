/**
 * The words of a fault schedule: what goes wrong, where, when and for how long.
 *
 * A schedule is data. It is drawn once from the seed, printed, replayed, and made smaller when a
 * run fails; who carries it out is `nemesis.ts`. Targets are resolved when a fault strikes, so a
 * schedule that lost half of its faults still means something.
 */

/** A member by position, the leader of the moment, or one that is not. */
export type Target = number | 'leader' | 'follower';

export const partitionModes = [
  'isolate-one',
  'halves',
  'uniform',
  'bridge',
  'majorities-ring',
] as const;
export type PartitionMode = (typeof partitionModes)[number];

/** What is left of unsynced bytes after the power went: nothing, or whatever chance leaves. */
export type PowerLoss = 'nothing' | 'torn';

export type Fault =
  // Processes
  /** kill -9: the page cache survives. */
  | { readonly kind: 'kill'; readonly target: Target; readonly forMs: number }
  | {
      readonly kind: 'power-loss';
      readonly target: Target;
      readonly survives: PowerLoss;
      readonly forMs: number;
    }
  | { readonly kind: 'power-loss-all'; readonly survives: PowerLoss; readonly forMs: number }
  | { readonly kind: 'pause'; readonly target: Target; readonly forMs: number }
  | {
      readonly kind: 'slow';
      readonly target: Target;
      readonly delayMs: number;
      readonly forMs: number;
    }
  /** A member is lost for good, disk and all; another takes its place. */
  | { readonly kind: 'replace'; readonly target: Target }
  /** Members that write the old format go on with the new one, one after another. */
  | { readonly kind: 'upgrade'; readonly target: Target }
  // Network
  | {
      readonly kind: 'partition';
      readonly mode: PartitionMode;
      readonly symmetric: boolean;
      readonly forMs: number;
    }
  | { readonly kind: 'clog'; readonly forMs: number }
  /** What others send to it comes later and later, then nothing that it sends arrives any more. */
  | {
      readonly kind: 'congestion';
      readonly target: Target;
      readonly lateMs: number;
      readonly forMs: number;
    }
  | { readonly kind: 'loss'; readonly share: number; readonly forMs: number }
  | { readonly kind: 'duplication'; readonly share: number; readonly forMs: number }
  | { readonly kind: 'reordering'; readonly share: number; readonly forMs: number }
  | { readonly kind: 'delay'; readonly meanMs: number; readonly forMs: number }
  // Disks
  | {
      readonly kind: 'disk-slow';
      readonly target: Target;
      readonly syncMs: number;
      readonly forMs: number;
    }
  | { readonly kind: 'disk-full'; readonly target: Target; readonly forMs: number }
  /** The next sync fails; what it covered is gone. */
  | { readonly kind: 'sync-failure'; readonly target: Target; readonly forMs: number }
  /** Bytes on the disk of one member change, while it is down or under its running process. */
  | {
      readonly kind: 'corruption';
      readonly target: Target;
      readonly how: 'bit-flip' | 'misdirected-write' | 'zeroed-sector';
      readonly atRest: boolean;
      readonly forMs: number;
    }
  /** A read returns other bytes than those that are there, once. */
  | {
      readonly kind: 'bad-read';
      readonly target: Target;
      readonly how: 'bit-flip' | 'misdirected';
    }
  // Clocks
  | {
      readonly kind: 'drift';
      readonly target: Target;
      readonly rate: number;
      readonly forMs: number;
    }
  /** The wall clocks of a member, which reads none, and of a broker, which does. */
  | {
      readonly kind: 'clock-jump';
      readonly target: Target;
      readonly broker: number;
      readonly byMs: number;
    }
  // What operators do
  | { readonly kind: 'transfer'; readonly to: number }
  | { readonly kind: 'add-learner' }
  | { readonly kind: 'promote' }
  | { readonly kind: 'remove'; readonly target: Target }
  /** Two changes asked for at once: at most one may be taken. */
  | { readonly kind: 'two-changes' }
  // Brokers
  | { readonly kind: 'broker-kill'; readonly broker: number; readonly forMs: number }
  | { readonly kind: 'broker-silence'; readonly broker: number; readonly forMs: number };

export type FaultKind = Fault['kind'];

/**
 * What members outside the core are left with, while the core alone must come right: switched off, out
 * of touch with the core both ways, unable to hear it, unheard by it, or with a disk that stays full.
 */
export const outsides = ['dead', 'isolated', 'deaf', 'mute', 'disk-full'] as const;
export type Outside = (typeof outsides)[number];

export interface ScheduledFault {
  readonly atMs: number;
  readonly fault: Fault;
}

/** For people: `partition isolate-one (one way) for 800 ms`. */
export function describeFault(fault: Fault): string {
  const { kind, ...rest } = fault;
  const details = Object.entries(rest).map(([name, value]) =>
    name === 'forMs' ? `for ${value} ms` : `${name} ${value}`,
  );
  return [kind, ...details].join(' ');
}
