/**
 * Whether a history could have come from one copy of the object, each operation taking effect at one
 * moment between its call and its answer.
 *
 * Why: it is the promise as clients see it, whatever happened inside. The other checkers know how the
 * system works and can share its mistakes; this one knows only the questions and the answers.
 *
 * Works forward in time and keeps every state that the object may be in, with the operations that
 * have taken effect so far (Lowe's just-in-time linearization). An operation is made to take effect
 * when its answer arrives, and others before it only if that makes a difference. An answer that
 * nobody knows leaves its operation open for ever; such operations are the dear ones, so they are
 * tried only where an answer has no other explanation, and everywhere only before a history is called
 * wrong. Histories of different keys or broker sets are
 * checked apart, since linearizability is a local property (Herlihy & Wing).
 *
 * @source Lowe, "Testing for linearizability" (2017); Wing & Gong (1993); Horn & Kroening (2015)
 */

export interface Call<Input, Output> {
  readonly input: Input;
  /** null: nobody knows, or nobody will. */
  readonly output: Output | null;
  readonly calledAt: number;
  /** Infinity: it may take effect at any later time, or never. */
  readonly returnedAt: number;
}

/** A sequential object. States are compared by value, so they are numbers or strings. */
export interface Model<State extends string | number, Input, Output> {
  readonly initial: State;
  /** The state after it, or null when the call could not have had this answer. */
  step(state: State, call: Call<Input, Output>): State | null;
  /** Whether it leaves every state as it is; may say no although it does. */
  isObserver(call: Call<Input, Output>): boolean;
  /** States that the object may reach by itself, and that `call` may need. */
  byItself?(state: State, call: Call<Input, Output>): readonly State[];
}

export type Verdict<Input, Output> =
  | { readonly kind: 'linearizable' }
  /** No order of effects explains the answer to this call. */
  | { readonly kind: 'violation'; readonly call: Call<Input, Output> }
  /** The search was given up at its bound. */
  | { readonly kind: 'unknown'; readonly why: string };

/** Calls open at once; a mask of two integers tells them apart. */
const OPEN_MAX = 60;
const HALF = 30;
/** Configurations looked at for one answer. */
const SEARCH_MAX = 20_000;
/** A state's number and 30 bits of a mask make an exact integer. */
const STATES_IN_NUMBER = 2 ** (53 - HALF);

interface Configuration<State> {
  readonly state: State;
  /** Open calls that have taken effect, by slot: 0 to 29, and 30 to 59. */
  readonly low: number;
  readonly high: number;
}

export function checkLinearizable<State extends string | number, Input, Output>(
  calls: readonly Call<Input, Output>[],
  model: Model<State, Input, Output>,
): Verdict<Input, Output> {
  // An order that was found is an order, however little was looked at to find it.
  const verdict = new Search(model, 'if-needed').run(calls);
  return verdict.kind === 'violation' ? new Search(model, 'always').run(calls) : verdict;
}

