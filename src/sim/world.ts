/**
 * Virtual time: one queue of events for everything that happens in a simulated run.
 *
 * Nothing happens by itself. An event runs at its time, whatever it promises is settled, then the
 * next one runs. Same seed, same events, same hash.
 */
import { withoutPhases } from '../net/turn.js';

export interface Scheduled {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | null;
}

/** Events in one turn of Node's own loop, which has signals and the campaign's messages to see to. */
const BATCH = 256;
/**
 * What Node does between two callbacks of its loop: ticks, microtasks, rejections. Done here after
 * every event, it saves an immediate for each; a Node without it gets the immediates (DEP0134).
 */
const settle = (process as { readonly _tickCallback?: () => void })._tickCallback;
/** Two simulated hours at the rates of a run: more is a loop without end. */
const EVENTS_MAX = 200_000_000;

export class World {
  #nowMs = 0;
  #order = 0;
  #events = 0;
  readonly #heap: Scheduled[] = [];
  #hashA = 0x9e3779b9;
  #hashB = 0x85ebca6b;
  /** Thrown out of an event: ends the run. */
  #failure: unknown = null;

  constructor() {
    withoutPhases();
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get events(): number {
    return this.#events;
  }

  /** Of all that was noted so far, in order. */
  get hash(): string {
    const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
    return hex(this.#hashA) + hex(this.#hashB);
  }

  /** Adds to the trace what distinguishes this run from another. */
  note(value: number): void {
    this.#hashA = Math.imul(this.#hashA ^ value, 0x85ebca6b);
    this.#hashA ^= this.#hashA >>> 13;
    this.#hashB = (Math.imul(this.#hashB, 31) + value + (this.#hashA >>> 7)) | 0;
  }

  noteText(text: string): void {
    for (let i = 0; i < text.length; i += 1) this.note(text.charCodeAt(i));
  }

  noteBytes(bytes: Uint8Array): void {
    const { length } = bytes;
    this.note(length);
    for (let i = 0; i < length; i += 1) this.note(bytes[i] as number);
  }

  /** Runs `action` at `atMs`, or now if that is over; events of one time run in the order given. */
  at(atMs: number, action: () => void): Scheduled {
    const event: Scheduled = {
      atMs: Math.max(atMs, this.#nowMs),
      order: this.#order,
      run: action,
    };
    this.#order += 1;
    push(this.#heap, event);
    return event;
  }

  after(delayMs: number, action: () => void): Scheduled {
    return this.at(this.#nowMs + delayMs, action);
  }

  /** Ends the run with this error, which `run` throws. */
  fail(error: unknown): void {
    this.#failure ??= error;
  }

  /**
   * Lets time pass until `untilMs`, or until `isOver`, which is asked after each event.
   *
   * @throws what an event threw, or what `fail` was given.
   */
  async run(untilMs: number, isOver: () => boolean = never): Promise<void> {
    // What a real process dies of.
    const fail = (error: unknown): void => this.fail(error);
    process.on('unhandledRejection', fail);
    process.on('uncaughtException', fail);
    try {
      await this.#runUntil(untilMs, isOver);
    } finally {
      process.off('unhandledRejection', fail);
      process.off('uncaughtException', fail);
    }
    if (this.#failure !== null) throw this.#failure;
  }

  async #runUntil(untilMs: number, isOver: () => boolean): Promise<void> {
    let isDone = false;
    const step = (): void => {
      if (!isDone) isDone = this.#step(untilMs, isOver);
    };
    while (!isDone) {
      await new Promise<void>((resolve) => {
        if (settle === undefined) {
          for (let i = 0; i < BATCH; i += 1) setImmediate(step);
          setImmediate(resolve);
          return;
        }
        setImmediate(() => {
          for (let i = 0; i < BATCH && !isDone; i += 1) {
            step();
            settle();
          }
          resolve();
        });
      });
    }
  }

  #step(untilMs: number, isOver: () => boolean): boolean {
    if (this.#failure !== null || isOver()) return true;
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return true;
      }
      pop(this.#heap);
      const { run } = next;
      if (run === null) continue; // Cancelled.
      this.#nowMs = next.atMs;
      this.#events += 1;
      if (this.#events > EVENTS_MAX) throw new Error(`${EVENTS_MAX} events`);
      try {
        run();
      } catch (error) {
        this.fail(error);
        return true;
      }
      return false;
    }
  }
}

const never = (): boolean => false;

const isBefore = (one: Scheduled, other: Scheduled): boolean =>
  one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);

function push(heap: Scheduled[], event: Scheduled): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const parent = (at - 1) >>> 1;
    const above = heap[parent] as Scheduled;
    if (!isBefore(event, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Scheduled[]): void {
  const last = heap.pop() as Scheduled;
  const { length } = heap;
  if (length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= length) break;
    const right = child + 1;
    if (right < length && isBefore(heap[right] as Scheduled, heap[child] as Scheduled)) {
      child = right;
    }
    const below = heap[child] as Scheduled;
    if (!isBefore(below, last)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = last;
}
