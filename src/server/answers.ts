/**
 * Answers that come from the server itself rather than from the state machine.
 *
 * @source rocketmq NettyRemotingAbstract.processRequestCommand, ControllerRequestProcessor (5.x, 8fc57f1)
 */
import type { Field, Reply } from '../controller/reply.js';
import { LogError } from '../engine/errors.js';
import { ResponseCode } from '../lib/codes.js';
import { jsonString } from '../lib/json-text.js';
import type { RemotingCommand } from '../remoting/command.js';
import type { ResponseFrame } from '../remoting/frame-writer.js';

const plain = (code: ResponseCode, remark: string): Reply => ({
  code,
  remark,
  fields: null,
  body: null,
});

export const notLeader = plain(ResponseCode.NotLeader, 'The controller is not in leader state');
export const busy = plain(
  ResponseCode.SystemBusy,
  '[OVERLOAD]system busy, start flow control for a while',
);
export const diskFull = plain(ResponseCode.SystemBusy, 'the disk of the controller is full');
/** The client cannot know whether its write will yet be committed, and neither can we. */
export const cancelled = plain(
  ResponseCode.SystemError,
  'java.util.concurrent.CancellationException, leadership was lost before the commit',
);
/** As `cancelled`: the work may still be done. */
export const timedOut = plain(
  ResponseCode.SystemError,
  'java.util.concurrent.TimeoutException, not done within 5 seconds',
);

export const unsupported = (code: number): Reply =>
  plain(ResponseCode.RequestCodeNotSupported, ` request type ${code} not supported`);

export const invalid = (remark: string): Reply => plain(ResponseCode.SystemError, remark);

/** A reply as it goes onto the wire. */
export function responseFrame({ opaque }: RemotingCommand, reply: Reply): ResponseFrame {
  const { code, remark, fields, body } = reply;
  return { code, opaque, remark, body, extFields: fields === null ? null : fieldsJson(fields) };
}

function fieldsJson(fields: readonly Field[]): string {
  let json = '';
  for (const [name, value] of fields) {
    json += `${json === '' ? '{' : ','}"${name}":${jsonString(value)}`;
  }
  return json === '' ? '{}' : `${json}}`;
}

/** What a failed append or read proof means to the client. */
export function failureReply(error: unknown): Reply {
  if (!(error instanceof LogError)) throw error;
  switch (error.code) {
    case 'NOT_LEADER':
      return notLeader;
    case 'STORE_FULL':
      return diskFull;
    case 'LEADERSHIP_LOST':
    case 'CLOSED':
      return cancelled;
    default:
      return busy;
  }
}