class Search<State extends string | number, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  /** When calls that never return are tried. */
  readonly #endless: 'always' | 'if-needed';
  readonly #slots = new Array<Call<Input, Output> | null>(OPEN_MAX).fill(null);
  /** What the call in a slot makes of a state; asked for the same state again and again. */
  readonly #steps = Array.from({ length: OPEN_MAX }, () => new Map<State, State | null>());
  readonly #isObserver = new Array<boolean>(OPEN_MAX).fill(false);
  readonly #stateIds = new Map<State, number>();
  #slotsUsed = 0;
  /** Slots of calls that never return: whether they took effect nobody will ask. */
  #endlessLow = 0;
  #endlessHigh = 0;
  #configurations: Configuration<State>[];

  constructor(model: Model<State, Input, Output>, endless: 'always' | 'if-needed') {
    this.#model = model;
    this.#endless = endless;
    this.#configurations = [{ state: model.initial, low: 0, high: 0 }];
  }

  run(calls: readonly Call<Input, Output>[]): Verdict<Input, Output> {
    const slotOf = new Map<Call<Input, Output>, number>();
    for (const { call, isReturn } of inOrder(calls)) {
      if (!isReturn) {
        const slot = this.#slots.indexOf(null);
        if (slot === -1) return { kind: 'unknown', why: `more than ${OPEN_MAX} calls are open` };
        this.#open(slot, call);
        slotOf.set(call, slot);
        continue;
      }
      const slot = slotOf.get(call) as number;
      let left = this.#returned(slot, call, this.#endless === 'always');
      if (left?.length === 0) left = this.#returned(slot, call, true);
      if (left === null) return { kind: 'unknown', why: `more than ${SEARCH_MAX} configurations` };
      if (left.length === 0) return { kind: 'violation', call };
      this.#slots[slot] = null;
      this.#configurations = left;
    }
    return { kind: 'linearizable' };
  }

  #open(slot: number, call: Call<Input, Output>): void {
    this.#slots[slot] = call;
    this.#steps[slot]?.clear();
    this.#isObserver[slot] = this.#model.isObserver(call);
    this.#slotsUsed = Math.max(this.#slotsUsed, slot + 1);
    if (call.returnedAt !== Number.POSITIVE_INFINITY) return;
    if (slot < HALF) this.#endlessLow |= 1 << slot;
    else this.#endlessHigh |= 1 << (slot - HALF);
  }

  /** What is possible after this answer, each possibility without this call. null: too many. */
  #returned(
    slot: number,
    call: Call<Input, Output>,
    withEndless: boolean,
  ): Configuration<State>[] | null {
    const left = new Map<string | number, Configuration<State>>();
    const seen = new Set<string | number>();
    const waiting: Configuration<State>[] = [];
    const isLow = slot < HALF;
    const bit = isLow ? 1 << slot : 1 << (slot - HALF);
    const keep = ({ high, low, state }: Configuration<State>): void => {
      const without = isLow ? { state, low: low & ~bit, high } : { state, low, high: high & ~bit };
      left.set(this.#keyOf(without), without);
    };
    const look = (found: Configuration<State>): void => {
      const configuration = this.#withObservers(found);
      if (((isLow ? configuration.low : configuration.high) & bit) !== 0) {
        keep(configuration);
        return;
      }
      const key = this.#keyOf(configuration);
      if (seen.has(key)) return;
      seen.add(key);
      waiting.push(configuration);
    };
    for (const configuration of this.#configurations) look(configuration);
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (seen.size > SEARCH_MAX) return null;
      const { high, low, state } = next;
      for (let i = 0; i < this.#slotsUsed; i += 1) {
        const other = this.#slots[i];
        if (other === null || other === undefined) continue;
        if (!withEndless && other.returnedAt === Number.POSITIVE_INFINITY) continue;
        if (this.#isObserver[i]) continue; // Already behind us where it fits.
        const mask = i < HALF ? 1 << i : 1 << (i - HALF);
        if (((i < HALF ? low : high) & mask) !== 0) continue;
        const after = this.#step(i, other, state);
        if (after === null) continue;
        look(
          i < HALF
            ? { state: after, low: low | mask, high }
            : { state: after, low, high: high | mask },
        );
      }
      for (const after of this.#model.byItself?.(state, call) ?? [])
        look({ state: after, low, high });
    }
    return this.#undominated([...left.values()]);
  }

  /**
   * With every open observer that fits here: it can take effect now, and to have it behind us forbids
   * nothing, since it could change no later state either. So reads cost no choices.
   */
  #withObservers(configuration: Configuration<State>): Configuration<State> {
    const { state } = configuration;
    let { high, low } = configuration;
    for (let i = 0; i < this.#slotsUsed; i += 1) {
      const call = this.#slots[i];
      if (call === null || call === undefined) continue;
      const mask = i < HALF ? 1 << i : 1 << (i - HALF);
      if (((i < HALF ? low : high) & mask) !== 0) continue;
      if (!this.#isObserver[i] || this.#step(i, call, state) === null) continue;
      if (i < HALF) low |= mask;
      else high |= mask;
    }
    return low === configuration.low && high === configuration.high
      ? configuration
      : { state, low, high };
  }

  #step(slot: number, call: Call<Input, Output>, state: State): State | null {
    const known = this.#steps[slot] as Map<State, State | null>;
    let after = known.get(state);
    if (after === undefined) {
      after = this.#model.step(state, call);
      known.set(state, after);
    }
    return after;
  }

  /** A number where one can hold it, which is nearly always. */
  #keyOf({ high, low, state }: Configuration<State>): string | number {
    let id = this.#stateIds.get(state);
    if (id === undefined) {
      id = this.#stateIds.size;
      this.#stateIds.set(state, id);
    }
    return high === 0 && id < STATES_IN_NUMBER ? id * 2 ** HALF + low : `${id}|${low}|${high}`;
  }

  /** Of two with equal states, the one that has used up fewer endless calls can do all that the other can. */
  #undominated(configurations: Configuration<State>[]): Configuration<State>[] {
    if (configurations.length < 2) return configurations;
    const groups = new Map<string, Configuration<State>[]>();
    for (const configuration of configurations) {
      const { high, low, state } = configuration;
      const key = `${state}|${low & ~this.#endlessLow}|${high & ~this.#endlessHigh}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [configuration]);
      else group.push(configuration);
    }
    const left: Configuration<State>[] = [];
    for (const group of groups.values()) {
      for (const one of group) {
        const isDominated = group.some(
          (other) =>
            other !== one &&
            (other.low & one.low) === other.low &&
            (other.high & one.high) === other.high,
        );
        if (!isDominated) left.push(one);
      }
    }
    return left;
  }
}

/** Calls before answers at the same time: they may overlap. */
function inOrder<Input, Output>(calls: readonly Call<Input, Output>[]) {
  const events: { at: number; isReturn: boolean; call: Call<Input, Output> }[] = [];
  for (const call of calls) {
    events.push({ at: call.calledAt, isReturn: false, call });
    if (call.returnedAt !== Number.POSITIVE_INFINITY) {
      events.push({ at: call.returnedAt, isReturn: true, call });
    }
  }
  return events.sort((a, b) => a.at - b.at || Number(a.isReturn) - Number(b.isReturn));
}
