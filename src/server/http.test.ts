import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HttpView, serveHttp } from './http.js';

const sets = new Map([
  ['set-a', { brokerName: 'set-a', masterEpoch: 3 }],
  ['set/b ü', { brokerName: 'set/b ü', masterEpoch: 1 }],
]);

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
}

/** Asks a server on a port of the system's choice. */
async function asked(path: string, view: Partial<HttpView> = {}, method = 'GET'): Promise<Answer> {
  const server = await serveHttp(
    {
      notReadyBecause: () => null,
      status: () => ({ role: 'leader', term: 7 }),
      metrics: () => Promise.resolve('role 1\n'),
      members: () => [],
      changeGroup: async () => {},
      brokerSetNames: () => [...sets.keys()],
      brokerSet: (name) => sets.get(name) ?? null,
      ...view,
    },
    { host: '127.0.0.1', port: 0 },
  );
  try {
    assert.doesNotMatch(server.address, /:0$/, 'the address is the one that was bound');
    const response = await fetch(`http://${server.address}${path}`, { method });
    const type = response.headers.get('content-type');
    return { status: response.status, type, text: await response.text() };
  } finally {
    await server.close();
  }
}

const rows: readonly (readonly [
  path: string,
  status: number,
  body: unknown,
  view?: Partial<HttpView>,
])[] = [
  ['/healthz', 200, { status: 'up' }],
  ['/readyz', 200, { status: 'ready', reason: null, role: 'leader', term: 7 }],
  [
    '/readyz',
    503,
    { status: 'not ready', reason: 'no leader is known', role: 'leader', term: 7 },
    { notReadyBecause: () => 'no leader is known' },
  ],
  [
    '/v1/broker-sets',
    200,
    { proof: 'unproved', count: 2, names: ['set-a', 'set/b ü'], next: null },
  ],
  [
    '/v1/broker-sets?after=set-a',
    200,
    { proof: 'unproved', count: 2, names: ['set/b ü'], next: null },
  ],
  ['/v1/broker-sets/set-a', 200, { proof: 'unproved', brokerName: 'set-a', masterEpoch: 3 }],
  [
    '/v1/broker-sets/set%2Fb%20%C3%BC',
    200,
    { proof: 'unproved', brokerName: 'set/b ü', masterEpoch: 1 },
  ],
  ['/v1/broker-sets/__proto__', 404, { error: 'no broker set named __proto__' }],
  ['/v1/broker-sets/nowhere', 404, { error: 'no broker set named nowhere' }],
];
for (const [path, status, body, view] of rows) {
  test(`GET ${path}: ${status}`, async () => {
    const answer = await asked(path, view);
    assert.deepEqual([answer.status, JSON.parse(answer.text)], [status, body]);
    assert.match(answer.type ?? '', /^application\/json/);
  });
}

test('GET /metrics is Prometheus text', async () => {
  assert.deepEqual(await asked('/metrics'), {
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
    text: 'role 1\n',
  });
});

test('more names than a page holds go on after the last', async () => {
  const names = Array.from({ length: 10_001 }, (_, at) => `set-${String(at).padStart(5, '0')}`);
  const view = { brokerSetNames: () => names };
  const first = JSON.parse((await asked('/v1/broker-sets', view)).text);
  assert.deepEqual([first.count, first.names.length, first.next], [10_001, 10_000, 'set-09999']);
  const rest = JSON.parse((await asked(`/v1/broker-sets?after=${first.next}`, view)).text);
  assert.deepEqual([rest.names, rest.next], [['set-10000'], null]);
});

for (const [method, path] of [
  ['GET', '/'],
  ['GET', '/v1/broker-sets/%E0%A4%A'],
  ['POST', '/healthz'],
  ['DELETE', '/v1/broker-sets/set-a'],
] as const) {
  test(`${method} ${path} is refused`, async () => {
    const { status } = await asked(path, {}, method);
    assert.ok(status === 404 || status === 400, `status ${status}`);
  });
}

test('a view that throws costs its caller the answer, and nobody else', async () => {
  const view = {
    metrics: () => Promise.reject(new Error('disk is gone')),
  };
  assert.equal((await asked('/metrics', view)).status, 500);
});
