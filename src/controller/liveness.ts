/**
 * What `decide` may ask about brokers' heartbeats.
 *
 * Each controller keeps its own table of them and nothing of it is replicated, so it enters where
 * the leader decides and never where members apply.
 */

export interface BrokerLiveInfo {
  /** Last epoch of the broker's own log; −1 when it sent none. */
  readonly epoch: number;
  /** Byte offset; a bigint where it does not fit a safe integer. −1 when it sent none. */
  readonly maxOffset: number | bigint;
  /** Lower is preferred; 2147483647 when it sent none. */
  readonly electionPriority: number;
}

export interface LivenessView {
  isAlive(clusterName: string | null, brokerName: string, brokerId: number): boolean;
  /** @returns null when nothing is known of that broker. */
  info(clusterName: string | null, brokerName: string, brokerId: number): BrokerLiveInfo | null;
}
