/** Three members of a log in one process: append, read back, read proved, on another member. */
import type { LogEngine } from '../src/engine/log-engine.js';
import { openLog } from '../src/engine/open-log.js';
import { LoopbackNetwork } from '../src/net/loopback.js';
import { votersOnly } from '../src/raft/configuration.js';
import { MemoryStore } from '../src/storage/memory-store.js';

const network = new LoopbackNetwork();
const configuration = votersOnly(['a', 'b', 'c']);
const onFatal = console.error;
const logs = configuration.map(({ id: self }) => {
  const transport = network.join(self, (message) => log.receive(message));
  const store = new MemoryStore();
  const log: LogEngine = openLog({ self, configuration, store, transport, onFatal });
  return log;
});
for (const log of logs) log.start();
const delivery = setInterval(() => network.deliver(), 1);
while (!logs.some((log) => log.isServing)) await new Promise((go) => setTimeout(go, 10));

const [leader, follower] = logs.toSorted((a, b) => Number(b.isServing) - Number(a.isServing));
const index = await leader?.append([Buffer.from('to be'), Buffer.from('or not')]);
console.log('proved up to', await follower?.readIndex());
if (index !== undefined) console.log(Buffer.from(follower?.get(index).body ?? '').toString());
clearInterval(delivery);
await Promise.all(logs.map((log) => log.close()));
