/**
 * What is known of the elections after a mass failure: when each set was seen with its new master, and
 * whether all that was seen is right.
 *
 * Right is: one new master for each set, out of the SyncStateSet from before the loss, in a higher
 * masterEpoch, and nobody else afterwards. What is seen comes in any order, from readers and brokers.
 */
import type { BrokerSet } from './fleet.js';

interface Ballot {
  readonly set: BrokerSet;
  readonly oldMaster: number;
  readonly oldEpoch: number;
  readonly candidates: readonly number[];
  newMaster: number;
  newEpoch: number;
  electedMs: number | null;
  /** When it was last seen without a new master, or the loss. */
  lookedMs: number;
  gapMs: number;
  /** Survivors that know the new master. */
  readonly told: Set<number>;
  toldMs: number | null;
  isWrong: boolean;
}

/** What one worker saw; times in milliseconds from the loss. */
export interface ElectionResult {
  readonly electedMs: readonly number[];
  /** For each elected set: between the last look without and the first with the new master. */
  readonly gapMs: readonly number[];
  /** For each set: when the last of its survivors knew the new master. */
  readonly toldMs: readonly number[];
  /** Sets whose masterEpoch rose by more than one. */
  readonly repeated: number;
  /** One sentence each; few are kept. */
  readonly wrong: readonly string[];
  readonly setsWrong: number;
  /** How long it took to bring the loss about. */
  readonly lossTookMs: number;
  /** Whether every set was read once more at the end. */
  readonly isChecked: boolean;
}

const SENTENCES_MAX = 5;

export class Elections {
  readonly #ballots: ReadonlyMap<string, Ballot>;
  readonly #lossMs: number;
  readonly #wrong: string[] = [];
  #elected = 0;
  #setsWrong = 0;
  #told = 0;
  lossTookMs = 0;
  isChecked = false;

  /** @param sets as they were adopted last, before the loss. */
  constructor(sets: readonly BrokerSet[], lossMs: number) {
    this.#lossMs = lossMs;
    this.#ballots = new Map(
      sets.map((set) => [
        set.name,
        {
          set,
          oldMaster: set.masterId,
          oldEpoch: set.masterEpoch,
          candidates: set.syncStateSet.filter((id) => id !== set.masterId),
          newMaster: 0,
          newEpoch: 0,
          electedMs: null,
          lookedMs: lossMs,
          gapMs: 0,
          told: new Set<number>(),
          toldMs: null,
          isWrong: false,
        },
      ]),
    );
  }

  get elected(): number {
    return this.#elected;
  }

  get isComplete(): boolean {
    return this.#elected === this.#ballots.size;
  }

  /** Whether every survivor of every set knows its new master. */
  get isTold(): boolean {
    return this.#told === this.#ballots.size;
  }

  isElected(set: BrokerSet): boolean {
    return this.#ballots.get(set.name)?.electedMs != null;
  }

  /** A controller said, asked at `askedMs`, who is master of this set; 0 when nobody is. */
  seen(
    set: BrokerSet,
    said: { readonly masterId: number; readonly masterEpoch: number },
    askedMs: number,
    nowMs: number,
  ): void {
    const ballot = this.#ballots.get(set.name);
    if (ballot === undefined) return;
    const fault = this.#judge(ballot, said);
    if (fault !== null) this.#fault(ballot, fault);
    const { masterId, masterEpoch } = said;
    if (masterId === 0 || masterEpoch <= ballot.oldEpoch) {
      if (ballot.electedMs === null) ballot.lookedMs = Math.max(ballot.lookedMs, askedMs);
      return;
    }
    if (ballot.electedMs !== null) return;
    ballot.newMaster = masterId;
    ballot.newEpoch = masterEpoch;
    ballot.electedMs = nowMs - this.#lossMs;
    ballot.gapMs = nowMs - ballot.lookedMs;
    this.#elected += 1;
  }

  /** A broker took this role, by what a controller told it. */
  learnt(
    set: BrokerSet,
    brokerId: number,
    said: { readonly masterId: number; readonly masterEpoch: number },
    nowMs: number,
  ): void {
    this.seen(set, said, nowMs, nowMs);
    const ballot = this.#ballots.get(set.name);
    if (ballot === undefined || said.masterEpoch <= ballot.oldEpoch) return;
    ballot.told.add(brokerId);
    const survivors = set.brokers.length - 1;
    if (ballot.told.size < survivors || ballot.toldMs !== null) return;
    ballot.toldMs = nowMs - this.#lossMs;
    this.#told += 1;
  }

  result(): ElectionResult {
    const ballots = [...this.#ballots.values()];
    const elected = ballots.filter(({ electedMs }) => electedMs !== null);
    return {
      electedMs: elected.map(({ electedMs }) => electedMs ?? 0),
      gapMs: elected.map(({ gapMs }) => gapMs),
      toldMs: ballots.flatMap(({ toldMs }) => (toldMs === null ? [] : [toldMs])),
      repeated: elected.filter(({ newEpoch, oldEpoch }) => newEpoch > oldEpoch + 1).length,
      wrong: this.#wrong,
      setsWrong: this.#setsWrong,
      lossTookMs: this.lossTookMs,
      isChecked: this.isChecked,
    };
  }

  /** What is wrong about it, in words; null when nothing is. */
  #judge(
    ballot: Ballot,
    { masterId, masterEpoch }: { readonly masterId: number; readonly masterEpoch: number },
  ): string | null {
    const { oldMaster, oldEpoch, candidates, newMaster, newEpoch } = ballot;
    if (masterEpoch < oldEpoch) return `its masterEpoch fell from ${oldEpoch} to ${masterEpoch}`;
    if (masterId === 0) return null;
    const who = `${masterId} is master in epoch ${masterEpoch}`;
    if (masterEpoch === oldEpoch) {
      return masterId === oldMaster ? null : `${who}, and so was ${oldMaster}`;
    }
    if (masterId === oldMaster) return `${who}, and is the one that was lost`;
    if (!candidates.includes(masterId)) {
      return `${who}, and was not in the SyncStateSet {${[oldMaster, ...candidates].join()}}`;
    }
    if (newMaster === 0) return null;
    // An older answer may come after a newer one; what was said of one epoch must agree.
    if (masterEpoch === newEpoch) {
      return masterId === newMaster ? null : `${who}, and so is ${newMaster}`;
    }
    return masterId === newMaster ? null : `${who}, after ${newMaster} had been elected`;
  }

  #fault(ballot: Ballot, fault: string): void {
    if (ballot.isWrong) return;
    ballot.isWrong = true;
    this.#setsWrong += 1;
    if (this.#wrong.length < SENTENCES_MAX) this.#wrong.push(`${ballot.set.name}: ${fault}`);
  }
}
