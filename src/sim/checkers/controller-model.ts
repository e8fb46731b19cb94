/**
 * One broker set of a controller, as brokers and tools see it: who is master, in which epoch, and who
 * is in step.
 *
 * Why: the store's promise is checked at the store; that brokers and tools get consistent answers also
 * depends on what the controller does with it. Written from the protocol, not from our state machine, so
 * that the two can disagree.
 *
 * Who is alive is nobody's to see from outside, so an election may choose anybody in step, or nobody;
 * and a controller may elect by itself at any time.
 *
 * @source rocketmq ReplicasInfoManager (5.x, 8fc57f1)
 */
import type { Call, Model } from './linearizability.js';

export interface SetCallInput {
  readonly kind: 'read' | 'elect' | 'alter';
  /** `alter`: what its sender believed. */
  readonly masterId: number | null;
  readonly masterEpoch: number | null;
  readonly syncStateSet: readonly number[] | null;
  readonly syncStateSetEpoch: number | null;
}

/** What an answer says; null where it does not say. */
export interface SetCallOutput {
  readonly masterId: number | null;
  readonly masterEpoch: number | null;
  readonly syncStateSet: readonly number[] | null;
  readonly syncStateSetEpoch: number | null;
}

interface SetState {
  readonly master: number | null;
  readonly epoch: number;
  readonly set: readonly number[];
  readonly setEpoch: number;
}

type SetCall = Call<SetCallInput, SetCallOutput>;

const encode = ({ epoch, master, set, setEpoch }: SetState): string =>
  `${master ?? '-'}/${epoch}/${set.join()}/${setEpoch}`;

/** States come again and again; a run has a few hundred. */
const decoded = new Map<string, SetState>();
const DECODED_MAX = 50_000;

function decode(state: string): SetState {
  let known = decoded.get(state);
  if (known === undefined) {
    if (decoded.size >= DECODED_MAX) decoded.clear();
    known = parse(state);
    decoded.set(state, known);
  }
  return known;
}

function parse(state: string): SetState {
  const [master = '-', epoch = '0', set = '', setEpoch = '0'] = state.split('/');
  return {
    master: master === '-' ? null : Number(master),
    epoch: Number(epoch),
    set: set === '' ? [] : set.split(',').map(Number),
    setEpoch: Number(setEpoch),
  };
}

/** @param options.unclean whether a replica outside the SyncStateSet may be elected. */
export function controllerModel(options: {
  readonly unclean: boolean;
}): Model<string, SetCallInput, SetCallOutput> {
  const elected = (state: SetState, master: number): SetState => ({
    master,
    epoch: state.epoch + 1,
    set: [master],
    setEpoch: state.setEpoch + 1,
  });
  const mayBeElected = ({ set }: SetState, id: number): boolean =>
    options.unclean || set.length === 0 || set.includes(id);

  const step = (state: SetState, { input, output }: SetCall): SetState | null => {
    switch (input.kind) {
      case 'read':
        return output === null || isSeen(state, output) ? state : null;
      case 'elect': {
        // Without an answer it did what the controller might have done by itself, or nothing.
        if (output?.masterId == null) return null;
        const after = elected(state, output.masterId);
        const fits = output.masterEpoch === after.epoch && mayBeElected(state, output.masterId);
        return fits ? after : null;
      }
      case 'alter': {
        const isCurrent =
          input.masterId === state.master &&
          input.masterEpoch === state.epoch &&
          input.syncStateSetEpoch === state.setEpoch;
        const setEpoch = state.setEpoch + 1;
        if (!isCurrent) return null;
        if (output !== null && output.syncStateSetEpoch !== setEpoch) return null;
        return { ...state, set: [...(input.syncStateSet ?? [])].sort((a, b) => a - b), setEpoch };
      }
    }
  };
  return {
    initial: encode({ master: null, epoch: 0, set: [], setEpoch: 0 }),
    step(state, call) {
      const after = step(decode(state), call);
      return after === null ? null : encode(after);
    },
    isObserver: ({ input }) => input.kind === 'read',
    byItself(encoded, { input, output }) {
      const state = decode(encoded);
      // No election is needed beyond the epoch that this answer speaks of.
      const needed =
        input.kind === 'alter'
          ? (input.masterEpoch ?? 0)
          : (output?.masterEpoch ?? 0) - (input.kind === 'elect' ? 1 : 0);
      if (state.epoch >= needed) return [];
      const nobody = { ...state, master: null, epoch: state.epoch + 1 };
      const candidates = options.unclean || state.set.length === 0 ? everybody : state.set;
      return [nobody, ...candidates.map((id) => elected(state, id))].map(encode);
    },
  };
}

/** More replicas than any simulated set has. */
const everybody = [1, 2, 3, 4, 5, 6, 7, 8];

function isSeen(state: SetState, output: SetCallOutput): boolean {
  const { masterEpoch, masterId, syncStateSet, syncStateSetEpoch } = output;
  return (
    masterId === state.master &&
    (masterEpoch === null || masterEpoch === state.epoch) &&
    (syncStateSetEpoch === null || syncStateSetEpoch === state.setEpoch) &&
    (syncStateSet === null || syncStateSet.join() === state.set.join())
  );
}
