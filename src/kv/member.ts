/**
 * One member of a replicated key-value store, without its doors: the log, a state, and what requests
 * do to them. DLedger's second use case, on the same engine as the controllers.
 *
 * Writes are entries; the member that proposed one answers with what it did. Reads are proved by
 * ReadIndex on any member, or, when the client can bear it, served at once with a bound on how old
 * they are.
 */
import type { Reply } from '../controller/reply.js';
import { LogEngine, type LogEngineOptions } from '../engine/log-engine.js';
import type { StateMachine } from '../engine/state-machine.js';
import { ResponseCode } from '../lib/codes.js';
import { isOneway, type RemotingCommand } from '../remoting/command.js';
import type { ResponseFrame } from '../remoting/frame-writer.js';
import { extFieldsJson } from '../remoting/json-text.js';
import { busy, failureReply, invalid, notLeader, responseFrame } from '../server/answers.js';
import type { ClientConnection } from '../server/call.js';
import { decodeKvCommand, encodeKvCommand, KvCommandError } from './command.js';
import type { KvResult, KvState } from './state.js';
import {
  decodeKvRequest,
  encodeKvReply,
  type KvReply,
  type KvRequest,
  KvRequestError,
} from './wire.js';

export type KvMemberOptions = Omit<LogEngineOptions, 'stateMachine'> & {
  readonly state: KvState;
};

export interface KvMember {
  readonly log: LogEngine;
  readonly stateMachine: StateMachine;
  handle(command: RemotingCommand, connection: ClientConnection): void;
  start(): void;
}

/** Results wait for their proposer, who takes them in the turn in which they were applied. */
const RESULTS_MAX = 65_536;

export function assembleKvMember(options: KvMemberOptions): KvMember {
  const { state } = options;
  const results = new Map<number, KvResult>();
  const stateMachine: StateMachine = {
    apply({ body, index }) {
      if (body.length === 0) return;
      const result = state.apply(decodeKvCommand(body));
      if (!log.isServing) return;
      results.set(index, result);
      if (results.size > RESULTS_MAX) results.delete(results.keys().next().value ?? 0);
    },
    snapshot: () => state.snapshot(),
    restore: () => state.restore(),
  };
  const log: LogEngine = new LogEngine({ ...options, stateMachine });

  const write = async (request: Extract<KvRequest, { kind: 'put' | 'delete' | 'cas' }>) => {
    const index = await log.append(encodeKvCommand(request));
    const result = results.get(index);
    results.delete(index);
    return { done: result?.done ?? true, value: null, pairs: [], stalenessMs: 0 };
  };
  const prove = async (maxStalenessMs: number | null): Promise<number> => {
    if (maxStalenessMs !== null) return (await log.staleRead({ maxStalenessMs })).stalenessMs;
    await log.readBarrier();
    return 0;
  };
  const perform = async (request: KvRequest): Promise<KvReply> => {
    switch (request.kind) {
      case 'get': {
        const stalenessMs = await prove(request.maxStalenessMs);
        return { done: true, value: state.get(request.key), pairs: [], stalenessMs };
      }
      case 'range': {
        const stalenessMs = await prove(request.maxStalenessMs);
        const pairs = await state.range(request.from, request.to, request.limit);
        return { done: true, value: null, pairs, stalenessMs };
      }
      default:
        return write(request);
    }
  };
  const answer = async (command: RemotingCommand): Promise<ResponseFrame> => {
    const refuse = (reply: Reply): ResponseFrame => responseFrame(command, reply);
    try {
      const request = decodeKvRequest(command);
      const isWrite = request.kind !== 'get' && request.kind !== 'range';
      if (isWrite && !log.isServing) return refuse(notLeader);
      if (isWrite && state.isBusy) return refuse(busy);
      const { body, fields } = encodeKvReply(await perform(request));
      const { opaque } = command;
      const extFields = extFieldsJson(fields);
      return { code: ResponseCode.Success, opaque, remark: null, extFields, body };
    } catch (error) {
      const isTheirs = error instanceof KvRequestError || error instanceof KvCommandError;
      return refuse(isTheirs ? invalid(error.message) : failureReply(error));
    }
  };
  return {
    log,
    stateMachine,
    handle(command, connection) {
      if (isOneway(command)) return;
      void answer(command).then((response) => connection.respond(response));
    },
    start: () => log.start(),
  };
}
