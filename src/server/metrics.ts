/**
 * What one controller counts, and how it shows it to Prometheus.
 *
 * The hot path adds to plain numbers; names and labels meet them only when somebody asks.
 * Names and labels are upstream's where upstream has them.
 *
 * @source rocketmq ControllerMetricsConstant, ControllerMetricsManager (5.x, 8fc57f1)
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { RequestCode } from '../lib/codes.js';

/** Microseconds: 1, 3, 5 × 10^0 … 10^6, and 10^7, as upstream. */
const LATENCY_BOUNDS_US = [0, 1, 2, 3, 4, 5, 6]
  .flatMap((exponent) => [1, 3, 5].map((digit) => digit * 10 ** exponent))
  .concat(10_000_000);

class LatencyHistogram {
  readonly counts = new Float64Array(LATENCY_BOUNDS_US.length + 1);
  sumUs = 0;
  count = 0;

  record(us: number): void {
    let at = 0;
    while (at < LATENCY_BOUNDS_US.length && us > (LATENCY_BOUNDS_US[at] ?? 0)) at += 1;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sumUs += us;
    this.count += 1;
  }
}

class RequestCounts {
  success = 0;
  failed = 0;
  timeout = 0;
  readonly latency = new LatencyHistogram();
}

export type ElectionResult = 'new_master_elected' | 'keep_current_master' | 'no_master_elected';

/** What a scrape looks at besides the counters. */
export interface MetricsView {
  role(): 'leader' | 'follower' | 'candidate' | 'learner';
  diskUsageBytes(): number;
  activeBrokers(): Iterable<{ readonly clusterName: string | null; readonly brokerName: string }>;
  gauges(): Readonly<Record<string, number>>;
}

/** @source RequestCode constant names, upper case, as upstream labels them. */
const requestTypes = new Map<number, string>([
  [RequestCode.BrokerHeartbeat, 'CONTROLLER_BROKER_HEARTBEAT'],
  [RequestCode.AlterSyncStateSet, 'CONTROLLER_ALTER_SYNC_STATE_SET'],
  [RequestCode.ElectMaster, 'CONTROLLER_ELECT_MASTER'],
  [RequestCode.RegisterBroker, 'CONTROLLER_REGISTER_BROKER'],
  [RequestCode.GetReplicaInfo, 'CONTROLLER_GET_REPLICA_INFO'],
  [RequestCode.GetMetadataInfo, 'CONTROLLER_GET_METADATA_INFO'],
  [RequestCode.GetSyncStateData, 'CONTROLLER_GET_SYNC_STATE_DATA'],
  [RequestCode.UpdateControllerConfig, 'CONTROLLER_UPDATE_CONTROLLER_CONFIG'],
  [RequestCode.GetControllerConfig, 'CONTROLLER_GET_CONTROLLER_CONFIG'],
  [RequestCode.CleanBrokerData, 'CONTROLLER_CLEAN_BROKER_DATA'],
  [RequestCode.GetNextBrokerId, 'CONTROLLER_GET_NEXT_BROKER_ID'],
  [RequestCode.ApplyBrokerId, 'CONTROLLER_APPLY_BROKER_ID'],
]);

/** Upstream exports the role as a difference from FOLLOWER. */
const roleValue = { learner: -1, candidate: -1, follower: 0, leader: 1 } as const;

export class ControllerMetrics {
  readonly #requests = new Map<number, RequestCounts>();
  readonly #elections = new Map<string, number>();
  readonly #appends = new RequestCounts();
  readonly #registry = new Registry();
  readonly #labels: Readonly<Record<string, string>>;

  constructor(labels: Readonly<Record<string, string>>) {
    this.#labels = labels;
    this.#registry.setDefaultLabels(labels);
  }

  /** @param us from arrival to answer. A rejection is a success here, as upstream: no exception. */
  requestEnded(code: number, status: 'success' | 'failed' | 'timeout', us: number): void {
    let counts = this.#requests.get(code);
    if (counts === undefined) {
      // Unknown codes come from outside and must not grow this map.
      if (!requestTypes.has(code)) return;
      counts = new RequestCounts();
      this.#requests.set(code, counts);
    }
    counts[status] += 1;
    if (status === 'success') counts.latency.record(us);
  }

