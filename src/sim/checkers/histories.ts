/**
 * From what a run recorded to what the models read, and the verdict on all of it.
 *
 * Why: a history is judged by what was promised for each answer. A refused write has no effect, an
 * indefinite one may have, and a read that proves nothing may be stale: to take one for another would
 * accuse the innocent or acquit the guilty.
 */

import type { SetAnswer, SetRequest } from '../controller-client.js';
import type { Operation } from '../history.js';
import type { KvInput, KvOutput } from '../kv-client.js';
import type { SimOptions } from '../swarm.js';
import { controllerModel, type SetCallInput, type SetCallOutput } from './controller-model.js';
import { type KvCallInput, type KvCallOutput, kvModel } from './kv-model.js';
import { type Call, checkLinearizable, type Model } from './linearizability.js';
import { checkStaleReads } from './stale-reads.js';
import { Violation } from './violation.js';

/** How many histories there were: one for each key or broker set. */
export interface Decided {
  readonly histories: number;
  /** Of them, those that were too hard to decide. */
  readonly undecided: number;
}

/** @throws {Violation} */
export function checkHistories(operations: readonly Operation[], options: SimOptions): Decided {
  if (options.subject === 'controller') return checkSets(operations, options);
  checkStaleReads(operations);
  return checkKv(operations);
}

function checkKv(operations: readonly Operation[]): Decided {
  const calls = byPartition<KvCallInput, KvCallOutput>(operations, (operation) => {
    const { expected, kind, value } = operation.input as KvInput;
    // The first promise less, and are judged by it; the second are noted as reads of a key.
    if (kind === 'stale-get' || kind === 'range') return null;
    const isRead = kind === 'get';
    if (operation.outcome === 'rejected' || (isRead && operation.outcome !== 'ok')) return null;
    const output = operation.outcome === 'ok' ? (operation.output as KvOutput) : null;
    return { input: { kind, value, expected }, output };
  });
  return check(calls, kvModel);
}

/** What an answer proves depends on the build: reads that prove nothing are not judged. */
function checkSets(operations: readonly Operation[], options: SimOptions): Decided {
  const areReadsProved = options.build === 'optimized' || options.processReadEvent;
  const calls = byPartition<SetCallInput, SetCallOutput>(operations, (operation) => {
    const request = operation.input as SetRequest;
    const isRead = request.kind === 'replica-info' || request.kind === 'sync-state';
    const isWrite = request.kind === 'elect' || request.kind === 'alter';
    if (!isWrite && !(isRead && areReadsProved)) return null;
    if (operation.outcome === 'rejected' || (isRead && operation.outcome !== 'ok')) return null;
    let answer = operation.outcome === 'ok' ? (operation.output as SetAnswer) : null;
    // It lists registered replicas only, and anybody may have been elected or put in.
    if (request.kind === 'sync-state' && answer !== null)
      answer = { ...answer, syncStateSet: null };
    if (answer !== null && answer.code !== 0) return null;
    const kind = isRead ? 'read' : request.kind === 'elect' ? 'elect' : 'alter';
    return { input: { ...request, kind }, output: answer };
  });
  return check(calls, controllerModel({ unclean: options.uncleanElections }));
}

function byPartition<Input, Output>(
  operations: readonly Operation[],
  read: (operation: Operation) => { readonly input: Input; readonly output: Output | null } | null,
): ReadonlyMap<string, Call<Input, Output>[]> {
  const partitions = new Map<string, Call<Input, Output>[]>();
  for (const operation of operations) {
    const found = read(operation);
    if (found === null) continue;
    const { invokedAtMs: calledAt, outcome, partition, returnedAtMs } = operation;
    const returnedAt = outcome === 'ok' ? returnedAtMs : Number.POSITIVE_INFINITY;
    const calls = partitions.get(partition) ?? [];
    calls.push({ ...found, calledAt, returnedAt });
    partitions.set(partition, calls);
  }
  return partitions;
}

function check<State extends string | number, Input, Output>(
  partitions: ReadonlyMap<string, readonly Call<Input, Output>[]>,
  model: Model<State, Input, Output>,
): Decided {
  let undecided = 0;
  for (const [partition, calls] of partitions) {
    const verdict = checkLinearizable(calls, model);
    if (verdict.kind === 'unknown') undecided += 1;
    if (verdict.kind !== 'violation') continue;
    const { calledAt, input, output, returnedAt } = verdict.call;
    throw new Violation(
      'linearizability',
      `${partition}: ${JSON.stringify(input)}, called at ${calledAt.toFixed(1)} ms and answered at ` +
        `${returnedAt.toFixed(1)} ms with ${JSON.stringify(output)}, fits no order of effects`,
    );
  }
  return { histories: partitions.size, undecided };
}
