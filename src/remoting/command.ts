/**
 * One message of the RocketMQ remoting protocol, decoded.
 *
 * @source rocketmq RemotingCommand (5.x, 8fc57f1)
 */

export interface RemotingCommand {
  /** Request code in a request, response code in a response. */
  readonly code: number;
  readonly language: string | null;
  readonly version: number;
  /** Correlates a response with its request, per connection and sender. */
  readonly opaque: number;
  readonly flag: number;
  readonly remark: string | null;
  /** Named parameters; null when the header had none. */
  readonly extFields: Readonly<Record<string, string>> | null;
  /** null when empty: the wire cannot tell the two apart. */
  readonly body: Buffer | null;
}

export const FLAG_RESPONSE = 1;
export const FLAG_ONEWAY = 2;

export const isResponse = (command: RemotingCommand): boolean =>
  (command.flag & FLAG_RESPONSE) !== 0;
export const isOneway = (command: RemotingCommand): boolean => (command.flag & FLAG_ONEWAY) !== 0;
