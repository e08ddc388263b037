import { METRIC } from '../../src/domain/names.ts';
import { dashboard, UID } from './frame.ts';
import { BAD, GOOD, NORMAL, PLAIN, statusColor, WARNING } from './palette.ts';
import { at, fixedColor, layout, lines, over, override, stat, steps } from './panels.ts';

const JOBS = 'job=~"tillwatch|prometheus|alertmanager"';
/** Scraped every 15 seconds, so finer than the rules' minute. */
const FINE = { interval: '15s' };
const perMinute = (metric: string, by: string) => `60 * sum by (${by}) (rate(${metric}[$__rate_interval]))`;
const quantile = (q: number, metric: string, by = '') =>
  `histogram_quantile(${q}, sum by (${by === '' ? 'le' : `le, ${by}`}) (rate(${metric}_bucket[$__rate_interval])))`;

const UP = {
  mappings: [{ type: 'value' as const, options: { 0: { text: 'down', index: 0 }, 1: { text: 'up', index: 1 } } }],
  thresholds: steps(BAD, [1, GOOD]),
};
const NEVER = 'Not scraped: is the job in prometheus.yml?';

const strip = {
  up: stat({
    title: 'Scraped',
    description: 'Whether Prometheus could read the metrics of each part at its last scrape.',
    queries: [at(`min by (job) (up{${JOBS}})`, '{{job}}')],
    show: 'value_and_name',
    noValue: NEVER,
    field: UP,
  }),
  version: stat({
    title: 'Version',
    description: 'Of Tillwatch.',
    queries: [at('tillwatch_build_info', '{{version}}')],
    noValue: NEVER,
    colored: false,
    // The value is always 1.
    show: 'name',
  }),
  baseline: stat({
    title: 'Age of the baseline',
    description: 'Since the rules were evaluated, as Tillwatch last read it. Rules run once a minute.',
    queries: [at('max(tillwatch_baseline_age_seconds)', 'age')],
    unit: 's',
    decimals: 0,
    noValue: 'no baseline',
    field: {
      thresholds: steps(GOOD, [150, WARNING], [300, BAD]),
      mappings: [{ type: 'special', options: { match: 'null+nan', result: { text: 'no baseline', index: 0 } } }],
    },
  }),
  series: stat({
    title: 'Series',
    description: 'In the ledger. Past the cap (--max-series) a new label value is counted as "other".',
    queries: [over('sum(tillwatch_series)', 'series')],
    decimals: 0,
    curve: true,
    field: { color: fixedColor(statusColor('approved')) },
  }),
  report: stat({
    title: 'Last report',
    description: 'How long ago a current report was counted.',
    queries: [at(`time() - max(${METRIC.lastReport} > 0)`, 'ago')],
    unit: 's',
    decimals: 0,
    noValue: 'none yet',
    field: { thresholds: steps(GOOD, [90, WARNING], [120, BAD]) },
  }),
  watchdog: stat({
    title: 'Watchdog',
    description:
      'How long ago the alert that always fires came through Alertmanager; it does every five minutes. When it stays away, no alert reaches anyone.',
    queries: [at('time() - max(tillwatch_watchdog_last_received_timestamp_seconds > 0)', 'ago')],
    unit: 's',
    decimals: 0,
    noValue: 'never came',
    field: { thresholds: steps(GOOD, [420, WARNING], [720, BAD]) },
  }),
};

const result = (name: string, color: string) => override(name, { color: fixedColor(color) });
const reports = lines({
  title: 'Reports a minute, by result',
  description:
    'Refused: the sender has to change something. Failed: the ledger could not commit, the sender tries again. Late: kept, but not judged.',
  queries: [over(perMinute('tillwatch_reports_total', 'result'), '{{result}}', FINE)],
  decimals: 1,
  noValue: NEVER,
  stacked: true,
  overrides: [
    result('accepted', GOOD),
    result('duplicate', NORMAL),
    result('late', statusColor('reversed')),
    result('refused', WARNING),
    result('failed', BAD),
  ],
});

const answers = lines({
  title: 'Answers a minute, by code',
  description: "Of the HTTP service. 5xx are its own fault, 4xx the caller's.",
  queries: [over(perMinute('tillwatch_http_request_duration_seconds_count', 'code'), '{{code}}', FINE)],
  decimals: 1,
  noValue: NEVER,
  stacked: true,
  overrides: [
    { matcher: { id: 'byRegexp', options: '/^2/' }, properties: [{ id: 'color', value: fixedColor(GOOD) }] },
    { matcher: { id: 'byRegexp', options: '/^4/' }, properties: [{ id: 'color', value: fixedColor(WARNING) }] },
    { matcher: { id: 'byRegexp', options: '/^5/' }, properties: [{ id: 'color', value: fixedColor(BAD) }] },
  ],
});

const QUANTILES = [
  override('p50', { color: fixedColor(NORMAL) }),
  override('p95', { color: fixedColor(statusColor('approved')) }),
  override('p99', { color: fixedColor(statusColor('denied')) }),
];
const durations = (title: string, description: string, metric: string, list = false) =>
  lines({
    title,
    description,
    queries: [0.5, 0.95, 0.99].map((q) => over(quantile(q, metric), `p${100 * q}`, FINE)),
    unit: 's',
    noValue: 'No requests in this time range',
    calcs: ['lastNotNull', 'max'],
    list,
    overrides: QUANTILES,
  });

const byRoute = lines({
  title: 'Time to answer by route, 95th percentile',
  description: 'A report is answered when it is on disk.',
  queries: [over(quantile(0.95, 'tillwatch_http_request_duration_seconds', 'route'), '{{route}}', FINE)],
  unit: 's',
  noValue: 'No requests in this time range',
  calcs: ['lastNotNull', 'max'],
});

