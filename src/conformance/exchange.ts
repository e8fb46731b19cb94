/**
 * The words of the conformance suite: what is asked of a group of controllers, step by step, and
 * what came back. Everything here is plain JSON, so that a recording is these values line by line.
 */

/** One request as it goes onto the wire, wrong ones included. */
export interface WireRequest {
  readonly code: number;
  /** Written as they are: a value that is no string is sent as none. Absent: no such key. */
  readonly extFields?: Readonly<Record<string, unknown>> | null;
  /** Sent as UTF-8. */
  readonly body?: string;
  /** A body in hexadecimal, in place of a text: for what is no UTF-8. */
  readonly bodyHex?: string;
  /** In place of a header made of the above; `$opaque` stands for the number. */
  readonly header?: string;
  /** With upstream's binary header; values must be strings then. */
  readonly isBinary?: true;
  readonly isOneway?: true;
  /** The whole frame in hexadecimal, in place of all of this: for what is no frame. */
  readonly frame?: string;
}

/** Stands for the address of a listener that takes pushes, wherever it is written in a request. */
export const PUSH_ADDRESS = '$push';

/** Followers are counted in the order of their ids, the dead left out. */
export type Recipient = 'leader' | 'follower-1' | 'follower-2';

export interface Ask {
  readonly do: 'ask';
  readonly request: WireRequest;
  /** Default `leader`. */
  readonly to?: Recipient;
  /** Names one of several connections; brokers that are to be lost have one each. Default `main`. */
  readonly on?: string;
  /** Asked again until the reply's JSON holds this text; then that reply counts. */
  readonly until?: string;
  /** Id of the deviation that has made the state behind this request another one. */
  readonly known?: string;
}

/** What happens to connections and processes between two requests. */
export interface Act {
  readonly do: 'close-connection' | 'kill-leader' | 'restart-killed' | 'restart-all';
  /** Of a closed connection. */
  readonly on?: string;
}

/** Takes the next push (1008) at the listener's address. */
export interface AwaitPush {
  readonly do: 'await-push';
}

export type Step = Ask | Act | AwaitPush;

export interface Reply {
  readonly code: number;
  readonly remark: string | null;
  readonly extFields: Readonly<Record<string, string>> | null;
  /** As text: what it says as JSON is for the comparison to find out. */
  readonly body: string | null;
}

/** `closed`: the connection was closed on it. `silent`: no reply, though a later request had one. */
export type Outcome = Reply | 'closed' | 'silent';

export interface Exchange {
  readonly step: Ask;
  readonly outcome: Outcome;
}

/** A step and, where it asked or waited, what came. */
export interface Told {
  readonly step: Step;
  readonly outcome: Outcome | null;
}

/** Yields steps one by one, and may choose the next by what the last was answered. */
export interface Script {
  next(): Step | null;
  learn(step: Ask, outcome: Outcome): void;
}

/** One group of controllers from its start to its end. */
export interface SessionPlan {
  readonly name: string;
  readonly members: 1 | 3;
  /** Beyond the ones that all sessions share. */
  readonly properties: Readonly<Record<string, string>>;
}

export const isReply = (outcome: Outcome): outcome is Reply => typeof outcome !== 'string';

/** A script that asks what is written, whatever is answered. */
export function fixed(steps: readonly Step[]): Script {
  let at = 0;
  return {
    next() {
      const step = steps[at] ?? null;
      at += 1;
      return step;
    },
    learn() {},
  };
}

/** One script after the other. */
export function inTurn(scripts: readonly Script[]): Script {
  let at = 0;
  return {
    next() {
      for (; at < scripts.length; at += 1) {
        const step = scripts[at]?.next() ?? null;
        if (step !== null) return step;
      }
      return null;
    },
    learn: (step, outcome) => scripts[at]?.learn(step, outcome),
  };
}
