import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, ConnectionOptions, Request } from '../client/types.js';
import { RoleChangeNotifier } from './notifier.js';

/** A connection that the test opens, or not. */
class FakeBroker implements Connection {
  readonly address: string;
  readonly inFlight = 0;
  state: Connection['state'] = 'connecting';
  readonly taken: Request[] = [];
  readonly #options: ConnectionOptions;

  constructor(address: string, options: ConnectionOptions) {
    this.address = address;
    this.#options = options;
  }

  request(): void {
    assert.fail('role changes are told one-way');
  }

  oneway(request: Request): boolean {
    this.taken.push(request);
    return true;
  }

  open(): void {
    this.state = 'open';
    this.#options.onOpen?.();
  }

  close(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.#options.onClose?.('closed');
  }
}

function stage(bounds: { connectionsMax: number; waitingMax: number }) {
  const brokers: FakeBroker[] = [];
  const notifier = new RoleChangeNotifier({
    connect: (address, options) => {
      const broker = new FakeBroker(address, options);
      brokers.push(broker);
      return broker;
    },
    ...bounds,
  });
  const tell = (address: string, masterEpoch: number): void =>
    notifier.notify(address, { masterEpoch, request: { code: masterEpoch } });
  return { brokers, notifier, tell };
}

const counts = ({ sent, failed, dropped }: RoleChangeNotifier): object => ({
  ...{ sent, failed, dropped },
});

test('news goes out once the broker is there, and the connection ends', () => {
  const { brokers, notifier, tell } = stage({ connectionsMax: 2, waitingMax: 2 });
  tell('b:1', 1);
  assert.deepEqual(brokers[0]?.taken, []);
  brokers[0]?.open();
  assert.deepEqual(brokers[0]?.taken, [{ code: 1 }]);
  assert.equal(brokers[0]?.state, 'closed');
  assert.deepEqual(counts(notifier), { sent: 1, failed: 0, dropped: 0 });
});

test('of what waits for one address only the newest is told', () => {
  const { brokers, notifier, tell } = stage({ connectionsMax: 1, waitingMax: 9 });
  tell('b:1', 1);
  tell('b:2', 5);
  tell('b:2', 7);
  tell('b:2', 6);
  brokers[0]?.open();
  brokers[1]?.open();
  assert.deepEqual(
    brokers.map(({ taken }) => taken),
    [[{ code: 1 }], [{ code: 7 }]],
  );
  assert.deepEqual(counts(notifier), { sent: 2, failed: 0, dropped: 0 });
});

test('a broker that cannot be reached is counted, and the next gets its turn', () => {
  const { brokers, notifier, tell } = stage({ connectionsMax: 1, waitingMax: 9 });
  tell('b:1', 1);
  tell('b:2', 1);
  assert.equal(brokers.length, 1, 'one connection at a time');
  brokers[0]?.close();
  brokers[1]?.open();
  assert.deepEqual(counts(notifier), { sent: 1, failed: 1, dropped: 0 });
});

test('news for one address more than may wait is dropped', () => {
  const { notifier, tell } = stage({ connectionsMax: 1, waitingMax: 2 });
  for (const address of ['b:1', 'b:2', 'b:3', 'b:4']) tell(address, 1);
  tell('b:3', 2);
  assert.deepEqual(counts(notifier), { sent: 0, failed: 0, dropped: 1 });
});

test('closing ends what is under way and forgets what waits', () => {
  const { brokers, notifier, tell } = stage({ connectionsMax: 1, waitingMax: 9 });
  tell('b:1', 1);
  tell('b:2', 1);
  notifier.close();
  assert.deepEqual(
    brokers.map(({ state }) => state),
    ['closed'],
  );
  tell('b:3', 1);
  assert.equal(brokers.length, 1);
});