  appendEnded(status: 'success' | 'failed', us: number): void {
    this.#appends[status] += 1;
    if (status === 'success') this.#appends.latency.record(us);
  }

  electionEnded(result: ElectionResult): void {
    this.#elections.set(result, (this.#elections.get(result) ?? 0) + 1);
  }

  /** Answers scrapes from `view`; call once. */
  expose(view: MetricsView): void {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    gauge('role', 'leader 1, follower 0, candidate -1', [], (metric) => {
      metric.set(roleValue[view.role()]);
    });
    gauge('dledger_disk_usage', 'bytes under the store path', [], (metric) => {
      metric.set(view.diskUsageBytes());
    });
    gauge('active_broker_num', 'brokers alive', ['cluster', 'broker_set'], (metric) => {
      metric.reset();
      for (const { clusterName, brokerName } of view.activeBrokers()) {
        metric.inc({ cluster: clusterName ?? '', broker_set: brokerName });
      }
    });
    for (const name of Object.keys(view.gauges())) {
      gauge(`quorumark_${name}`, name.replaceAll('_', ' '), [], (metric) => {
        metric.set(view.gauges()[name] ?? 0);
      });
    }
    counter('request_total', ['request_type', 'request_handle_status'], (metric) => {
      for (const [code, counts] of this.#requests) {
        const request_type = requestTypes.get(code) ?? String(code);
        for (const status of ['success', 'failed', 'timeout'] as const) {
          metric.inc({ request_type, request_handle_status: status }, counts[status]);
        }
      }
    });
    counter('dledger_op_total', ['dledger_operation', 'dLedger_operation_status'], (metric) => {
      for (const status of ['success', 'failed'] as const) {
        const labels = { dledger_operation: 'append', dLedger_operation_status: status };
        metric.inc(labels, this.#appends[status]);
      }
    });
    counter('election_total', ['election_result'], (metric) => {
      for (const [election_result, count] of this.#elections)
        metric.inc({ election_result }, count);
    });

    function gauge(
      name: string,
      help: string,
      labelNames: string[],
      fill: (metric: Gauge) => void,
    ): void {
      const metric: Gauge = new Gauge({
        name,
        help,
        labelNames,
        registers,
        collect: () => fill(metric),
      });
    }

    function counter(name: string, labelNames: string[], fill: (metric: Counter) => void): void {
      const metric: Counter = new Counter({
        name,
        help: name.replaceAll('_', ' '),
        labelNames,
        registers,
        collect: () => {
          metric.reset();
          fill(metric);
        },
      });
    }
  }

  /** Prometheus text. */
  async scrape(): Promise<string> {
    const histograms = [...this.#requests].map(([code, counts]) =>
      histogramText('request_latency', counts.latency, {
        ...this.#labels,
        request_type: requestTypes.get(code) ?? String(code),
      }),
    );
    return [
      await this.#registry.metrics(),
      '# HELP request_latency microseconds\n# TYPE request_latency histogram',
      ...histograms,
      '# HELP dledger_op_latency microseconds\n# TYPE dledger_op_latency histogram',
      histogramText('dledger_op_latency', this.#appends.latency, {
        ...this.#labels,
        dledger_operation: 'append',
        dLedger_operation_status: 'success',
      }),
      '',
    ].join('\n');
  }
}

/** prom-client cannot be handed ready buckets, and its own `observe` costs more than a request. */
function histogramText(
  name: string,
  histogram: LatencyHistogram,
  labels: Readonly<Record<string, string>>,
): string {
  const fixed = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`);
  let cumulative = 0;
  const lines = [...LATENCY_BOUNDS_US, '+Inf'].map((bound, at) => {
    cumulative += histogram.counts[at] ?? 0;
    return `${name}_bucket{${[...fixed, `le="${bound}"`].join(',')}} ${cumulative}`;
  });
  lines.push(`${name}_sum{${fixed.join(',')}} ${histogram.sumUs}`);
  lines.push(`${name}_count{${fixed.join(',')}} ${histogram.count}`);
  return lines.join('\n');
}

/** @source Prometheus text format 0.0.4: label values */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
