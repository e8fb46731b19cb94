/** Three members of a log in one process: append, read back, read proved, on another member. */
import { LogEngine } from '../src/engine/log-engine.js';
import { systemClock } from '../src/lib/clock.js';
import { silent as logger } from '../src/lib/logger.js';
import { Prng } from '../src/lib/prng.js';
import { LoopbackNetwork } from '../src/net/loopback.js';
import { votersOnly } from '../src/raft/configuration.js';
import { fastTiming as timing } from '../src/raft/types.js';
import { MemoryStore } from '../src/storage/memory-store.js';

const network = new LoopbackNetwork();
const configuration = votersOnly(['a', 'b', 'c']);
const nothing = { apply() {}, snapshot: () => ({ next: async () => null, close() {} }) };
const stateMachine = { ...nothing, restore: () => ({ async write() {}, async end() {} }) };
const logs = configuration.map(({ id: self }, i) => {
  const transport = network.join(self, (message) => log.receive(message));
  const ports = {
    transport,
    store: new MemoryStore(),
    clock: systemClock,
    chance: new Prng(i),
    logger,
  };
  const onFatal = console.error;
  const log: LogEngine = new LogEngine({
    self,
    configuration,
    timing,
    handoff: 'wake',
    stateMachine,
    onFatal,
    ...ports,
  });
  return log;
});
for (const log of logs) log.start();
const delivery = setInterval(() => network.deliver(), 1);
while (!logs.some((log) => log.isServing)) await new Promise((go) => setTimeout(go, 10));
const index = await logs
  .find((log) => log.isServing)
  ?.append([Buffer.from('to be'), Buffer.from('or not')]);
const follower = logs.find((log) => !log.isServing) as LogEngine;
console.log(
  `proved up to ${await follower.readIndex()}:`,
  Buffer.from(follower.get(index as never).body).toString(),
);
clearInterval(delivery);
await Promise.all(logs.map((log) => log.close()));
