/**
 * Why bytes from a peer were refused.
 *
 * A `FrameError` costs the peer its connection, without a reply: after a framing fault nothing that
 * follows can be trusted. A `BodyError` costs it only this request, which is answered with code 1.
 *
 * @source rocketmq NettyDecoder, RemotingCommand.decode (5.x, 8fc57f1)
 */
export const frameFaults = {
  FRAME_TOO_LARGE: 'frame over the size limit',
  FRAME_TOO_SHORT: 'frame shorter than its own length words',
  HEADER_LENGTH: 'header length exceeds the frame',
  SERIALIZE_TYPE: 'unknown header serialisation',
  HEADER_JSON: 'JSON header is not acceptable',
  HEADER_BINARY: 'binary header is not consistent',
  MEMBER_FRAME: 'not a frame of this controller group',
} as const;

export type FrameFault = keyof typeof frameFaults;

export class FrameError extends Error {
  override readonly name = 'FrameError';
  readonly code: FrameFault;

  constructor(code: FrameFault, detail: string) {
    super(`${frameFaults[code]}: ${detail}`);
    this.code = code;
  }
}

export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly code = 'BODY_INVALID';
}
