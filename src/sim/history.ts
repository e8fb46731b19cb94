/**
 * What clients asked and what they were told: the input of the linearizability checks.
 */
import assert from 'node:assert/strict';
import type { Outcome } from '../client/outcome.js';

export interface Operation {
  readonly client: string;
  /** Operations of different partitions say nothing about one another: a broker set, or a key. */
  readonly partition: string;
  readonly input: unknown;
  readonly invokedAtMs: number;
  returnedAtMs: number;
  /** `open`: nobody has answered yet. */
  outcome: Outcome['kind'] | 'open';
  output: unknown;
  /** Why it failed, for people. */
  why: string;
}

/** More than any run makes. With one left out, a history could not be judged. */
const OPERATIONS_MAX = 200_000;

export class History {
  readonly operations: Operation[] = [];

  begin(client: string, partition: string, input: unknown, nowMs: number): Operation {
    const operation: Operation = {
      client,
      partition,
      input,
      invokedAtMs: nowMs,
      returnedAtMs: Number.POSITIVE_INFINITY,
      outcome: 'open',
      output: null,
      why: '',
    };
    assert(this.operations.length < OPERATIONS_MAX, 'a run of bounded size');
    this.operations.push(operation);
    return operation;
  }

  /** An indefinite operation stays open for ever: it may take effect at any later time, or never. */
  end(operation: Operation, outcome: Outcome, output: unknown, nowMs: number): void {
    operation.outcome = outcome.kind;
    operation.output = output;
    operation.why = 'why' in outcome ? String(outcome.why) : '';
    if (outcome.kind !== 'indefinite') operation.returnedAtMs = nowMs;
  }
}
