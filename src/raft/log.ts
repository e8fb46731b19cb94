/**
 * The log as the core sees it: which term each index has, kept as runs. No bodies.
 *
 * A term makes one run however many entries it has, so the core's memory grows with elections and
 * not with traffic.
 */
import assert from 'node:assert/strict';
import { type LogIndex, logIndex, type Term, term } from '../lib/brand.js';
import type { TermRun } from './types.js';

const beforeTheLog = term(0);

export class TermLog {
  readonly #runs: TermRun[];
  /** The lowest index whose term is known: 0, or the snapshot's, or that of the first entry held. */
  #floor: LogIndex;
  #lastIndex: LogIndex;
  /** Of the last run; the hot path asks for little else. */
  #lastFirst: LogIndex;
  #lastTerm: Term;

  /**
   * @param start of a log that does not begin at 1: its lowest known index and that one's term.
   * @throws {AssertionError} when the runs are not rising, or do not fit `lastIndex`.
   */
  constructor(runs: readonly TermRun[], lastIndex: LogIndex, start: TermRun | null = null) {
    this.#floor = start?.first ?? logIndex(0);
    if (start === null) {
      assert(runs.length === 0 ? lastIndex === 0 : runs[0]?.first === 1, 'the log begins at 1');
      this.#runs = [...runs];
    } else {
      // The start is the first entry held, or the one before it.
      const rest = runs.filter(({ first, term }) => first > start.first && term !== start.term);
      this.#runs = [start, ...rest];
    }
    for (let i = 1; i < this.#runs.length; i += 1) {
      const [earlier, later] = [this.#runs[i - 1], this.#runs[i]];
      assert(earlier !== undefined && later !== undefined);
      assert(later.first > earlier.first && later.term > earlier.term, 'term runs must rise');
    }
    this.#lastIndex = lastIndex;
    const last = this.#runs.at(-1);
    this.#lastFirst = last?.first ?? logIndex(0);
    this.#lastTerm = last?.term ?? beforeTheLog;
    assert(lastIndex >= this.#lastFirst, 'a term run begins after the end of the log');
  }

  /** What comes before it can be had from the snapshot only. */
  get floor(): LogIndex {
    return this.#floor;
  }

  /** Forgets what came before `floor`, whose term stays known. */
  compact(floor: LogIndex): void {
    if (floor <= this.#floor) return;
    const term = this.termAt(floor);
    while ((this.#runs[1]?.first ?? Number.POSITIVE_INFINITY) <= floor) this.#runs.shift();
    this.#runs[0] = { first: floor, term };
    if (this.#runs.length === 1) this.#lastFirst = floor;
    this.#floor = floor;
  }

  /** Drops everything: the log goes on after a snapshot of another log. */
  reset(index: LogIndex, term: Term): void {
    this.#runs.length = 0;
    this.#runs.push({ first: index, term });
    this.#floor = index;
    this.#lastIndex = index;
    this.#lastFirst = index;
    this.#lastTerm = term;
  }

  /** 0 when empty. */
  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  get lastTerm(): Term {
    return this.#lastTerm;
  }

  /** Adds entries up to `last`, all of `term`. */
  append(last: LogIndex, term: Term): void {
    assert(last > this.#lastIndex, 'an append moves the end');
    if (term !== this.#lastTerm) {
      assert(term > this.#lastTerm, `term ${term} after ${this.#lastTerm} in the log`);
      this.#lastFirst = logIndex(this.#lastIndex + 1);
      this.#lastTerm = term;
      this.#runs.push({ first: this.#lastFirst, term });
    }
    this.#lastIndex = last;
  }

  truncate(after: LogIndex): void {
    assert(after < this.#lastIndex, 'a truncation moves the end back');
    assert(after >= this.#floor, 'a truncation of what the snapshot holds');
    this.#lastIndex = after;
    while (this.#lastFirst > after) {
      this.#runs.pop();
      const last = this.#runs.at(-1);
      this.#lastFirst = last?.first ?? logIndex(0);
      this.#lastTerm = last?.term ?? beforeTheLog;
    }
  }

  /** 0 for index 0. The index must lie in the log, at or after its floor. */
  termAt(index: LogIndex): Term {
    assert(index <= this.#lastIndex, `index ${index} is beyond the end ${this.#lastIndex}`);
    if (index >= this.#lastFirst) return this.#lastTerm;
    assert(index >= this.#floor, `index ${index} is before the beginning ${this.#floor}`);
    return this.#runAt(index)?.term ?? beforeTheLog;
  }

  /** Whether the entry at `index` is the one of `term`. What lies before the floor nobody knows. */
  holds(index: LogIndex, term: Term): boolean {
    return index <= this.#lastIndex && index >= this.#floor && this.termAt(index) === term;
  }

  /** The first index of the run that `index` lies in. */
  runStart(index: LogIndex): LogIndex {
    assert(index <= this.#lastIndex, `index ${index} is beyond the end ${this.#lastIndex}`);
    return this.#runAt(index)?.first ?? logIndex(0);
  }

  #runAt(index: LogIndex): TermRun | undefined {
    let low = 0;
    let high = this.#runs.length; // The first run that begins after `index` is in [low, high].
    while (low < high) {
      const middle = (low + high) >>> 1;
      const run = this.#runs[middle];
      assert(run !== undefined);
      if (run.first <= index) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? undefined : this.#runs[low - 1];
  }
}
