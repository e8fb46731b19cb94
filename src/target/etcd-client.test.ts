/** The etcd client against a server of our own, and against etcd where there is one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { findEtcd, startEtcd } from './etcd.js';
import { EtcdClient } from './etcd-client.js';
import { PeersError } from './peers.js';
import { fieldsOf, message, messageField, numberField } from './protobuf.js';
import { fences } from './testing/fences.js';

function etcdPath(): string | null {
  try {
    return findEtcd().path;
  } catch (error) {
    if (error instanceof PeersError) return null;
    throw error;
  }
}

/** A member that leads, of one store; `refuses` answers with this gRPC status. */
function answer(stream: ServerHttp2Stream, path: string, body: Buffer, store: Store): void {
  if (store.refuses !== 0) {
    stream.respond({ ':status': 200, 'grpc-status': store.refuses }, { endStream: true });
    return;
  }
  stream.respond({ ':status': 200 }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  const reply = replyTo(path, fieldsOf(body.subarray(5)), store);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(reply.length, 1);
  stream.end(Buffer.concat([prefix, reply]));
}

interface Store {
  revision: bigint;
  readonly keys: Map<string, bigint>;
  refuses: number;
}

function replyTo(path: string, request: ReturnType<typeof fieldsOf>, store: Store): Buffer {
  if (path.endsWith('Status')) return message([1, message([2, 5])], [4, 5]);
  if (path.endsWith('Range')) {
    return message([2, message([3, store.keys.get(String(request.get(1))) ?? 0n])]);
  }
  const compare = messageField(request, 1);
  const key = String(compare.get(3));
  if ((store.keys.get(key) ?? 0n) !== numberField(compare, 6)) return message([1, message([3, 1])]);
  store.revision += 1n;
  store.keys.set(key, store.revision);
  return message([1, message([3, store.revision])], [2, 1]);
}

test('etcd client: a change is fenced by the revision that was seen', {
  timeout: 30_000,
}, async () => {
  const store: Store = { revision: 1n, keys: new Map(), refuses: 0 };
  const server = createServer().listen(0, '127.0.0.1');
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => answer(stream, String(headers[':path']), Buffer.concat(chunks), store));
  });
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  const addresses = [`127.0.0.1:${bound.port}`];
  const first = await EtcdClient.open(addresses);
  const second = await EtcdClient.open(addresses);
  try {
    await fences(first, second);
    store.refuses = 14;
    await assert.rejects(first.write(1), { name: 'GrpcError', code: 14 });
  } finally {
    await first.close();
    await second.close();
    server.close();
  }
});

const path = etcdPath();
test('etcd itself fences a change by the revision that was seen', {
  timeout: 120_000,
  skip: path === null && 'there is no etcd on this machine',
}, async () => {
  const target = await startEtcd();
  try {
    const first = await EtcdClient.open(target.addresses);
    const second = await EtcdClient.open(target.addresses);
    await fences(first, second);
    await first.close();
    await second.close();
  } finally {
    await target.close();
  }
});
