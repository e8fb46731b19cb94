/**
 * Prints what the codec costs per frame, in nanoseconds: `node dist/scripts/bench-codec.js`.
 *
 * The best of several rounds, since anything slower was the machine's doing.
 */
import { decodeSyncStateSet, encodeSyncStateSet } from '../src/remoting/bodies.js';
import { decodeCommand, encodeRequest } from '../src/remoting/codec.js';
import { clientIdentity, FrameWriter } from '../src/remoting/frame-writer.js';
import { readAlterSyncStateSet, readBrokerHeartbeat } from '../src/remoting/headers.js';
import { extFieldsJson } from '../src/remoting/json-text.js';

const ROUNDS = 300;
const OPERATIONS = 4_000;

const alter = {
  brokerName: 'broker-set-123',
  masterBrokerId: 1,
  masterEpoch: 3,
  invokeTime: 1_795_322_027_155,
};
const heartbeat = {
  clusterName: 'cluster-a',
  brokerAddr: '10.0.0.1:10911',
  brokerName: 'broker-set-123',
  brokerId: 1,
  epoch: 3,
  maxOffset: 123_456_789,
  confirmOffset: 123_456_000,
  heartbeatTimeoutMills: 10_000,
  electionPriority: 2_147_483_647,
};
const body = encodeSyncStateSet([1, 2], 3);
const bodyBytes = Buffer.from(body);
const alterFrame = encodeRequest(
  { code: 1001, opaque: 77_123, flag: 0, extFields: extFieldsJson(alter), body },
  clientIdentity,
);
const heartbeatFrame = encodeRequest(
  { code: 904, opaque: 77_123, flag: 2, extFields: extFieldsJson(heartbeat), body: null },
  clientIdentity,
);
const alterFields = decodeCommand(alterFrame, 4).extFields;
const heartbeatFields = decodeCommand(heartbeatFrame, 4).extFields;
const ids = [1, 2];
const writer = new FrameWriter();

/** Results go here, so that no work can be optimised away. */
let sink: unknown;

const operations: readonly (readonly [name: string, operation: (i: number) => void])[] = [
  [`decode 1001 (${alterFrame.length} bytes)`, () => (sink = decodeCommand(alterFrame, 4))],
  ['read 1001 header', () => (sink = readAlterSyncStateSet(alterFields))],
  ['decode 1001 body', () => (sink = decodeSyncStateSet(bodyBytes))],
  [`decode 904 (${heartbeatFrame.length} bytes)`, () => (sink = decodeCommand(heartbeatFrame, 4))],
  ['read 904 header', () => (sink = readBrokerHeartbeat(heartbeatFields))],
  ['encode 1001 response', encodeResponse],
  ['encode 1001 request', encodeAlter],
];

for (const [name, operation] of operations) {
  let bestNs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startNs = process.hrtime.bigint();
    for (let i = 0; i < OPERATIONS; i += 1) operation(i);
    bestNs = Math.min(bestNs, Number(process.hrtime.bigint() - startNs) / OPERATIONS);
  }
  console.log(`${name.padEnd(28)} ${bestNs.toFixed(0).padStart(6)} ns`);
}
if (sink === undefined) throw new Error('nothing was measured');

function encodeResponse(opaque: number): void {
  const epoch = opaque & 0xff;
  writer.response({
    code: 0,
    opaque,
    extFields: `{"newSyncStateSetEpoch":"${epoch}"}`,
    remark: null,
    body: encodeSyncStateSet(ids, epoch),
  });
  if (writer.length > 64 * 1024) writer.clear();
}

function encodeAlter(opaque: number): void {
  writer.request({ code: 1001, opaque, flag: 0, extFields: extFieldsJson(alter), body });
  if (writer.length > 64 * 1024) writer.clear();
}
