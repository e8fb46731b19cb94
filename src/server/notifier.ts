/**
 * Tells brokers who their master is (1008), one-way, on a connection to the broker's own address.
 *
 * Only the newest news per address matters: an unsent older one is replaced. Failures are only
 * counted, because brokers also poll getReplicaInfo.
 *
 * @source rocketmq ControllerManager.notifyBrokerRoleChanged, NotifyService (5.x, 8fc57f1)
 */
import type { Connection, ConnectionOptions, Request } from '../client/types.js';

export interface RoleNews {
  readonly masterEpoch: number;
  readonly request: Request;
}

export interface NotifierOptions {
  readonly connect: (address: string, options: ConnectionOptions) => Connection;
  /** Connections open at once. */
  readonly connectionsMax: number;
  /** Addresses waiting; the news for one more is dropped and counted. */
  readonly waitingMax: number;
}

/** @source upstream's budget for one notification */
const NOTIFY_TIMEOUT_MS = 3_000;

export class RoleChangeNotifier {
  readonly #options: NotifierOptions;
  /** Newest unsent news per address, oldest address first. */
  readonly #waiting = new Map<string, RoleNews>();
  readonly #open = new Set<Connection>();
  #closed = false;
  sent = 0;
  failed = 0;
  dropped = 0;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  notify(address: string, news: RoleNews): void {
    const older = this.#waiting.get(address);
    if (older !== undefined && older.masterEpoch > news.masterEpoch) return;
    if (older === undefined && this.#waiting.size >= this.#options.waitingMax) {
      this.dropped += 1;
      return;
    }
    this.#waiting.set(address, news);
    this.#sendNext();
  }

  close(): void {
    this.#closed = true;
    this.#waiting.clear();
    for (const connection of this.#open) connection.close();
  }

  #sendNext(): void {
    while (!this.#closed && this.#open.size < this.#options.connectionsMax) {
      const next = this.#waiting.entries().next();
      if (next.done === true) return;
      const [address, news] = next.value;
      this.#waiting.delete(address);
      this.#send(address, news);
    }
  }

  #send(address: string, news: RoleNews): void {
    let wasSent = false;
    const connection = this.#options.connect(address, {
      windowMax: 1,
      connectTimeoutMs: NOTIFY_TIMEOUT_MS,
      requestTimeoutMs: NOTIFY_TIMEOUT_MS,
      closeOnTimeout: true,
      onOpen: () => {
        wasSent = connection.oneway(news.request);
        connection.close();
      },
      onClose: () => {
        if (!this.#open.delete(connection)) return;
        if (wasSent) this.sent += 1;
        else this.failed += 1;
        this.#sendNext();
      },
    });
    this.#open.add(connection);
  }
}
