import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestCode } from '../lib/codes.js';
import { ControllerMetrics } from './metrics.js';

const labels = { address: '127.0.0.1:9878', group: 'quorumark', peer_id: 'n0' };
const base = 'address="127.0.0.1:9878",group="quorumark",peer_id="n0"';

function exposed(
  own: Readonly<Record<string, string>> = labels,
  role: 'leader' | 'follower' | 'candidate' = 'leader',
): ControllerMetrics {
  const metrics = new ControllerMetrics(own);
  metrics.expose({
    role: () => role,
    diskUsageBytes: () => 4_096,
    activeBrokers: () => [
      { clusterName: 'cluster-a', brokerName: 'set-a' },
      { clusterName: 'cluster-a', brokerName: 'set-a' },
      { clusterName: null, brokerName: 'quote" slash\\ line\n' },
    ],
    gauges: () => ({ raft_term: 7 }),
  });
  return metrics;
}

/** Samples by name and sorted labels. Throws for a line that is not Prometheus text. */
async function scraped(metrics: ControllerMetrics): Promise<ReadonlyMap<string, number>> {
  const samples = new Map<string, number>();
  for (const line of (await metrics.scrape()).split('\n')) {
    if (line === '' || /^# (HELP|TYPE) \w+ /.test(line)) continue;
    const match = /^(\w+)(?:\{((?:\w+="(?:[^"\\]|\\["\\n])*",?)*)\})? (\S+)$/.exec(line);
    assert(match !== null, `not a sample: ${line}`);
    const [, name, list = '', value] = match;
    const sorted = (list.match(/\w+="(?:[^"\\]|\\.)*"/g) ?? []).sort().join(',');
    const key = `${name}{${sorted}}`;
    assert.ok(!samples.has(key), `twice: ${key}`);
    samples.set(key, Number(value));
  }
  return samples;
}

test('a scrape has the names and labels of upstream', async () => {
  const metrics = exposed();
  metrics.requestEnded(RequestCode.AlterSyncStateSet, 'success', 120);
  metrics.requestEnded(RequestCode.AlterSyncStateSet, 'success', 80);
  metrics.requestEnded(RequestCode.AlterSyncStateSet, 'timeout', 5_000_000);
  metrics.requestEnded(RequestCode.BrokerHeartbeat, 'failed', 0);
  metrics.appendEnded('success', 900);
  metrics.appendEnded('failed', 0);
  metrics.electionEnded('keep_current_master');
  const samples = await scraped(metrics);
  const alter = 'request_type="CONTROLLER_ALTER_SYNC_STATE_SET"';
  const beat = 'request_type="CONTROLLER_BROKER_HEARTBEAT"';
  const append = 'dledger_operation="append"';
  const rows: readonly (readonly [key: string, value: number])[] = [
    [`role{${base}}`, 1],
    [`dledger_disk_usage{${base}}`, 4_096],
    [
      `active_broker_num{address="127.0.0.1:9878",broker_set="set-a",cluster="cluster-a",group="quorumark",peer_id="n0"}`,
      2,
    ],
    [`quorumark_raft_term{${base}}`, 7],
    [`request_total{${base},request_handle_status="success",${alter}}`, 2],
    [`request_total{${base},request_handle_status="timeout",${alter}}`, 1],
    [`request_total{${base},request_handle_status="failed",${beat}}`, 1],
    [`request_latency_count{${base},${alter}}`, 2],
    [`request_latency_sum{${base},${alter}}`, 200],
    [
      `request_latency_bucket{address="127.0.0.1:9878",group="quorumark",le="50",peer_id="n0",${alter}}`,
      0,
    ],
    [
      `request_latency_bucket{address="127.0.0.1:9878",group="quorumark",le="100",peer_id="n0",${alter}}`,
      1,
    ],
    [
      `request_latency_bucket{address="127.0.0.1:9878",group="quorumark",le="300",peer_id="n0",${alter}}`,
      2,
    ],
    [
      `request_latency_bucket{address="127.0.0.1:9878",group="quorumark",le="+Inf",peer_id="n0",${alter}}`,
      2,
    ],
    [
      `dledger_op_total{address="127.0.0.1:9878",dLedger_operation_status="success",${append},group="quorumark",peer_id="n0"}`,
      1,
    ],
    [
      `dledger_op_total{address="127.0.0.1:9878",dLedger_operation_status="failed",${append},group="quorumark",peer_id="n0"}`,
      1,
    ],
    [
      `dledger_op_latency_sum{address="127.0.0.1:9878",dLedger_operation_status="success",${append},group="quorumark",peer_id="n0"}`,
      900,
    ],
    [
      `election_total{address="127.0.0.1:9878",election_result="keep_current_master",group="quorumark",peer_id="n0"}`,
      1,
    ],
  ];
  for (const [key, value] of rows) assert.equal(samples.get(key), value, key);
});

test('counters count on from scrape to scrape, and are not counted twice', async () => {
  const metrics = exposed();
  metrics.requestEnded(RequestCode.ElectMaster, 'success', 1);
  await scraped(metrics);
  metrics.requestEnded(RequestCode.ElectMaster, 'success', 1);
  const samples = await scraped(metrics);
  const key = `request_total{${base},request_handle_status="success",request_type="CONTROLLER_ELECT_MASTER"}`;
  assert.equal(samples.get(key), 2);
});

for (const [role, value] of [
  ['leader', 1],
  ['follower', 0],
  ['candidate', -1],
] as const) {
  test(`the role of a ${role} is ${value}`, async () => {
    assert.equal((await scraped(exposed(labels, role))).get(`role{${base}}`), value);
  });
}

test('latencies beyond the last bound are counted, and codes from outside are not', async () => {
  const metrics = exposed();
  metrics.requestEnded(RequestCode.ElectMaster, 'success', 11_000_000);
  metrics.requestEnded(12_345, 'success', 1);
  const samples = await scraped(metrics);
  const bucket = (le: string): string =>
    `request_latency_bucket{address="127.0.0.1:9878",group="quorumark",le="${le}",peer_id="n0",request_type="CONTROLLER_ELECT_MASTER"}`;
  assert.deepEqual([samples.get(bucket('10000000')), samples.get(bucket('+Inf'))], [0, 1]);
  assert.ok(![...samples.keys()].some((key) => key.includes('12345')));
});

test('a group may be called anything', async () => {
  const metrics = exposed({ ...labels, group: 'my "group" \\ 1' });
  metrics.requestEnded(RequestCode.ElectMaster, 'success', 1);
  const samples = await scraped(metrics);
  assert.equal(
    [...samples.keys()].filter((key) => /group="my \\"group\\" \\\\ 1"/.test(key)).length,
    samples.size,
  );
});