const rules = lines({
  title: 'Rule groups: time used of their interval',
  description: 'At 100 % a group can no longer keep up, and what it records is late.',
  queries: [
    over(
      // The label is the file and the group.
      `label_replace(max by (rule_group) (prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds), "group", "$1", "rule_group", ".*;(.*)")`,
      '{{group}}',
    ),
  ],
  unit: 'percentunit',
  decimals: 1,
  noValue: NEVER,
  calcs: ['lastNotNull', 'max'],
  field: {
    thresholds: steps('transparent', [0.5, WARNING], [1, BAD]),
    custom: { thresholdsStyle: { mode: 'dashed' }, lineWidth: 2, showPoints: 'never', spanNulls: 300_000 },
  },
});

const failures = lines({
  title: 'What went wrong, in 5 minutes',
  description: 'All of them should be 0.',
  queries: [
    over('sum(increase(prometheus_rule_evaluation_failures_total[5m]))', 'rule evaluations failed', FINE),
    over('sum(increase(prometheus_rule_group_iterations_missed_total[5m]))', 'rule groups skipped', FINE),
    over('sum(increase(prometheus_notifications_errors_total[5m]))', 'alerts not sent to Alertmanager', FINE),
    over('sum(increase(alertmanager_notifications_failed_total[5m]))', 'messages not delivered', FINE),
    over('sum(increase(tillwatch_label_values_folded_total[5m]))', 'reports beyond the cap on series', FINE),
    over('sum(increase(tillwatch_reports_total{result="failed"}[5m]))', 'reports not committed', FINE),
  ],
  decimals: 0,
  noValue: NEVER,
  bars: true,
  calcs: ['lastNotNull', 'max'],
});

const notifications = lines({
  title: 'Notifications a minute',
  description: 'Sent by Prometheus to Alertmanager, by Alertmanager to each receiver, and received in the journal.',
  queries: [
    over('60 * sum(rate(prometheus_notifications_sent_total[$__rate_interval]))', 'Prometheus to Alertmanager', FINE),
    over(
      // Every kind of receiver that there is has a counter: only those in use.
      '60 * sum by (integration) (rate(alertmanager_notifications_total[$__rate_interval])) ' +
        'and on (integration) sum by (integration) (increase(alertmanager_notifications_total[$__range])) > 0',
      'to {{integration}}',
      FINE,
    ),
    over(perMinute('tillwatch_notifications_total', 'status'), 'journal, {{status}}', FINE),
  ],
  decimals: 1,
  noValue: NEVER,
});

const scrapes = lines({
  title: 'Scrape duration',
  description: 'The scrape of Tillwatch grows with its series. Prometheus gives up after 10 seconds.',
  queries: [over(`max by (job) (scrape_duration_seconds{${JOBS}})`, '{{job}}', FINE)],
  unit: 's',
  noValue: NEVER,
  list: true,
});

const memory = lines({
  title: 'Memory',
  description: 'Resident, of each process.',
  queries: [over(`max by (job) (process_resident_memory_bytes{${JOBS}})`, '{{job}}', FINE)],
  unit: 'bytes',
  decimals: 0,
  noValue: NEVER,
  list: true,
});

const streams = lines({
  title: 'Open live pages',
  description: 'Event streams that are open. All share one question to Prometheus.',
  queries: [over('sum(tillwatch_event_streams)', 'pages', FINE)],
  decimals: 0,
  noValue: NEVER,
  list: true,
});

const cpu = lines({
  title: 'Processor',
  description: 'Of one core.',
  queries: [over(`max by (job) (rate(process_cpu_seconds_total{${JOBS}}[$__rate_interval]))`, '{{job}}', FINE)],
  unit: 'percentunit',
  decimals: 1,
  noValue: NEVER,
  list: true,
});

const lag = lines({
  title: 'Tillwatch: event loop lag, 99th percentile',
  description: 'How long its one thread keeps others waiting.',
  queries: [over('max(nodejs_eventloop_lag_p99_seconds)', 'lag', FINE)],
  unit: 's',
  noValue: NEVER,
  list: true,
  overrides: [override('lag', { color: fixedColor(PLAIN) })],
});

export const health = dashboard({
  uid: UID.health,
  title: 'Tillwatch',
  description: 'Is the watcher itself well: reports, ledger, rules, notifications, processes.',
  from: '3h',
  panels: layout([
    {
      title: '',
      rows: [
        [
          4,
          [7, strip.up],
          [3, strip.version],
          [4, strip.report],
          [4, strip.baseline],
          [3, strip.series],
          [3, strip.watchdog],
        ],
        [8, [24, failures]],
      ],
    },
    {
      title: 'Reports in, answers out',
      rows: [
        [8, [12, reports], [12, answers]],
        [
          8,
          [12, durations('Time to answer', 'Of all routes.', 'tillwatch_http_request_duration_seconds')],
          [12, byRoute],
        ],
      ],
    },
    {
      title: 'Rules and alerts',
      rows: [[8, [12, rules], [12, notifications]]],
    },
    {
      title: 'Disk, scrapes, processes',
      rows: [
        [
          8,
          [
            8,
            durations(
              'Time to commit to disk',
              'A batch of reports, with fsync.',
              'tillwatch_ledger_commit_duration_seconds',
              true,
            ),
          ],
          [8, scrapes],
          [8, lag],
        ],
        [8, [8, memory], [8, cpu], [8, streams]],
      ],
    },
  ]),
});
